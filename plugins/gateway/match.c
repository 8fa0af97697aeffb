#include "plugins/gateway/match.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "plugins/gateway/codes.h"
#include "sdk/smi/regex.h"

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

/* One match on its way. */
struct work {
  struct call *call;
  const struct gateway_options *options;
  const struct smi_http_match *match;
  json_t *common; /* path and headers, without a method */
  bool regex, regex_path;
  const char *code, *reason; /* why it is left out */
};

static bool fail(struct work *w, const char *code, const char *reason) {
  w->code = code;
  w->reason = reason ? reason : "out of memory";
  return false;
}

static bool out_of_memory(struct work *w) {
  call_out_of_memory(w->call);
  return fail(w, CODE_NOTHING_LEFT, NULL);
}

/* The regular expression for data planes that match all of a value, and for those that search in it. */
static const char *whole(struct work *w, const char *regex, bool path) {
  return arena_printf(call_arena(w->call), path ? "^(?:%s).*$" : "^(?:%s)$", regex);
}

static bool use_regex(struct work *w) {
  w->regex = true;
  return w->options->regex != COVERAGE_UNSUPPORTED ||
         fail(w, CODE_REGEX, "it needs a RegularExpression, which regular_expressions: refuse leaves out");
}

static bool contains_segment(const char *path, const char *dots) {
  for (const char *at = path; (at = strstr(at, dots)) != NULL; at++)
    if (at[strlen(dots)] == '/' || at[strlen(dots)] == '\0')
      return true;
  return false;
}

