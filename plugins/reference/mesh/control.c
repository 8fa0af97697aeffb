#include "plugins/reference/mesh/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/mesh.h"
#include "plugins/reference/mesh/resource.h"
#include "plugins/reference/mesh/rollout.h"
#include "plugins/reference/mesh/sidecar.h"
#include "plugins/reference/mesh/smi_metrics.h"
#include "sdk/base/error.h"

#ifndef TRAMMEL_VERSION
#error "TRAMMEL_VERSION is set by the build"
#endif

enum {
  STATUS_OK = 200,
  STATUS_BAD_REQUEST = 400,
  STATUS_NOT_FOUND = 404,
  STATUS_METHOD_NOT_ALLOWED = 405,
  STATUS_CONFLICT = 409,
  STATUS_INTERNAL = 500,
  STATUS_FAILED_DEPENDENCY = 424, /* nothing that whoever asks tries again by itself */
  CONTROL_TIMEOUT_S = 3600,
};

struct control {
  struct mesh *mesh;
  struct evhttp *http;
  struct rollout *rollout; /* of a control plane; NULL: the proxies are in this program */
};

/* A request whose answer waits for the sidecars. */
struct deferred {
  const struct control *control;
  struct evhttp_request *request; /* NULL: who asked is gone */
  char *path, *query;             /* of a question for metrics */
};

/* Answers with a body that is handed over; NULL stands for lack of memory. */
static void reply(struct evhttp_request *request, int status, json_t *body) {
  struct evbuffer *out = evhttp_request_get_output_buffer(request);
  char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
  json_decref(body);
  if (text)
    evbuffer_add(out, text, strlen(text));
  free(text);
  evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
  evhttp_send_reply(request, text ? status : STATUS_INTERNAL, NULL, out);
}

static void reply_error(struct evhttp_request *request, int status, const char *text, const char *pointer) {
  reply(request, status, json_pack("{s:s,s:s}", "error", text, "pointer", pointer));
}

static int put_status(int r) {
  switch (r) {
  case 0:
    return STATUS_OK;
  case -EADDRINUSE:
    return STATUS_CONFLICT;
  case -ENOMEM:
  case -EIO:
    return STATUS_INTERNAL;
  default:
    return STATUS_BAD_REQUEST;
  }
}

/* The request's body as JSON; NULL with the problem set. */
static json_t *read_body(struct evhttp_request *request, struct problem *problem) {
  struct evbuffer *in = evhttp_request_get_input_buffer(request);
  size_t length = evbuffer_get_length(in);
  const char *data = length ? (const char *)evbuffer_pullup(in, -1) : "";
  json_error_t error;
  json_t *body = data ? json_loadb(data, length, JSON_REJECT_DUPLICATES, &error) : NULL;
  if (!body)
    strbuf_printf(&problem->text, "the body is no JSON: %s (line %d)", data ? error.text : "no memory",
                  data ? error.line : 0);
  return body;
}

static void on_gone(struct evhttp_connection *connection, void *context) {
  (void)connection;
  ((struct deferred *)context)->request = NULL;
}

/* NULL without memory; the request is answered then. */
static struct deferred *defer(const struct control *control, struct evhttp_request *request) {
  struct deferred *deferred = calloc(1, sizeof *deferred);
  if (!deferred) {
    reply(request, STATUS_INTERNAL, NULL);
    return NULL;
  }
  *deferred = (struct deferred){.control = control, .request = request};
  evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_gone, deferred);
  return deferred;
}

/* The request, if it is still there; to be answered now. */
static struct evhttp_request *resume(struct deferred *deferred) {
  struct evhttp_request *request = deferred->request;
  if (request)
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
  return request;
}

static void deferred_free(struct deferred *deferred) {
  free(deferred->path);
  free(deferred->query);
  free(deferred);
}

static void on_rolled_out(void *context, const char *problem) {
  struct deferred *deferred = context;
  struct evhttp_request *request = resume(deferred);
  if (request && problem)
    reply_error(request, STATUS_FAILED_DEPENDENCY, problem, "");
  else if (request)
    reply(request, STATUS_OK, json_object());
  deferred_free(deferred);
}

