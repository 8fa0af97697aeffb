#include "host/meshery/mesh_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/meshery/audited.h"
#include "host/meshery/broadcast.h"
#include "host/meshery/operations.h"
#include "host/meshery/shown.h"
#include "host/rpc/methods.h"
#include "meshes/meshops.pb-c.h"
#include "sdk/base/utf8.h"

#define CONFORMANCE "smi_conformance" /* the key of the operation */

struct mesh_service {
  struct service *host;
  json_t *spec;
  const char *adapter; /* of the spec */
  struct broadcast *broadcast;
  struct operations *operations;
};

static char *text(const char *borrowed) {
  return (char *)(uintptr_t)borrowed;
}

struct mesh_service *mesh_service_create(struct service *host, json_t *spec) {
  struct mesh_service *mesh = calloc(1, sizeof(*mesh));
  if (!mesh)
    return NULL;
  mesh->host = host;
  mesh->spec = json_incref(spec);
  mesh->adapter = json_string_value(json_object_get(spec, "mesh"));
  mesh->broadcast = broadcast_create();
  mesh->operations = mesh->broadcast ? operations_create(host->runs, mesh->adapter, spec, mesh->broadcast) : NULL;
  if (mesh->operations)
    return mesh;
  mesh_service_destroy(mesh);
  return NULL;
}

void mesh_service_stop(struct mesh_service *mesh) {
  operations_end(mesh->operations);
  broadcast_end(mesh->broadcast);
}

void mesh_service_destroy(struct mesh_service *mesh) {
  if (!mesh)
    return;
  operations_destroy(mesh->operations);
  broadcast_destroy(mesh->broadcast);
  json_decref(mesh->spec);
  free(mesh);
}

/* ---- what it is */

static int serve_name(struct mesh_service *mesh, struct rpc_call *call, char **ret_text) {
  Meshes__MeshNameResponse answer = MESHES__MESH_NAME_RESPONSE__INIT;
  answer.name = text(mesh->adapter);
  return message_send_last(call, &answer.base, ret_text);
}

static int serve_versions(struct mesh_service *mesh, struct rpc_call *call, char **ret_text) {
  _cleanup_error_ struct error *err = NULL;
  json_auto_t *shown = NULL;
  Meshes__MeshVersionsResponse answer = MESHES__MESH_VERSIONS_RESPONSE__INIT;
  int r = shown_adapter(mesh->host, mesh->adapter, &shown, &err);
  if (r < 0)
    return status_of(r, err, ret_text);
  const json_t *versions = json_object_get(shown, "meshVersions");
  _cleanup_free_ char **list = calloc(json_array_size(versions) + 1, sizeof(*list));
  if (!list)
    return status_of(-ENOMEM, NULL, ret_text);
  for (size_t i = 0; i < json_array_size(versions); i++)
    list[i] = text(json_string_value(json_array_get(versions, i)));
  answer.n_version = json_array_size(versions);
  answer.version = list;
  return message_send_last(call, &answer.base, ret_text);
}

static int serve_component(struct mesh_service *mesh, struct rpc_call *call, char **ret_text) {
  _cleanup_error_ struct error *err = NULL;
  json_auto_t *shown = NULL;
  Meshes__ComponentInfoResponse answer = MESHES__COMPONENT_INFO_RESPONSE__INIT;
  int r = shown_adapter(mesh->host, mesh->adapter, &shown, &err);
  if (r < 0)
    return status_of(r, err, ret_text);
  Meshes__ComponentInfoResponse__PropertiesEntry digest = MESHES__COMPONENT_INFO_RESPONSE__PROPERTIES_ENTRY__INIT;
  Meshes__ComponentInfoResponse__PropertiesEntry *properties[] = {&digest};
  digest.key = text("sha256");
  digest.value = text(json_string_value(json_object_get(shown, "digest")));
  answer.type = text("adapter");
  answer.name = text(mesh->adapter);
  answer.version = text(json_string_value(json_object_get(shown, "version")));
  answer.n_properties = digest.value ? 1 : 0;
  answer.properties = properties;
  return message_send_last(call, &answer.base, ret_text);
}

/* ---- operations */

static int serve_operations(struct mesh_service *mesh, struct rpc_call *call, char **ret_text) {
  _cleanup_error_ struct error *err = NULL;
  json_auto_t *shown = NULL;
  Meshes__SupportedOperationsResponse answer = MESHES__SUPPORTED_OPERATIONS_RESPONSE__INIT;
  Meshes__SupportedOperation conformance = MESHES__SUPPORTED_OPERATION__INIT;
  Meshes__SupportedOperation *list[] = {&conformance};
  int r = shown_adapter(mesh->host, mesh->adapter, &shown, &err);
  if (r < 0)
    return status_of(r, err, ret_text);
  conformance.key = text(CONFORMANCE);
  conformance.value = text("SMI conformance");
  conformance.category = MESHES__OP_CATEGORY__VALIDATE;
  answer.n_ops = shown_is_testable(shown, mesh->spec) ? 1 : 0;
  answer.ops = list;
  return message_send_last(call, &answer.base, ret_text);
}

