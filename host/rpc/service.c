#include "host/rpc/service.h"

#include <stdio.h>
#include <string.h>

#include "host/rpc/methods.h"

static const struct method {
  const char *name;
  method_serve *serve;
} methods[] = {
    {"/trammel.v1.AdapterService/ListAdapters", serve_list_adapters},
    {"/trammel.v1.RunService/StartRun", serve_start_run},
    {"/trammel.v1.RunService/GetRun", serve_get_run},
    {"/trammel.v1.RunService/ListRuns", serve_list_runs},
    {"/trammel.v1.RunService/CancelRun", serve_cancel_run},
    {"/trammel.v1.RunService/WatchRun", serve_watch_run},
    {"/trammel.v1.RunService/GetReport", serve_get_report},
    {"/grpc.health.v1.Health/Check", serve_health_check},
    {"/grpc.health.v1.Health/Watch", serve_health_watch},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", serve_reflection},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", serve_reflection},
};

int service_serve(void *ctx, struct rpc_call *call, const char *method, char **ret_text) {
  for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
    if (strcmp(methods[i].name, method) == 0)
      return methods[i].serve(ctx, call, ret_text);
  if (asprintf(ret_text, "there is no method %.200s", method) < 0)
    *ret_text = NULL;
  return STATUS_UNIMPLEMENTED;
}