/* Answers a change that is in the store, once it is in force. */
static void accept_change(const struct control *control, struct evhttp_request *request,
                          const struct resource_kind *kind, const struct resource_name *name, const json_t *body) {
  struct deferred *deferred = control->rollout ? defer(control, request) : NULL;
  if (deferred)
    rollout_change(control->rollout, kind, name, body, on_rolled_out, deferred);
  else if (!control->rollout)
    reply(request, STATUS_OK, json_object());
}

static void put(struct control *control, struct evhttp_request *request, const struct resource_kind *kind,
                const struct resource_name *name) {
  _cleanup_problem_ struct problem problem = {0};
  json_t *body = read_body(request, &problem);
  int r = body ? resource_put(control->mesh, kind, name, body, &problem) : -EINVAL;
  if (r == 0)
    accept_change(control, request, kind, name, body);
  else
    reply_error(request, put_status(r), problem.text.length ? strbuf_text(&problem.text) : strerror(-r),
                strbuf_text(&problem.pointer));
  json_decref(body);
}

static void act(struct control *control, struct evhttp_request *request, const struct resource_kind *kind,
                const struct resource_name *name) {
  const struct table_entry *entry;
  switch (evhttp_request_get_command(request)) {
  case EVHTTP_REQ_PUT:
    put(control, request, kind, name);
    break;
  case EVHTTP_REQ_GET:
    entry = table_find(kind->table(control->mesh), name->key);
    if (entry)
      reply(request, STATUS_OK, json_incref(entry->body));
    else
      reply_error(request, STATUS_NOT_FOUND, "there is no such object", "");
    break;
  case EVHTTP_REQ_DELETE:
    if (resource_remove(control->mesh, kind, name))
      accept_change(control, request, kind, name, NULL);
    else
      reply_error(request, STATUS_NOT_FOUND, "there is no such object", "");
    break;
  default:
    reply_error(request, STATUS_METHOD_NOT_ALLOWED, "GET, PUT and DELETE are known here", "");
  }
}

static json_t *ready_body(const struct mesh *mesh) {
  json_t *faults = json_array();
  for (unsigned i = 0; i < FAULT_COUNT; i++)
    if (fault_on(mesh->faults, (enum fault)i))
      json_array_append_new(faults, json_string(fault_name((enum fault)i)));
  return json_pack("{s:s,s:o,s:s}", "version", TRAMMEL_VERSION, "faults", faults, "trustDomain",
                   authority_trust_domain(mesh->authority));
}

static bool is_status_page(const struct mesh *mesh, const char *path, struct evhttp_request *request) {
  if (strcmp(path, "/v1/ready") != 0)
    return false;
  if (evhttp_request_get_command(request) != EVHTTP_REQ_GET)
    reply_error(request, STATUS_METHOD_NOT_ALLOWED, "only GET is known here", "");
  else
    reply(request, STATUS_OK, ready_body(mesh));
  return true;
}

/* Answers what is asked of the aggregated API. */
static void answer_metrics(const struct mesh *mesh, char *path, const char *query, struct evhttp_request *request) {
  bool get = evhttp_request_get_command(request) == EVHTTP_REQ_GET;
  int status = STATUS_OK;
  json_t *body = smi_metrics_answer(mesh, get, path, query, &status);
  reply(request, status, body);
}

static void on_gathered(void *context, const char *problem) {
  struct deferred *deferred = context;
  struct evhttp_request *request = resume(deferred);
  if (request && problem)
    reply_error(request, STATUS_FAILED_DEPENDENCY, problem, "");
  else if (request)
    answer_metrics(deferred->control->mesh, deferred->path, deferred->query, request);
  deferred_free(deferred);
}

/* The same of a control plane, which first asks the sidecars. */
static void gather_metrics(const struct control *control, const char *path, const char *query,
                           struct evhttp_request *request) {
  struct deferred *deferred = defer(control, request);
  if (!deferred)
    return;
  deferred->path = strdup(path);
  deferred->query = query ? strdup(query) : NULL;
  if (deferred->path && (!query || deferred->query))
    rollout_gather(control->rollout, on_gathered, deferred);
  else
    on_gathered(deferred, "no memory");
}

