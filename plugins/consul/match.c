#include "plugins/consul/match.h"

#include <string.h>

#include "plugins/consul/consul.h"
#include "sdk/smi/regex.h"

static const char *regex_fault(struct call *call, const char *what, const char *regex) {
  _cleanup_error_ struct error *err = NULL;
  if (!regex || regex_check(regex, &err) == 0)
    return NULL;
  const char *text = arena_printf(call_arena(call), "%s: %s", what, error_message(err));
  return text ? text : "a regular expression outside the dialect";
}

/* Consul, "service-intentions configuration entry": the names must be valid methods. */
static const char *const known_methods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                            "CONNECT", "OPTIONS", "TRACE", "PATCH"};

static bool is_known_method(const char *method) {
  for (size_t i = 0; i < sizeof known_methods / sizeof *known_methods; i++)
    if (strcmp(known_methods[i], method) == 0)
      return true;
  return false;
}

static bool any_method(const struct smi_http_match *match) {
  for (size_t i = 0; i < match->method_count; i++)
    if (strcmp(match->methods[i], "*") == 0)
      return true;
  return match->method_count == 0;
}

static struct verdict judge(struct call *call, const struct smi_http_match *match) {
  static const char remedy[] = "use the common subset of RE2 and Rust's regex";
  const char *fault = regex_fault(call, "pathRegex", match->path_regex);
  for (size_t i = 0; !fault && i < match->header_count; i++)
    fault = regex_fault(call, "header", match->headers[i].regex);
  if (fault)
    return (struct verdict){COVERAGE_UNSUPPORTED, CODE_REGEX, fault, remedy};
  for (size_t i = 0; !any_method(match) && i < match->method_count; i++)
    if (!is_known_method(match->methods[i]))
      return (struct verdict){COVERAGE_UNSUPPORTED, CODE_METHOD,
                              arena_printf(call_arena(call),
                                           "Consul takes only the methods of HTTP, and %.64s is none of them",
                                           match->methods[i]),
                              "allow any method (*) on its path, or take the method out"};
  return VERDICT_EXACT;
}

/* What can be said without a regular expression is. Consul refuses a prefix or path that does not begin with '/'. */
static int set_path(struct call *call, const char *regex, json_t *criteria) {
  struct regex_analysis analysis;
  if (regex_analyse_path(call_arena(call), regex, &analysis, NULL) < 0)
    return -1;
  bool plain = analysis.literal && analysis.literal[0] == '/';
  if (analysis.kind == REGEX_ANYTHING)
    return 0;
  if (analysis.kind == REGEX_EXACT && plain)
    return json_object_set_new(criteria, "pathExact", json_string(analysis.literal));
  if (analysis.kind == REGEX_LITERAL_PREFIX && plain)
    return json_object_set_new(criteria, "pathPrefix", json_string(analysis.literal));
  const char *full = regex_full_path(call_arena(call), regex);
  return full ? json_object_set_new(criteria, "pathRegex", json_string(full)) : -1;
}

static bool is_repeated(const struct smi_http_match *match, size_t index) {
  for (size_t i = 0; i < index; i++)
    if (strcmp(match->methods[i], match->methods[index]) == 0)
      return true;
  return false;
}

/* Consul refuses a method that is there twice. */
static int set_methods(const struct smi_http_match *match, json_t *criteria) {
  if (any_method(match))
    return 0;
  json_t *methods = json_array();
  int failed = json_object_set_new(criteria, "methods", methods);
  for (size_t i = 0; !failed && i < match->method_count; i++)
    if (!is_repeated(match, i))
      failed = json_array_append_new(methods, json_string(match->methods[i]));
  return failed;
}

static int set_headers(struct call *call, const struct smi_http_match *match, json_t *criteria) {
  if (match->header_count == 0)
    return 0;
  json_t *headers = json_array();
  int failed = json_object_set_new(criteria, "header", headers);
  for (size_t i = 0; !failed && i < match->header_count; i++) {
    const char *full = regex_full_header(call_arena(call), match->headers[i].regex);
    failed = !full ||
             json_array_append_new(headers, json_pack("{s:s, s:s}", "name", match->headers[i].name, "regex", full)) < 0;
  }
  return failed;
}

json_t *match_criteria(struct call *call, const struct smi_http_match *match, struct verdict *ret_verdict) {
  *ret_verdict = judge(call, match);
  if (ret_verdict->level != COVERAGE_EXACT)
    return NULL;
  json_t *criteria = json_object();
  int failed =
      set_path(call, match->path_regex, criteria) | set_methods(match, criteria) | set_headers(call, match, criteria);
  if (!failed && json_object_size(criteria) == 0) /* Consul refuses a permission that says nothing */
    failed = json_object_set_new(criteria, "pathPrefix", json_string("/"));
  if (!failed)
    return criteria;
  json_decref(criteria);
  call_out_of_memory(call);
  return NULL;
}
