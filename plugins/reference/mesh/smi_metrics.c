#include "plugins/reference/mesh/smi_metrics.h"

#include <errno.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <sys/queue.h>

#include "plugins/reference/mesh/declare.h"
#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/smi_document.h"

enum {
  STATUS_OK = 200,
  STATUS_BAD_REQUEST = 400,
  STATUS_NOT_FOUND = 404,
  STATUS_METHOD_NOT_ALLOWED = 405,
  SEGMENTS = 5, /* of the longest path: namespaces/NS/pods/NAME/edges */
};

#define PREFIX "/apis/"

bool smi_metrics_owns(const char *path) {
  return strncmp(path, PREFIX, strlen(PREFIX)) == 0;
}

static const char *reason_of(int status) {
  switch (status) {
  case STATUS_BAD_REQUEST:
    return "BadRequest";
  case STATUS_METHOD_NOT_ALLOWED:
    return "MethodNotAllowed";
  default:
    return "NotFound";
  }
}

/* A Status object, as Kubernetes answers errors. */
static json_t *refuse(int status, const char *message, int *ret_status) {
  *ret_status = status;
  return json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s, s:i}", "kind", "Status", "apiVersion", "v1", "metadata", "status",
                   "Failure", "message", message, "reason", reason_of(status), "code", status);
}

/* ---- which resources there are */

static json_t *resource_entry(const struct measured_kind *kind, bool edges) {
  return json_pack("{s:o, s:s, s:b, s:s, s:o}", "name", json_sprintf("%s%s", kind->plural, edges ? "/edges" : ""),
                   "singularName", "", "namespaced", kind->namespaced, "kind", "TrafficMetrics", "verbs",
                   edges ? json_pack("[s]", "get") : json_pack("[s, s]", "get", "list"));
}

static json_t *resource_list(void) {
  json_t *list = json_array();
  int failed = list ? 0 : -1;
  for (size_t i = 0; i < MEASURED_KINDS && !failed; i++)
    failed = json_array_append_new(list, resource_entry(&measured_kinds[i], false)) < 0 ||
             json_array_append_new(list, resource_entry(&measured_kinds[i], true)) < 0;
  json_t *answer = failed ? NULL
                          : json_pack("{s:s, s:s, s:s, s:O}", "kind", "APIResourceList", "apiVersion", "v1",
                                      "groupVersion", METRICS_API_VERSION, "resources", list);
  json_decref(list);
  return answer;
}

/* ---- what is asked for */

static bool find_kind(const char *plural, enum measured *ret_kind) {
  for (enum measured kind = MEASURED_POD; kind < MEASURED_KINDS; kind++) {
    if (strcmp(measured_kinds[kind].plural, plural) != 0)
      continue;
    *ret_kind = kind;
    return true;
  }
  return false;
}

/* Splits what follows the version, in place. SEGMENTS + 1 for more than there can be. */
static size_t split_path(char *text, const char *segments[static SEGMENTS]) {
  size_t count = 0;
  for (char *rest = text, *segment = strsep(&rest, "/"); segment; segment = strsep(&rest, "/")) {
    if (count == SEGMENTS)
      return SEGMENTS + 1;
    segments[count++] = segment;
  }
  if (count > 0 && !*segments[count - 1])
    count--; /* a slash at the end says nothing */
  return count;
}

/* [namespaces/NS/]KIND[/NAME[/edges]], where "namespaces" is a kind as well. */
static bool parse_path(const char *const *segments, size_t count, struct metrics_query *query) {
  enum measured kind;
  bool within = count >= 3 && strcmp(segments[0], "namespaces") == 0 && find_kind(segments[2], &kind);
  query->resource = (struct workload_name){within ? segments[1] : "", ""};
  segments += within ? 2 : 0;
  count -= within ? 2 : 0;
  if (count == 0 || count > 3 || !find_kind(segments[0], &query->kind))
    return false;
  bool namespaced = measured_kinds[query->kind].namespaced;
  if (within && (!namespaced || !name_is_valid(query->resource.namespace, LIMIT_NAMESPACE)))
    return false;
  if (count == 1)
    return true;
  query->resource.name = segments[1];
  query->edges = count == 3;
  return within == namespaced && name_is_valid(segments[1], LIMIT_NAME) &&
         (!query->edges || strcmp(segments[2], "edges") == 0);
}

