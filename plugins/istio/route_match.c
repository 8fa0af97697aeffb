#include "plugins/istio/route_match.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "plugins/istio/codes.h"
#include "plugins/istio/match.h"

/* A StringMatch of Istio's; its regex matches the whole string (RE2). An empty one would be taken for presence alone.
 */
static json_t *string_match(const struct pattern *pattern) {
  const bool literal = pattern->literal && pattern->literal[0] != '\0';
  if (literal && pattern->kind == PATTERN_EXACT)
    return json_pack("{s:s}", "exact", pattern->literal);
  if (literal && pattern->kind == PATTERN_PREFIX)
    return json_pack("{s:s}", "prefix", pattern->literal);
  return json_pack("{s:s}", "regex", pattern->regex);
}

/* Methods are tokens of HTTP, some of whose characters are special in a regex. */
static const char *methods_regex(struct call *call, const struct smi_http_match *match) {
  size_t length = 1;
  for (size_t i = 0; i < match->method_count; i++)
    length += 2 * strlen(match->methods[i]) + 1;
  char *text = arena_alloc(call_arena(call), length), *end = text;
  for (size_t i = 0; text && i < match->method_count; i++) {
    if (i > 0)
      *end++ = '|';
    for (const char *at = match->methods[i]; *at; at++) {
      if (!isalnum((unsigned char)*at) && *at != '_')
        *end++ = '\\';
      *end++ = *at;
    }
  }
  if (!text)
    call_out_of_memory(call);
  return text ? text : "";
}

static bool any_method(const struct smi_http_match *match) {
  for (size_t i = 0; i < match->method_count; i++)
    if (strcmp(match->methods[i], "*") == 0)
      return true;
  return match->method_count == 0;
}

static json_t *method_match(struct call *call, const struct smi_http_match *match) {
  if (match->method_count == 1)
    return json_pack("{s:s}", "exact", match->methods[0]);
  return json_pack("{s:s}", "regex", methods_regex(call, match));
}

/* Header names that a VirtualService ignores, which would split more than was meant, and names that it can hold once
 * only. */
static const char *header_fault(struct call *call, const struct smi_http_match *match) {
  static const char *const ignored[] = {"uri", "scheme", "method", "authority"};
  for (size_t i = 0; i < match->header_count; i++) {
    const char *name = match->headers[i].name;
    for (size_t j = 0; j < sizeof ignored / sizeof *ignored; j++)
      if (strcasecmp(name, ignored[j]) == 0)
        return arena_printf(call_arena(call), "a VirtualService ignores a header called %s", name);
    for (size_t j = 0; j < i; j++)
      if (strcasecmp(name, match->headers[j].name) == 0)
        return arena_printf(call_arena(call), "a VirtualService holds one condition on header %s, not two", name);
  }
  return NULL;
}

/* What a match comes to. */
enum outcome { OUTCOME_MADE = 1, OUTCOME_VOID, OUTCOME_NO_REGEX, OUTCOME_NO_MEMORY };

static enum outcome outcome_of(int error) {
  return error == -ENOMEM ? OUTCOME_NO_MEMORY : OUTCOME_NO_REGEX;
}

static enum outcome add_headers(struct call *call, const struct smi_http_match *match, json_t *into,
                                struct error **err) {
  json_auto_t *headers = json_object();
  for (size_t i = 0; i < match->header_count; i++) {
    struct pattern pattern;
    const char *name = match_header_name(call, match->headers[i].name);
    const bool host = name[0] == ':';
    int r = pattern_header(call_arena(call), match->headers[i].regex, &pattern, err);
    if (r < 0)
      return outcome_of(r);
    if (json_object_set_new(host ? into : headers, host ? "authority" : name, string_match(&pattern)) < 0)
      return OUTCOME_NO_MEMORY;
  }
  if (json_object_size(headers) && json_object_set(into, "headers", headers) < 0)
    return OUTCOME_NO_MEMORY;
  return headers ? OUTCOME_MADE : OUTCOME_NO_MEMORY;
}

static enum outcome build(struct call *call, const struct smi_http_match *match, json_t *into, struct error **err) {
  struct pattern path;
  int r = pattern_path(call_arena(call), match->path_regex, &path, err);
  if (r < 0)
    return outcome_of(r);
  if (match->path_regex && path.kind != PATTERN_ANY && json_object_set_new(into, "uri", string_match(&path)) < 0)
    return OUTCOME_NO_MEMORY;
  if (!any_method(match) && json_object_set_new(into, "method", method_match(call, match)) < 0)
    return OUTCOME_NO_MEMORY;
  enum outcome outcome = add_headers(call, match, into, err);
  return outcome == OUTCOME_MADE && path.kind == PATTERN_NEVER ? OUTCOME_VOID : outcome;
}

static bool left_out(struct coverage_list *coverage, const struct smi_http_route_group *group, size_t index,
                     const char *code, const char *reason, const char *remedy) {
  coverage_add(coverage,
               &(struct coverage){.resource = &group->meta,
                                  .level = COVERAGE_UNSUPPORTED,
                                  .code = code,
                                  .reason = reason ? reason : "out of memory",
                                  .remedy = remedy},
               "/spec/matches/%zu", index);
  return false;
}

bool route_match_append(struct coverage_list *coverage, const struct smi_http_route_group *group, size_t index,
                        json_t *matches) {
  _cleanup_error_ struct error *err = NULL;
  struct call *call = coverage->call;
  const struct smi_http_match *match = &group->matches[index];
  const char *fault = header_fault(call, match);
  if (fault)
    return left_out(coverage, group, index, CODE_ROUTE_MATCH, fault, "match by another header");
  json_auto_t *made = json_object();
  enum outcome outcome = made ? build(call, match, made, &err) : OUTCOME_NO_MEMORY;
  if (outcome == OUTCOME_NO_REGEX)
    return left_out(coverage, group, index, CODE_REGEX, arena_printf(call_arena(call), "%s", error_message(err)),
                    "use the common subset of RE2 and Rust's regex");
  if (outcome == OUTCOME_NO_MEMORY || (outcome == OUTCOME_MADE && json_array_append(matches, made) < 0))
    call_out_of_memory(call);
  coverage_add(coverage, &(struct coverage){.resource = &group->meta, .level = COVERAGE_EXACT}, "/spec/matches/%zu",
               index);
  return true;
}
