#include "plugins/reference/mesh/sidecar.h"

#include <string.h>

#include "plugins/reference/mesh/resource.h"
#include "plugins/reference/mesh/series.h"
#include "plugins/reference/mesh/workload.h"
#include "sdk/base/error.h"

enum { STATUS_OK = 200, STATUS_BAD_REQUEST = 400, STATUS_METHOD_NOT_ALLOWED = 405, STATUS_INTERNAL = 500 };

bool sidecar_owns(const char *path) {
  return strcmp(path, "/v1/identity") == 0 || strcmp(path, "/v1/state") == 0 || strcmp(path, "/v1/series") == 0;
}

static int fail(int status, const char *text, json_t **ret_body) {
  *ret_body = json_pack("{s:s, s:s}", "error", text, "pointer", "");
  return status;
}

static int show_key(const struct mesh *mesh, json_t **ret_body) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *key = NULL;
  if (authority_public_key(mesh->authority, &key, &err) < 0)
    return fail(STATUS_INTERNAL, error_message(err), ret_body);
  *ret_body = json_pack("{s:s}", "publicKey", key);
  return STATUS_OK;
}

/* Workloads that are there already show the new certificate from their next connection on. */
static int renew_all(struct mesh *mesh, struct error **err) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < mesh->store.workloads.count; i++) {
    struct workload *workload = mesh->store.workloads.entries[i].object;
    r = workload->tls ? workload_renew(workload, err) : 0;
  }
  return r;
}

static int adopt(struct mesh *mesh, const json_t *body, json_t **ret_body) {
  _cleanup_error_ struct error *err = NULL;
  const char *issuer = json_string_value(json_object_get(body, "issuer"));
  const char *certificate = json_string_value(json_object_get(body, "certificate"));
  if (!issuer || !certificate)
    return fail(STATUS_BAD_REQUEST, "the members issuer and certificate are expected, as PEM", ret_body);
  int r = authority_adopt(mesh->authority, issuer, certificate, &err);
  if (r < 0)
    return fail(STATUS_BAD_REQUEST, error_message(err), ret_body);
  if (renew_all(mesh, &err) < 0)
    return fail(STATUS_INTERNAL, error_message(err), ret_body);
  *ret_body = json_object();
  return STATUS_OK;
}

int sidecar_answer(struct mesh *mesh, enum evhttp_cmd_type command, const char *path, const json_t *body,
                   json_t **ret_body) {
  if (strcmp(path, "/v1/identity") == 0 && command == EVHTTP_REQ_GET)
    return show_key(mesh, ret_body);
  if (strcmp(path, "/v1/identity") == 0 && command == EVHTTP_REQ_PUT)
    return adopt(mesh, body, ret_body);
  if (strcmp(path, "/v1/series") == 0 && command == EVHTTP_REQ_GET) {
    *ret_body = series_document(mesh->metrics);
    return STATUS_OK;
  }
  if (strcmp(path, "/v1/state") == 0 && command == EVHTTP_REQ_DELETE) {
    resource_remove_all(mesh);
    *ret_body = json_object();
    return STATUS_OK;
  }
  return fail(STATUS_METHOD_NOT_ALLOWED,
              "known here are GET and PUT of /v1/identity, GET of /v1/series, and DELETE of "
              "/v1/state",
              ret_body);
}