static void answer_sidecar(const struct control *control, const char *path, struct evhttp_request *request) {
  _cleanup_problem_ struct problem problem = {0};
  enum evhttp_cmd_type command = evhttp_request_get_command(request);
  json_t *body = command == EVHTTP_REQ_PUT ? read_body(request, &problem) : NULL;
  json_t *answer = NULL;
  int status = sidecar_answer(control->mesh, command, path, body, &answer);
  json_decref(body);
  reply(request, status, answer);
}

/* Splits "/v1/kind/ns[/name]" in place. NULL when it names nothing. */
static const struct resource_kind *parse_path(char *path, struct resource_name *ret_name) {
  char *rest = NULL;
  if (strncmp(path, "/v1/", 4) != 0)
    return NULL;
  const char *kind_path = strtok_r(path + 4, "/", &rest);
  const struct resource_kind *kind = kind_path ? resource_kind_find(kind_path) : NULL;
  if (!kind)
    return NULL;
  ret_name->namespace = strtok_r(NULL, "/", &rest);
  ret_name->name = kind->named ? strtok_r(NULL, "/", &rest) : NULL;
  if (!ret_name->namespace || !name_is_valid(ret_name->namespace, LIMIT_NAMESPACE) || strtok_r(NULL, "/", &rest) ||
      (kind->named && (!ret_name->name || !name_is_valid(ret_name->name, LIMIT_NAME))))
    return NULL;
  if (kind->named)
    store_key(ret_name->key, ret_name->namespace, ret_name->name);
  else
    (void)snprintf(ret_name->key, sizeof ret_name->key, "%s", ret_name->namespace);
  return kind;
}

static void on_request(struct evhttp_request *request, void *context) {
  struct control *control = context;
  const char *uri_path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
  _cleanup_free_ char *path = strdup(uri_path ? uri_path : "");
  struct resource_name name = {0};
  if (!path) {
    reply(request, STATUS_INTERNAL, NULL);
    return;
  }
  if (is_status_page(control->mesh, path, request))
    return;
  if (control->mesh->role == MESH_SIDECAR && sidecar_owns(path)) {
    answer_sidecar(control, path, request);
    return;
  }
  if (smi_metrics_owns(path)) {
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
    if (control->rollout)
      gather_metrics(control, path, query, request);
    else
      answer_metrics(control->mesh, path, query, request);
    return;
  }
  const struct resource_kind *kind = parse_path(path, &name);
  if (kind)
    act(control, request, kind, &name);
  else
    reply_error(request, STATUS_NOT_FOUND,
                "expected /v1/ready, /v1/{workloads,services,permissions,splits}/{ns}/{name} or "
                "/v1/enforcement/{ns}, with names of letters, digits, '-', '.' and '_'",
                "");
}

int control_create(struct mesh *mesh, const char *address, unsigned short port, struct control **ret_control,
                   struct error **err) {
  _cleanup_(control_destroy_p) struct control *control = calloc(1, sizeof *control);
  if (!control || !(control->http = evhttp_new(mesh->base)))
    return error_set(err, ENOMEM, "no memory for the control API");
  control->mesh = mesh;
  int r = mesh->role == MESH_CONTROL ? rollout_create(mesh, &control->rollout, err) : 0;
  if (r < 0)
    return r;
  evhttp_set_allowed_methods(control->http,
                             EVHTTP_REQ_GET | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_POST | EVHTTP_REQ_PATCH);
  evhttp_set_max_body_size(control->http, LIMIT_CONTROL_BODY);
  evhttp_set_max_headers_size(control->http, LIMIT_CONTROL_HEAD);
  evhttp_set_timeout(control->http, CONTROL_TIMEOUT_S);
  evhttp_set_gencb(control->http, on_request, control);
  errno = 0;
  if (evhttp_bind_socket(control->http, address, port) < 0)
    return error_set(err, errno ? errno : EIO, "the control API can't listen on %s:%u: %s", address, port,
                     strerror(errno));
  *ret_control = take(control);
  return 0;
}

void control_destroy(struct control *control) {
  if (!control)
    return;
  if (control->http)
    evhttp_free(control->http);
  rollout_destroy(control->rollout);
  free(control);
}
