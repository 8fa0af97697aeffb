#include <string.h>
#include <strings.h>

#include "sdk/smi/linting.h"
#include "sdk/smi/place.h"
#include "sdk/smi/regex.h"

static void report_repeated_match(struct linting *linting, const void *of, const struct lint_text *repeated) {
  const struct smi_http_route_group *group = of;

  lint_report(linting, SEVERITY_ERROR, "SMI-0204", &group->meta,
              lint_pointer(linting, &group->meta, "/matches/%zu/name", repeated->index),
              "rename one: rules refer to matches by name", "two matches have the name \"%s\"",
              text_shown(linting->arena, repeated->text));
}

static void lint_match_names(struct linting *linting, const struct smi_http_route_group *group) {
  struct lint_text *texts = lint_texts(linting, group->match_count);
  size_t count = 0;

  for (size_t i = 0; texts && i < group->match_count; i++) {
    if (group->matches[i].name && *group->matches[i].name)
      texts[count++] = (struct lint_text){group->matches[i].name, i};
    else
      lint_report(linting, SEVERITY_ERROR, "SMI-0221", &group->meta,
                  lint_pointer(linting, &group->meta, "/matches/%zu", i), "name it", "a match has no name");
  }
  if (texts)
    lint_repeated(linting, texts, count, report_repeated_match, group);
}

static void lint_regex(struct linting *linting, const struct smi_meta *meta, const char *pattern, const char *pointer) {
  _cleanup_error_ struct error *err = NULL;

  if (regex_check(pattern, &err) < 0)
    lint_report(linting, SEVERITY_ERROR, "SMI-0214", meta, pointer,
                "write it in what RE2 and Rust both accept, so that every mesh reads it alike",
                "regular expression \"%s\": %s", text_shown(linting->arena, pattern), error_message(err));
}

/* As in a glob, where a star after a slash is anything. */
static bool looks_like_glob(const char *pattern) {
  size_t length = strlen(pattern);

  return length >= 2 && strcmp(pattern + length - 2, "/*") == 0;
}

static void lint_path(struct linting *linting, const struct smi_http_route_group *group, size_t number) {
  const char *pattern = group->matches[number].path_regex;
  const char *pointer = lint_pointer(linting, &group->meta, "/matches/%zu/pathRegex", number);
  struct regex_analysis analysis;

  if (!pattern)
    return;
  lint_regex(linting, &group->meta, pattern, pointer);
  if (regex_analyse_path(linting->arena, pattern, &analysis, NULL) < 0)
    return;
  if (*pattern == '\0')
    lint_report(linting, SEVERITY_WARNING, "SMI-0215", &group->meta, pointer,
                "leave it out, or write .* to say that it is meant", "an empty pathRegex matches every path");
  else if ((analysis.kind == REGEX_LITERAL_PREFIX || analysis.kind == REGEX_EXACT) && analysis.literal[0] != '/')
    lint_report(linting, SEVERITY_WARNING, "SMI-0215", &group->meta, pointer,
                "begin it with '/', or with .* to match anywhere in the path",
                "pathRegex \"%s\" matches from the start of the path, which is always a '/': it never matches",
                text_shown(linting->arena, pattern));
  else if (looks_like_glob(pattern))
    lint_report(linting, SEVERITY_WARNING, "SMI-0215", &group->meta, pointer, "write .* for anything",
                "pathRegex \"%s\" is a regular expression: the '*' repeats the '/' before it",
                text_shown(linting->arena, pattern));
}

