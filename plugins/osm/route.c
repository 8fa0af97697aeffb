#include "plugins/osm/route.h"

#include <string.h>
#include <strings.h>

#include "plugins/osm/codes.h"

#define ANYTHING ".*"

/* What OSM's CustomResourceDefinition of HTTPRouteGroups takes, but for "*". */
static const char *const methods[] = {"GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

static bool any_method(const struct smi_http_match *match) {
  for (size_t i = 0; i < match->method_count; i++)
    if (strcmp(match->methods[i], "*") == 0)
      return true;
  return match->method_count == 0;
}

static bool is_known(const char *method) {
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (strcmp(methods[i], method) == 0)
      return true;
  return false;
}

static size_t count_known(const struct smi_http_match *match) {
  size_t count = 0;
  for (size_t i = 0; i < match->method_count; i++)
    count += is_known(match->methods[i]);
  return count;
}

/* Headers are a map in OSM: of two with one name the last one counts, and the request would be let through without the
 * other. */
static const struct smi_header *twice(const struct smi_http_match *match) {
  for (size_t i = 0; i < match->header_count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcasecmp(match->headers[i].name, match->headers[j].name) == 0)
        return &match->headers[i];
  return NULL;
}

static const char *regex_fault(struct call *call, const char *what, const char *regex) {
  _cleanup_error_ struct error *err = NULL;
  if (!regex || regex_check(regex, &err) == 0)
    return NULL;
  const char *text = arena_printf(call_arena(call), "%s: %s", what, error_message(err));
  return text ? text : "a regular expression outside the dialect";
}

static const char *dialect_fault(struct call *call, const struct smi_http_match *match) {
  const char *fault = regex_fault(call, "pathRegex", match->path_regex);
  for (size_t i = 0; !fault && i < match->header_count; i++)
    fault = regex_fault(call, "header", match->headers[i].regex);
  return fault;
}

static void cover(struct coverage_list *coverage, struct kube_match *match, enum coverage_level level, const char *code,
                  const char *reason, const char *remedy) {
  match->level = level;
  coverage_add(coverage,
               &(struct coverage){.resource = &match->group->meta,
                                  .level = level,
                                  .code = code,
                                  .reason = reason ? reason : "out of memory",
                                  .remedy = remedy},
               "/spec/matches/%zu", match->index);
}

static bool is_carried(struct coverage_list *coverage, struct kube_match *kube, const struct smi_http_match *match) {
  struct call *call = coverage->call;
  const char *fault = dialect_fault(call, match);
  const struct smi_header *header = twice(match);
  const size_t known = any_method(match) ? match->method_count : count_known(match);
  if (fault)
    cover(coverage, kube, COVERAGE_UNSUPPORTED, CODE_REGEX, fault, "use the common subset of RE2 and Rust's regex");
  else if (header)
    cover(coverage, kube, COVERAGE_UNSUPPORTED, CODE_HEADER,
          arena_printf(call_arena(call), "header %s has two expressions, of which OSM would take the last alone",
                       header->name),
          "say both in one expression");
  else if (match->method_count && known == 0)
    cover(coverage, kube, COVERAGE_UNSUPPORTED, CODE_METHOD, "OSM takes none of its methods", "use methods of HTTP");
  else if (known < match->method_count)
    cover(coverage, kube, COVERAGE_APPROXIMATED, CODE_METHOD, "methods that OSM does not take are left out",
          "use methods of HTTP");
  return kube->level != COVERAGE_UNSUPPORTED;
}

static json_t *methods_json(const struct smi_http_match *match) {
  if (!match || any_method(match))
    return json_pack("[s]", "*");
  json_t *list = json_array();
  for (size_t i = 0; list && i < match->method_count; i++)
    if (is_known(match->methods[i]) && json_array_append_new(list, json_string(match->methods[i])) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

/* In lower case, as proxies compare them: OSM's own look-up of `host` does not. */
static const char *lower(struct call *call, const char *name) {
  char *copy = arena_strdup(call_arena(call), name);
  for (char *c = copy; c && *c; c++)
    if (*c >= 'A' && *c <= 'Z')
      *c = (char)(*c - 'A' + 'a');
  return copy;
}

static json_t *headers_json(struct call *call, const struct smi_http_match *match) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < match->header_count; i++) {
    const char *name = lower(call, match->headers[i].name),
               *regex = regex_full_header(call_arena(call), match->headers[i].regex);
    json_t *header = name && regex ? json_pack("{s:s}", name, regex) : NULL;
    if (json_array_append_new(list, header) < 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

/* OSM's proxies want the expression to match the whole path. */
static const char *path_of(struct call *call, const struct route *route) {
  if (!route->match || route->path.kind == REGEX_ANYTHING)
    return ANYTHING;
  return regex_full_path(call_arena(call), route->match->path_regex);
}

json_t *route_json(struct call *call, const struct route *route, const char *name) {
  const char *path = path_of(call, route);
  json_t *json =
      path ? json_pack("{s:s, s:s, s:o}", "name", name, "pathRegex", path, "methods", methods_json(route->match))
           : NULL;
  if (json && route->match && route->match->header_count &&
      json_object_set_new(json, "headers", headers_json(call, route->match)) < 0) {
    json_decref(json);
    return NULL;
  }
  return json;
}

static const char *key_of(struct call *call, const struct route *route) {
  json_t *json = route_json(call, route, "");
  const char *key = call_json_text(call, json);
  json_decref(json);
  return key ? key : "";
}

bool route_read(struct coverage_list *coverage, struct kube_match *kube, struct route *ret_route) {
  struct call *call = coverage->call;
  const struct smi_http_match *match = &kube->group->matches[kube->index];
  struct route route = {.match = match};
  if (!is_carried(coverage, kube, match))
    return false;
  if (regex_analyse_path(call_arena(call), match->path_regex, &route.path, NULL) < 0) {
    call_out_of_memory(call);
    return false;
  }
  route.key = key_of(call, &route);
  *ret_route = route;
  return true;
}

struct route route_of_anything(struct call *call) {
  struct route route = {.path.kind = REGEX_ANYTHING};
  route.key = key_of(call, &route);
  return route;
}

static bool share_method(const struct smi_http_match *a, const struct smi_http_match *b) {
  if (any_method(a) || any_method(b))
    return true;
  for (size_t i = 0; i < a->method_count; i++)
    for (size_t j = 0; j < b->method_count; j++)
      if (strcmp(a->methods[i], b->methods[j]) == 0)
        return true;
  return false;
}

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

static bool share_path(const struct regex_analysis *a, const struct regex_analysis *b) {
  if (!a->literal || !b->literal)
    return true;
  const bool a_exact = a->kind == REGEX_EXACT, b_exact = b->kind == REGEX_EXACT;
  if (a_exact && b_exact)
    return strcmp(a->literal, b->literal) == 0;
  return (!a_exact && begins(b->literal, a->literal)) || (!b_exact && begins(a->literal, b->literal));
}

bool routes_overlap(const struct route *a, const struct route *b) {
  if (!a->match || !b->match)
    return true;
  return share_method(a->match, b->match) && share_path(&a->path, &b->path);
}