static int check_request(const Meshes__ApplyRuleRequest *asked, struct error **err) {
  struct quote quote;
  size_t offset;
  if (strcmp(asked->opname, CONFORMANCE) != 0)
    return error_set(err, EINVAL, "there is no operation %s; SupportedOperations lists what there is",
                     quote_text(&quote, asked->opname, strlen(asked->opname)));
  return utf8_valid(asked->operation_id, strlen(asked->operation_id), &offset)
             ? 0
             : error_set(err, EINVAL, "operation_id is no UTF-8");
}

/* Whether it can be begun here, as serve_operations() says. */
static int check_testable(const struct mesh_service *mesh, struct error **err) {
  json_auto_t *shown = NULL;
  int r = shown_adapter(mesh->host, mesh->adapter, &shown, err);
  if (r < 0)
    return r;
  return shown_is_testable(shown, mesh->spec)
             ? 0
             : error_set(err, EINVAL,
                         "adapter %s cannot be tested here: it needs a cluster, or endpoints of a mesh that is there",
                         mesh->adapter);
}

static int apply(struct mesh_service *mesh, const Meshes__ApplyRuleRequest *asked, char id[OPERATION_ID_MAX + 1],
                 struct error **err) {
  static const char method[] = "/meshes.MeshService/ApplyOperation";
  char run[RUN_ID_SIZE];
  int r = check_request(asked, err);
  if (r == 0 && !asked->delete_op)
    r = check_testable(mesh, err);
  if (r < 0)
    return r;
  if (!asked->delete_op) {
    r = operations_begin(mesh->operations, asked->operation_id, id, run, err);
    if (r == 0)
      audited_note(mesh->host, method, "run", run);
    return r;
  }
  (void)snprintf(id, OPERATION_ID_MAX + 1, "%s", asked->operation_id);
  if (operations_cancel(mesh->operations) == 0)
    return error_set(err, ENOENT, "no " CONFORMANCE " of adapter %s goes on", mesh->adapter);
  audited_note(mesh->host, method, "adapter", mesh->adapter);
  return 0;
}

static int serve_apply(struct mesh_service *mesh, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  char id[OPERATION_ID_MAX + 1] = "";
  Meshes__ApplyRuleResponse answer = MESHES__APPLY_RULE_RESPONSE__INIT;
  int status = message_receive_one(call, &meshes__apply_rule_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  int r = apply(mesh, (const Meshes__ApplyRuleRequest *)asked, id, &err);
  if (r < 0)
    return status_of(r, err, ret_text);
  answer.operation_id = id;
  return message_send_last(call, &answer.base, ret_text);
}

static int tell_lost(struct mesh_service *mesh, struct rpc_call *call, uint64_t lost, char **ret_text) {
  char summary[96];
  Meshes__EventsResponse event = MESHES__EVENTS_RESPONSE__INIT;
  (void)snprintf(summary, sizeof(summary), "%llu events were lost: they were not taken fast enough",
                 (unsigned long long)lost);
  event.event_type = MESHES__EVENT_TYPE__WARN;
  event.summary = summary;
  event.component = text("adapter");
  event.component_name = text(mesh->adapter);
  return message_send(call, &event.base, ret_text);
}

static int serve_events(struct mesh_service *mesh, struct rpc_call *call, char **ret_text) {
  uint64_t position = broadcast_position(mesh->broadcast);
  int status = rpc_send_headers(call) < 0 ? STATUS_CANCELLED : STATUS_OK;
  for (int r = 1; r > 0 && status == STATUS_OK;) {
    _cleanup_free_ uint8_t *data = NULL;
    size_t length = 0;
    uint64_t lost = 0;
    r = broadcast_next(mesh->broadcast, &position, rpc_call_cancelled(call), &data, &length, &lost);
    if (lost > 0)
      status = tell_lost(mesh, call, lost, ret_text);
    if (r > 0 && status == STATUS_OK && rpc_send(call, data, length) < 0)
      return STATUS_CANCELLED;
    if (r < 0)
      status = status_of(r, NULL, ret_text);
  }
  return status;
}

/* ---- */

static const struct {
  const char *name;
  int (*serve)(struct mesh_service *mesh, struct rpc_call *call, char **ret_text);
} methods[] = {{"MeshName", serve_name},           {"MeshVersions", serve_versions},
               {"ComponentInfo", serve_component}, {"SupportedOperations", serve_operations},
               {"ApplyOperation", serve_apply},    {"StreamEvents", serve_events}};

int mesh_service_serve(void *ctx, struct rpc_call *call, const char *method, char **ret_text) {
  static const char service[] = "/meshes.MeshService/";
  if (strncmp(method, service, strlen(service)) == 0)
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
      if (strcmp(method + strlen(service), methods[i].name) == 0)
        return methods[i].serve(ctx, call, ret_text);
  if (asprintf(ret_text, "%.200s is not served here", method) < 0)
    *ret_text = NULL;
  return STATUS_UNIMPLEMENTED;
}