static void lint_methods(struct linting *linting, const struct smi_http_route_group *group, size_t number) {
  static const char known[] = " * GET HEAD PUT POST DELETE CONNECT OPTIONS TRACE PATCH ";
  const struct smi_http_match *match = &group->matches[number];

  for (size_t i = 0; i < match->method_count; i++) {
    const char *word = arena_printf(linting->arena, " %s ", match->methods[i]);
    const char *pointer = lint_pointer(linting, &group->meta, "/matches/%zu/methods/%zu", number, i);

    if (word && !strstr(known, word))
      lint_report(linting, SEVERITY_ERROR, "SMI-0213", &group->meta, pointer,
                  strcasestr(known, word) ? "write it in capitals: methods are case-sensitive"
                                          : "use one of: * GET HEAD PUT POST DELETE CONNECT OPTIONS TRACE PATCH",
                  "HTTP method \"%s\" is unknown to SMI", text_shown(linting->arena, match->methods[i]));
    if (match->method_count > 1 && strcmp(match->methods[i], "*") == 0)
      lint_report(linting, SEVERITY_WARNING, "SMI-0223", &group->meta, pointer, "take the others out, or the *",
                  "* is any method, so the others say nothing");
  }
}

static const char *header_pointer(struct linting *linting, const struct smi_meta *meta, size_t match, size_t header) {
  return smi_header_pointer(linting->arena, meta, lint_pointer(linting, meta, "/matches/%zu/headers", match), header);
}

/* A match of a group, for report_repeated_header. */
struct match_place {
  const struct smi_meta *meta;
  size_t number;
};

static void report_repeated_header(struct linting *linting, const void *of, const struct lint_text *repeated) {
  const struct match_place *place = of;

  lint_report(linting, SEVERITY_WARNING, "SMI-0224", place->meta,
              header_pointer(linting, place->meta, place->number, repeated->index),
              "write one expression, or two matches if either will do",
              "a match has the header %s twice, and both must match", text_shown(linting->arena, repeated->text));
}

static const char *lower_case(struct arena *arena, const char *text) {
  char *copy = arena_strdup(arena, text);

  for (char *c = copy; c && *c; c++)
    if (*c >= 'A' && *c <= 'Z')
      *c = (char)(*c | 0x20);
  return copy;
}

static void lint_headers(struct linting *linting, const struct smi_http_route_group *group, size_t number) {
  const struct smi_http_match *match = &group->matches[number];
  struct lint_text *texts = lint_texts(linting, match->header_count);
  size_t count = 0;

  for (size_t i = 0; texts && i < match->header_count; i++) {
    const char *name = lower_case(linting->arena, match->headers[i].name);

    lint_regex(linting, &group->meta, match->headers[i].regex, header_pointer(linting, &group->meta, number, i));
    if (name)
      texts[count++] = (struct lint_text){name, i};
  }
  if (texts)
    lint_repeated(linting, texts, count, report_repeated_header, &(struct match_place){&group->meta, number});
}

static void report_repeated_port(struct linting *linting, const void *of, const struct lint_text *repeated) {
  lint_report(linting, SEVERITY_WARNING, "SMI-0219", of,
              lint_pointer(linting, of, "/matches/ports/%zu", repeated->index), "take it out",
              "port %s is listed twice", repeated->text);
}

static void lint_ports(struct linting *linting, const struct smi_port_route *route) {
  struct lint_text *texts = lint_texts(linting, route->port_count);
  size_t count = 0;

  for (size_t i = 0; texts && i < route->port_count; i++) {
    const char *text = arena_printf(linting->arena, "%u", route->ports[i]);

    if (text)
      texts[count++] = (struct lint_text){text, i};
  }
  if (texts)
    lint_repeated(linting, texts, count, report_repeated_port, &route->meta);
}

void lint_specs(struct linting *linting) {
  for (size_t i = 0; i < linting->set->route_group_count; i++) {
    const struct smi_http_route_group *group = &linting->set->route_groups[i];

    if (group->match_count == 0)
      lint_report(linting, SEVERITY_WARNING, "SMI-0225", &group->meta, lint_pointer(linting, &group->meta, "/matches"),
                  "add a match; one with only a name matches everything",
                  "it has no matches, so rules with it allow nothing");
    lint_match_names(linting, group);
    for (size_t j = 0; j < group->match_count; j++) {
      lint_path(linting, group, j);
      lint_methods(linting, group, j);
      lint_headers(linting, group, j);
    }
  }
  for (size_t i = 0; i < linting->set->port_route_count; i++)
    lint_ports(linting, &linting->set->port_routes[i]);
}
