/* Metrics, as the mesh's own SMI metrics API serves them. */
#include <errno.h>
#include <string.h>

#include "plugins/reference/reference.h"
#include "sdk/smi/metrics.h"

#define API_PATH "/apis/" SMI_METRICS_API_VERSION

/* The kinds that the mesh counts, and how the API's paths call them. */
static const struct kind {
  const char *name;
  const char *plural;
  bool namespaced;
} kinds[] = {
    {"Pod", "pods", true},         {"Deployment", "deployments", true},     {"Namespace", "namespaces", false},
    {"Service", "services", true}, {"TrafficSplit", "trafficsplits", true},
};

static const struct kind *find_kind(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(kinds[i].name, name) == 0)
      return &kinds[i];
  return NULL;
}

/* "?labelSelector=app%3Dweb%2Ctier%3Dfront"; "" without labels. */
static const char *selector_query(struct call *call, const struct metrics_request *request) {
  const char *query = "";
  for (size_t i = 0; query && i < request->selector_count; i++)
    query = arena_printf(call_arena(call), "%s%s%s%%3D%s", query,
                         i ? "%2C" : "?labelSelector=", path_segment(call, request->selector[i].name),
                         path_segment(call, request->selector[i].value));
  return query;
}

static const char *request_path(struct call *call, const struct kind *kind, const struct metrics_request *request) {
  const struct metrics_resource *resource = &request->resource;
  const char *query = selector_query(call, request);
  bool within = kind->namespaced && *resource->ns;
  if (!query)
    return NULL;
  return arena_printf(call_arena(call), API_PATH "%s%s/%s%s%s%s%s", within ? "/namespaces/" : "",
                      within ? path_segment(call, resource->ns) : "", kind->plural, *resource->name ? "/" : "",
                      path_segment(call, resource->name), request->edges ? "/edges" : "", query);
}

static struct metrics_resource resource_of(const struct smi_metrics_resource *from) {
  return (struct metrics_resource){.kind = from->kind, .ns = from->ns, .name = from->name};
}

static void add_item(struct metrics *metrics, const struct metrics_request *request,
                     const struct smi_metrics_item *from) {
  struct metrics_item item = {.resource = resource_of(&from->resource),
                              .success_count = from->success_count,
                              .failure_count = from->failure_count,
                              .p50_ns = from->p50_ns,
                              .p90_ns = from->p90_ns,
                              .p99_ns = from->p99_ns};
  if (request->edges) {
    item.peer = resource_of(&from->peer);
    item.direction = from->direction == SMI_EDGE_TO ? EDGE_TO : EDGE_FROM;
    item.side = from->side == SMI_SIDE_CLIENT ? EDGE_CLIENT : EDGE_SERVER;
  }
  if (from->has_backend)
    item.backend = (struct metrics_backend){
        .apex = from->backend.apex, .name = from->backend.name, .weight = from->backend.weight};
  metrics_add(metrics, &item);
}

/* What is no answer that SMI describes has no items: the host sees it in the document. */
static int add_items(struct call *call, const struct metrics_request *request, const char *path,
                     const struct call_http_answer *answer, struct metrics *metrics) {
  _cleanup_error_ struct error *err = NULL;
  struct smi_metrics read;
  if (answer->status != 200)
    return TRAMMEL_OK;
  int r = smi_metrics_read(call_arena(call), answer->body, answer->body_length, &read, &err);
  if (r == -ENOMEM)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (r < 0) {
    call_diagnose(call, &(struct finding){.severity = TRAMMEL_ERROR, .code = CODE_MESH_ANSWER},
                  "the answer to GET %s is not as SMI has it: %s", path, error_message(err));
    return TRAMMEL_OK;
  }
  int64_t window_ms = 0;
  for (size_t i = 0; i < read.count; i++) {
    add_item(metrics, request, &read.items[i]);
    window_ms = read.items[i].window_ns / 1000000;
  }
  metrics_window(metrics, window_ms < UINT32_MAX ? (uint32_t)window_ms : UINT32_MAX);
  return TRAMMEL_OK;
}

int reference_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics) {
  const struct kind *kind = find_kind(request->resource.kind);
  if (!kind)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_METRICS_KIND, "the reference mesh counts nothing for a %.80s",
                     request->resource.kind);
  if (request->edges && !*request->resource.name)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, CODE_METRICS_KIND, "edges are those of one resource: name it");
  const char *path = request_path(call, kind, request);
  if (!path)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  struct call_http_answer answer;
  int status = call_http(call, &(struct call_http){.endpoint = CONTROL_ENDPOINT, .path = path}, &answer);
  if (status != TRAMMEL_OK)
    return status;
  metrics_document(metrics, answer.status, answer.body, answer.body_length);
  return add_items(call, request, path, &answer, metrics);
}
