#include "plugins/linkerd/http_match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugins/linkerd/codes.h"
#include "sdk/smi/regex.h"

/* The enumeration of the CRDs. */
static const char *const known_methods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                            "CONNECT", "OPTIONS", "TRACE", "PATCH"};

static enum coverage_level unsupported(struct coverage *why, const char *code, const char *reason, const char *remedy) {
  *why = (struct coverage){
      .level = COVERAGE_UNSUPPORTED, .code = code, .reason = reason ? reason : "out of memory", .remedy = remedy};
  return COVERAGE_UNSUPPORTED;
}

static bool is_known_method(const char *method) {
  for (size_t i = 0; i < sizeof known_methods / sizeof *known_methods; i++)
    if (strcmp(method, known_methods[i]) == 0)
      return true;
  return false;
}

static enum coverage_level read_methods(struct call *call, const struct smi_http_match *smi, struct http_match *match,
                                        struct coverage *why) {
  for (size_t i = 0; i < smi->method_count; i++)
    if (strcmp(smi->methods[i], "*") == 0)
      return COVERAGE_EXACT;
  for (size_t i = 0; i < smi->method_count; i++)
    if (!is_known_method(smi->methods[i]))
      return unsupported(why, CODE_MATCH,
                         arena_printf(call_arena(call), "an HTTPRoute cannot name the method %s", smi->methods[i]),
                         "take the method out, or allow every method");
  match->methods = smi->methods;
  match->method_count = smi->method_count;
  return COVERAGE_EXACT;
}

static enum coverage_level wrong_regex(struct call *call, const char *what, int r, const struct error *err,
                                       struct coverage *why) {
  if (r == -ENOMEM)
    call_out_of_memory(call);
  return unsupported(
      why, CODE_REGEX,
      arena_printf(call_arena(call), "%s: %s", what, r == -ENOMEM ? "out of memory" : error_message(err)),
      "write it in what RE2 and Rust's regex both accept");
}

static enum coverage_level read_path(struct call *call, const struct smi_http_match *smi, struct http_match *match,
                                     struct coverage *why) {
  _cleanup_error_ struct error *err = NULL;
  int r = path_read(call_arena(call), smi->path_regex, &match->path, &err);
  if (r < 0)
    return wrong_regex(call, "pathRegex", r, err, why);
  if (match->path.kind != PATH_ANY && !path_regex(call_arena(call), &match->path, NULL, 0))
    return unsupported(why, CODE_MATCH, "an HTTPRoute takes paths of at most 1024 characters", "shorten the pathRegex");
  return COVERAGE_EXACT;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct header_match *)a)->name, ((const struct header_match *)b)->name);
}

static const char *lower(struct arena *arena, const char *text) {
  char *copy = arena_strdup(arena, text);
  for (char *at = copy; at && *at; at++)
    if (*at >= 'A' && *at <= 'Z')
      *at = (char)(*at - 'A' + 'a');
  return copy;
}

static enum coverage_level read_header(struct call *call, const struct smi_header *smi, struct header_match *header,
                                       struct coverage *why) {
  _cleanup_error_ struct error *err = NULL;
  struct regex_analysis analysis;
  int r = regex_analyse_header(call_arena(call), smi->regex, &analysis, &err);
  if (r < 0)
    return wrong_regex(call, "header", r, err, why);
  *header = (struct header_match){.name = lower(call_arena(call), smi->name), .regex = smi->regex};
  if (analysis.kind == REGEX_EXACT)
    header->literal = analysis.literal;
  if (!header->name)
    call_out_of_memory(call);
  if (!header->name || strlen(header->name) > HEADER_NAME_MAX || strlen(header->regex) + 6 > HEADER_VALUE_MAX)
    return unsupported(why, CODE_MATCH, "an HTTPRoute takes header names of 256 and values of 4090 characters",
                       "shorten the header");
  if (strcasecmp(smi->name, "host") == 0)
    return unsupported(why, CODE_MATCH, "between proxies the Host header is no header any more, but the authority",
                       "tell requests apart by another header");
  return COVERAGE_EXACT;
}

/* Sorted; the same condition twice is one. */
static bool settle_headers(struct header_match *headers, size_t *count) {
  size_t kept = 0;
  if (*count > 1)
    qsort(headers, *count, sizeof *headers, by_name);
  for (size_t i = 0; i < *count; i++) {
    bool again = kept > 0 && strcmp(headers[kept - 1].name, headers[i].name) == 0;
    if (again && strcmp(headers[kept - 1].regex, headers[i].regex) != 0)
      return false;
    if (!again)
      headers[kept++] = headers[i];
  }
  *count = kept;
  return true;
}

static enum coverage_level read_headers(struct call *call, const struct smi_http_match *smi, struct http_match *match,
                                        struct coverage *why) {
  struct header_match *headers = arena_array(call_arena(call), smi->header_count, sizeof *headers);
  size_t count = smi->header_count;
  if (!headers) {
    call_out_of_memory(call);
    return unsupported(why, CODE_MATCH, NULL, NULL);
  }
  for (size_t i = 0; i < count; i++)
    if (read_header(call, &smi->headers[i], &headers[i], why) != COVERAGE_EXACT)
      return COVERAGE_UNSUPPORTED;
  if (!settle_headers(headers, &count))
    return unsupported(why, CODE_MATCH, "an HTTPRoute takes one condition for each header",
                       "write one regular expression for the header");
  if (count > HEADERS_MAX)
    return unsupported(why, CODE_MATCH, "an HTTPRoute takes at most 16 headers in a match", "use fewer headers");
  match->headers = headers;
  match->header_count = count;
  return COVERAGE_EXACT;
}

enum coverage_level http_match_read(struct call *call, const struct smi_http_match *smi, struct http_match *ret_match,
                                    struct coverage *ret_why) {
  *ret_match = (struct http_match){0};
  *ret_why = (struct coverage){.level = COVERAGE_EXACT};
  enum coverage_level level = read_path(call, smi, ret_match, ret_why);
  if (level == COVERAGE_EXACT)
    level = read_headers(call, smi, ret_match, ret_why);
  return level == COVERAGE_EXACT ? read_methods(call, smi, ret_match, ret_why) : level;
}

static json_t *headers_json(const struct header_match *headers, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; i++) {
    json_t *item = json_pack("{s:s, s:s, s:o}", "type", "RegularExpression", "name", headers[i].name, "value",
                             json_sprintf("^(?:%s)$", headers[i].regex));
    if (json_array_append_new(list, item) < 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

json_t *http_match_json(const char *path, const char *method, const struct header_match *headers, size_t header_count) {
  json_t *match = json_pack("{s:{s:s, s:s}}", "path", "type", path ? "RegularExpression" : "PathPrefix", "value",
                            path ? path : "/");
  int failed = match ? 0 : -1;
  if (!failed && method)
    failed = json_object_set_new(match, "method", json_string(method));
  if (!failed && header_count)
    failed = json_object_set_new(match, "headers", headers_json(headers, header_count));
  if (!failed)
    return match;
  json_decref(match);
  return NULL;
}
