#include "host/rpc/methods.h"

#include <string.h>

static const struct method methods[] = {
    {"/trammel.v1.AdapterService/ListAdapters", ROLE_VIEWER, serve_list_adapters},
    {"/trammel.v1.RunService/StartRun", ROLE_OPERATOR, serve_start_run},
    {"/trammel.v1.RunService/GetRun", ROLE_VIEWER, serve_get_run},
    {"/trammel.v1.RunService/ListRuns", ROLE_VIEWER, serve_list_runs},
    {"/trammel.v1.RunService/CancelRun", ROLE_OPERATOR, serve_cancel_run},
    {"/trammel.v1.RunService/WatchRun", ROLE_VIEWER, serve_watch_run},
    {"/trammel.v1.RunService/GetReport", ROLE_VIEWER, serve_get_report},
    {"/trammel.v1.AuthService/Login", ROLE_NONE, serve_login},
    {"/trammel.v1.AuthService/Renew", ROLE_NONE, serve_renew},
    {"/trammel.v1.AuthService/Logout", ROLE_NONE, serve_logout},
    {"/trammel.v1.AuthService/WhoAmI", ROLE_VIEWER, serve_who_am_i},
    {"/trammel.v1.AuthService/AddUser", ROLE_ADMIN, serve_add_user},
    {"/trammel.v1.AuthService/ListUsers", ROLE_ADMIN, serve_list_users},
    {"/trammel.v1.AuthService/SetRole", ROLE_ADMIN, serve_set_role},
    {"/trammel.v1.AuthService/RemoveUser", ROLE_ADMIN, serve_remove_user},
    {"/trammel.v1.AuthService/SetPassword", ROLE_VIEWER, serve_set_password},
    {"/trammel.v1.AuthService/CreateToken", ROLE_VIEWER, serve_create_token},
    {"/trammel.v1.AuthService/ListTokens", ROLE_VIEWER, serve_list_tokens},
    {"/trammel.v1.AuthService/RevokeToken", ROLE_VIEWER, serve_revoke_token},
    {"/grpc.health.v1.Health/Check", ROLE_NONE, serve_health_check},
    {"/grpc.health.v1.Health/Watch", ROLE_VIEWER, serve_health_watch},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", ROLE_VIEWER, serve_reflection},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", ROLE_VIEWER, serve_reflection},
};

const struct method *method_find(const char *name) {
  for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
    if (strcmp(methods[i].name, name) == 0)
      return &methods[i];
  return NULL;
}