/* A parameter that is not understood would be passed over unseen: it is refused. */
static int read_parameters(const struct evkeyvalq *parameters, struct metrics_query *query, struct error **err) {
  const struct evkeyval *parameter;
  TAILQ_FOREACH(parameter, parameters, next) {
    if (strcmp(parameter->key, "labelSelector") != 0 || query->selected)
      return error_set(err, EINVAL, "labelSelector, once, is the only parameter that is known here");
    int r = selector_parse(parameter->value, &query->selector, err);
    if (r < 0)
      return r;
    query->selected = true;
  }
  if (query->selected && *query->resource.name && !query->edges)
    return error_set(err, EINVAL, "a selector chooses from a list, and not a resource by its name");
  return 0;
}

static int parse_query(const char *text, struct metrics_query *query, struct error **err) {
  struct evkeyvalq parameters;
  TAILQ_INIT(&parameters);
  if (text && evhttp_parse_query_str(text, &parameters) < 0)
    return error_set(err, EINVAL, "the query is not of the form name=value&...");
  int r = read_parameters(&parameters, query, err);
  evhttp_clear_headers(&parameters);
  return r;
}

/* ---- answers */

static json_t *answer_list(const struct mesh *mesh, const struct metrics_query *query) {
  _cleanup_groups_ struct groups groups = {0};
  if (aggregate_resources(mesh, query->kind, &query->resource, &query->selector, &groups) < 0)
    return NULL;
  return smi_document_list(mesh, query, &groups);
}

static json_t *answer_edges(const struct mesh *mesh, const struct metrics_query *query) {
  _cleanup_groups_ struct groups groups = {0};
  if (aggregate_edges(mesh, query->kind, &query->resource, &query->selector, &groups) < 0)
    return NULL;
  return smi_document_list(mesh, query, &groups);
}

/* A resource by its name: one object, but for a split, which has one for each backend. */
static json_t *answer_named(const struct mesh *mesh, const struct metrics_query *query, int *ret_status) {
  static const struct selector all;
  _cleanup_groups_ struct groups groups = {0};
  if (aggregate_resources(mesh, query->kind, &query->resource, &all, &groups) < 0)
    return NULL;
  if (groups.count == 0)
    return refuse(STATUS_NOT_FOUND, "there is no such resource in the mesh", ret_status);
  if (query->edges)
    return answer_edges(mesh, query);
  return query->kind == MEASURED_SPLIT ? smi_document_list(mesh, query, &groups)
                                       : smi_document_item(mesh, query, groups.items[0]);
}

static json_t *answer(const struct mesh *mesh, struct metrics_query *query, const char *parameters, int *ret_status) {
  _cleanup_error_ struct error *err = NULL;
  int r = parse_query(parameters, query, &err);
  if (r < 0)
    return r == -ENOMEM ? NULL : refuse(STATUS_BAD_REQUEST, error_message(err), ret_status);
  if (*query->resource.name)
    return answer_named(mesh, query, ret_status);
  if (fault_on(mesh->faults, FAULT_METRICS_LIST_MISSING))
    return refuse(STATUS_NOT_FOUND, "the server could not find the requested resource", ret_status);
  return answer_list(mesh, query);
}

json_t *smi_metrics_answer(const struct mesh *mesh, bool get, char *path, const char *query, int *ret_status) {
  static const size_t length = sizeof METRICS_API_PATH - 1;
  const char *segments[SEGMENTS];
  struct metrics_query asked = {0};
  *ret_status = STATUS_OK;
  if (strncmp(path, METRICS_API_PATH, length) != 0 || (path[length] && path[length] != '/'))
    return refuse(STATUS_NOT_FOUND, "of aggregated APIs there is " METRICS_API_VERSION, ret_status);
  size_t count = path[length] ? split_path(path + length + 1, segments) : 0;
  if (count > 0 && (count > SEGMENTS || !parse_path(segments, count, &asked)))
    return refuse(STATUS_NOT_FOUND,
                  "expected {namespaces/{ns}/{pods,deployments,services,trafficsplits},namespaces}[/{name}[/edges]]",
                  ret_status);
  if (!get)
    return refuse(STATUS_METHOD_NOT_ALLOWED, "metrics are only read: GET", ret_status);
  if (count == 0)
    return resource_list();
  json_t *body = answer(mesh, &asked, query, ret_status);
  selector_finish(&asked.selector);
  return body;
}
