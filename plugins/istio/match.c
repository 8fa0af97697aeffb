#include "plugins/istio/match.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "plugins/istio/codes.h"

bool match_is_void(const struct istio_match *match) {
  return match->path.kind == PATTERN_NEVER;
}

const char *match_header_name(struct call *call, const char *name) {
  if (strcasecmp(name, "host") == 0)
    return ":authority";
  char *lower = arena_strdup(call_arena(call), name);
  if (!lower)
    call_out_of_memory(call);
  for (char *at = lower; at && *at; at++)
    if (*at >= 'A' && *at <= 'Z')
      *at = (char)(*at - 'A' + 'a');
  return lower ? lower : "";
}

static void cover(struct coverage_list *coverage, struct kube_match *match, enum coverage_level level, const char *code,
                  const char *reason, const char *remedy) {
  match->level = level;
  coverage_add(coverage,
               &(struct coverage){.resource = &match->group->meta,
                                  .level = level,
                                  .code = code,
                                  .reason = reason                    ? reason
                                            : level == COVERAGE_EXACT ? NULL
                                                                      : "out of memory",
                                  .remedy = remedy},
               "/spec/matches/%zu", match->index);
}

/* The patterns of a match. NULL, or what is wrong with them. */
static const char *read_patterns(struct call *call, const struct smi_http_match *smi, struct istio_match *match) {
  _cleanup_error_ struct error *err = NULL;
  struct arena *arena = call_arena(call);
  struct pattern *headers = arena_array(arena, smi->header_count, sizeof *headers);
  const char *what = "pathRegex";
  int r = headers ? pattern_path(arena, smi->path_regex, &match->path, &err) : -ENOMEM;
  for (size_t i = 0; r == 0 && i < smi->header_count; i++) {
    what = "header";
    r = pattern_header(arena, smi->headers[i].regex, &headers[i], &err);
  }
  match->headers = headers;
  if (r == 0)
    return NULL;
  if (r == -ENOMEM)
    call_out_of_memory(call);
  const char *text = arena_printf(arena, "%s: %s", what, r == -ENOMEM ? "out of memory" : error_message(err));
  return text ? text : "out of memory";
}

/* Methods are compared exactly, but for those with a '*', which Istio would read as a prefix or suffix. */
static bool read_methods(const struct smi_http_match *smi, struct istio_match *match) {
  bool sayable = true;
  match->any_method = smi->method_count == 0;
  for (size_t i = 0; i < smi->method_count; i++) {
    match->any_method |= strcmp(smi->methods[i], "*") == 0;
    sayable &= strchr(smi->methods[i], '*') == NULL;
  }
  match->say_methods = !match->any_method && sayable;
  return match->any_method || sayable;
}

/* The strings of the policy; where there is none, one that admits more. Gives back what could not be said; NULL. */
static const char *choose_strings(struct call *call, const struct smi_http_match *smi, struct istio_match *match) {
  struct arena *arena = call_arena(call);
  const char **strings = arena_array(arena, smi->header_count, sizeof *strings);
  const char *unsaid = read_methods(smi, match) ? NULL : "a method with a '*' in it";
  int r = strings ? pattern_path_string(arena, &match->path, &match->path_string) : -ENOMEM;
  if (r == 0 && !match_is_void(match))
    unsaid = "pathRegex";
  for (size_t i = 0; r >= 0 && i < smi->header_count; i++) {
    strings[i] = "*";
    r = pattern_header_string(arena, &match->headers[i], &strings[i]);
    if (r == 0)
      unsaid = arena_printf(arena, "header %s", smi->headers[i].name);
  }
  match->header_strings = strings;
  if (r < 0)
    call_out_of_memory(call);
  /* Something of HTTP has to be in a rule, or it would hold on TCP ports as well. */
  if (!match->path_string)
    match->path_string = "/*";
  if (!smi->path_regex && (match->say_methods || smi->header_count))
    match->path_string = NULL;
  return unsaid;
}

void match_decide(struct coverage_list *coverage, const struct istio_options *options, struct kube_match *match,
                  struct istio_match *ret_match) {
  struct call *call = coverage->call;
  const struct smi_http_match *smi = &match->group->matches[match->index];
  struct istio_match decided = {.smi = smi};
  const char *fault = read_patterns(call, smi, &decided);
  if (fault) {
    cover(coverage, match, COVERAGE_UNSUPPORTED, CODE_REGEX, fault, "use the common subset of RE2 and Rust's regex");
    return;
  }
  const char *unsaid = choose_strings(call, smi, &decided);
  decided.coarse = unsaid != NULL && !match_is_void(&decided);
  *ret_match = decided;
  if (!decided.coarse)
    cover(coverage, match, COVERAGE_EXACT, NULL, NULL, NULL);
  else if (options->envoy_filter)
    cover(coverage, match, COVERAGE_APPROXIMATED, CODE_FILTER,
          arena_printf(call_arena(call),
                       "%s is left to an EnvoyFilter, which only works with versions of Istio whose proxies it suits",
                       unsaid),
          "check it with each version of Istio");
  else
    cover(coverage, match, COVERAGE_UNSUPPORTED, CODE_PATTERN,
          arena_printf(call_arena(call),
                       "%s: an AuthorizationPolicy compares literals, prefixes and suffixes only, without '*', '{' and "
                       "'}' in them",
                       unsaid),
          "make it a literal, a prefix or a suffix, or set regex to envoyfilter");
}