static bool is_path_character(const char *c) {
  static const char others[] = "-/._~!$&'()*+,;=:@";
  if (*c == '%')
    return strspn(c + 1, "0123456789abcdefABCDEF") >= 2 && strncasecmp(c, "%2f", 3) != 0;
  return (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr(others, *c);
}

/* What the API takes as an Exact path. */
static bool is_exact_path(const char *path) {
  if (*path != '/' || strstr(path, "//") || contains_segment(path, "/.") || contains_segment(path, "/.."))
    return false;
  for (const char *c = path; *c; c++)
    if (!is_path_character(c))
      return false;
  return strlen(path) <= MATCH_PATH_MAX;
}

static bool set(struct work *w, const char *key, json_t *value) {
  return json_object_set_new(w->common, key, value) == 0 || out_of_memory(w);
}

static bool add_path(struct work *w) {
  _cleanup_error_ struct error *err = NULL;
  struct regex_analysis analysis = {0};
  if (regex_analyse_path(call_arena(w->call), w->match->path_regex, &analysis, &err) < 0)
    return fail(w, CODE_REGEX, arena_printf(call_arena(w->call), "pathRegex: %s", error_message(err)));
  if (analysis.kind == REGEX_ANYTHING)
    return true;
  if (analysis.kind == REGEX_EXACT && is_exact_path(analysis.literal))
    return set(w, "path", json_pack("{s:s, s:s}", "type", "Exact", "value", analysis.literal));
  const char *regex = whole(w, w->match->path_regex, true);
  if (!regex)
    return out_of_memory(w);
  if (strlen(regex) > MATCH_PATH_MAX)
    return fail(w, CODE_MATCH, "its pathRegex is longer than an HTTPRoute takes, 1024 characters");
  w->regex_path = true;
  return use_regex(w) && set(w, "path", json_pack("{s:s, s:s}", "type", "RegularExpression", "value", regex));
}

static bool header_json(struct work *w, const struct smi_header *header, json_t **ret_json) {
  _cleanup_error_ struct error *err = NULL;
  struct regex_analysis analysis = {0};
  if (regex_analyse_header(call_arena(w->call), header->regex, &analysis, &err) < 0)
    return fail(w, CODE_REGEX, arena_printf(call_arena(w->call), "header %s: %s", header->name, error_message(err)));
  const bool exact = analysis.kind == REGEX_EXACT && *analysis.literal;
  const char *value = exact ? analysis.literal : whole(w, header->regex, false);
  if (!value)
    return out_of_memory(w);
  if (strlen(value) > MATCH_HEADER_MAX)
    return fail(w, CODE_MATCH, "a header's expression is longer than an HTTPRoute takes, 4096 characters");
  if (!exact && !use_regex(w))
    return false;
  *ret_json =
      json_pack("{s:s, s:s, s:s}", "type", exact ? "Exact" : "RegularExpression", "name", header->name, "value", value);
  return *ret_json || out_of_memory(w);
}

/* Of several entries for one header the API wants the first alone to count. */
static bool is_repeated(const struct smi_http_match *match, size_t index) {
  for (size_t i = 0; i < index; i++)
    if (strcasecmp(match->headers[i].name, match->headers[index].name) == 0)
      return true;
  return false;
}

static bool add_headers(struct work *w) {
  if (w->match->header_count == 0)
    return true;
  if (w->match->header_count > MATCH_HEADERS_MAX)
    return fail(w, CODE_MATCH, "it has more headers than an HTTPRoute takes, 16");
  json_t *list = json_array();
  if (!list || !set(w, "headers", list))
    return out_of_memory(w);
  for (size_t i = 0; i < w->match->header_count; i++) {
    json_t *header = NULL;
    if (is_repeated(w->match, i))
      return fail(w, CODE_MATCH,
                  arena_printf(call_arena(w->call), "header %s has two expressions, and an HTTPRoute takes one",
                               w->match->headers[i].name));
    if (!header_json(w, &w->match->headers[i], &header))
      return false;
    if (json_array_append_new(list, header) < 0)
      return out_of_memory(w);
  }
  return true;
}

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

/* One match for each method; how many methods were left out. */
static size_t append_methods(struct work *w, json_t *items) {
  size_t left_out = 0;
  int failed = 0;
  if (any_method(w->match))
    failed |= json_array_append(items, w->common);
  for (size_t i = 0; !any_method(w->match) && i < w->match->method_count; i++) {
    if (!is_known(w->match->methods[i])) {
      left_out++;
      continue;
    }
    json_t *copy = json_copy(w->common);
    failed |= json_object_set_new(copy, "method", json_string(w->match->methods[i]));
    failed |= json_array_append_new(items, copy);
  }
  if (failed)
    call_out_of_memory(w->call);
  return left_out;
}

static void cover(struct coverage_list *coverage, const struct smi_http_route_group *group, size_t index,
                  enum coverage_level level, const char *code, const char *reason, const char *remedy) {
  coverage_add(
      coverage,
      &(struct coverage){.resource = &group->meta, .level = level, .code = code, .reason = reason, .remedy = remedy},
      "/spec/matches/%zu", index);
}

/* A match that is carried as far as its methods go. */
static bool finish(struct coverage_list *coverage, struct work *w, const struct smi_http_route_group *group,
                   size_t index, struct match_list *list) {
  const size_t before = json_array_size(list->items), left_out = append_methods(w, list->items);
  const bool some = json_array_size(list->items) > before;
  list->regex_path |= some && w->regex_path;
  if (left_out)
    cover(coverage, group, index, some ? COVERAGE_APPROXIMATED : COVERAGE_UNSUPPORTED, CODE_MATCH,
          "methods that an HTTPRoute does not take are left out", "use methods of HTTP");
  else if (w->regex && w->options->regex == COVERAGE_APPROXIMATED)
    cover(coverage, group, index, COVERAGE_APPROXIMATED, CODE_SUPPORT,
          "it is a RegularExpression: whether that is supported, and in which dialect, is left to implementations",
          "set regular_expressions: exact for an implementation that is known to support it");
  else
    cover(coverage, group, index, COVERAGE_EXACT, NULL, NULL, NULL);
  return left_out == 0;
}

bool match_append(struct coverage_list *coverage, const struct gateway_options *options,
                  const struct smi_http_route_group *group, size_t index, struct match_list *list) {
  struct work w = {
      .call = coverage->call, .options = options, .match = &group->matches[index], .common = json_object()};
  bool good = w.common || out_of_memory(&w);
  good = good && add_path(&w) && add_headers(&w);
  if (good)
    good = finish(coverage, &w, group, index, list);
  else
    cover(coverage, group, index, COVERAGE_UNSUPPORTED, w.code, w.reason, NULL);
  json_decref(w.common);
  return good;
}

static json_t *any_path(bool regex) {
  return json_pack("{s:s, s:s}", "type", regex ? "RegularExpression" : "PathPrefix", "value", regex ? ".*" : "/");
}

int matches_finish(struct match_list *list) {
  size_t i;
  json_t *match;
  if (!list->regex_path)
    return 0;
  json_array_foreach(list->items, i, match) if (!json_object_get(match, "path") &&
                                                json_object_set_new(match, "path", any_path(true)) < 0) return -ENOMEM;
  return 0;
}

json_t *match_of_the_rest(const struct match_list *list) {
  return json_pack("{s:o}", "path", any_path(list->regex_path));
}
