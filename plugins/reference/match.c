#include "plugins/reference/match.h"

#include <string.h>

#include "plugins/reference/reference.h"
#include "sdk/smi/regex.h"

static const char *regex_fault(struct call *call, const char *what, const char *regex) {
  _cleanup_error_ struct error *err = NULL;
  if (!regex || regex_check(regex, &err) == 0)
    return NULL;
  const char *text = arena_printf(call_arena(call), "%s: %s", what, error_message(err));
  return text ? text : "a regular expression outside the dialect";
}

static const char *match_fault(struct call *call, const struct smi_http_match *match) {
  const char *fault = regex_fault(call, "pathRegex", match->path_regex);
  for (size_t i = 0; !fault && i < match->header_count; i++)
    fault = regex_fault(call, "header", match->headers[i].regex);
  return fault;
}

static bool any_method(const struct smi_http_match *match) {
  for (size_t i = 0; i < match->method_count; i++)
    if (strcmp(match->methods[i], "*") == 0)
      return true;
  return match->method_count == 0;
}

static json_t *methods_json(const struct smi_http_match *match) {
  json_t *methods = json_array();
  for (size_t i = 0; methods && i < match->method_count; i++)
    if (json_array_append_new(methods, json_string(match->methods[i])) < 0) {
      json_decref(methods);
      return NULL;
    }
  return methods;
}

static json_t *headers_json(const struct smi_http_match *match) {
  json_t *headers = json_array();
  for (size_t i = 0; headers && i < match->header_count; i++) {
    json_t *header = json_pack("{s:s, s:s}", "name", match->headers[i].name, "regex", match->headers[i].regex);
    if (json_array_append_new(headers, header) < 0) {
      json_decref(headers);
      return NULL;
    }
  }
  return headers;
}

/* NULL without memory: a match that lost a member would match more. */
static json_t *match_json(const struct smi_http_match *match) {
  json_t *object = json_object();
  int failed = 0;
  if (match->path_regex)
    failed |= json_object_set_new(object, "path", json_string(match->path_regex));
  if (!any_method(match))
    failed |= json_object_set_new(object, "methods", methods_json(match));
  if (match->header_count)
    failed |= json_object_set_new(object, "headers", headers_json(match));
  if (!failed)
    return object;
  json_decref(object);
  return NULL;
}

void match_append(struct coverage_list *coverage, const struct smi_http_route_group *group, size_t index,
                  json_t *matches) {
  const struct smi_http_match *match = &group->matches[index];
  const char *fault = match_fault(coverage->call, match);
  struct coverage item = {.resource = &group->meta, .level = COVERAGE_EXACT};
  if (fault)
    item = (struct coverage){.resource = &group->meta,
                             .level = COVERAGE_UNSUPPORTED,
                             .code = CODE_REGEX,
                             .reason = fault,
                             .remedy = "use the common subset of RE2 and Rust's regex"};
  else if (json_array_append_new(matches, match_json(match)) < 0)
    call_out_of_memory(coverage->call);
  coverage_add(coverage, &item, "/spec/matches/%zu", index);
}
