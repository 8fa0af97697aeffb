#include "host/perf/profile_fields.h"

#include <math.h>
#include <string.h>

#include "sdk/base/clock.h"
#include "sdk/base/duration.h"

/* ---- values */

const struct node *profile_scalar(struct fields *fields, const struct node *map, const char *key) {
  const struct node *value = node_get(map, key);
  if (!value || (value->kind != NODE_NULL && value->kind != NODE_LIST && value->kind != NODE_MAP))
    return value;
  fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" must be one value, found a %s", key,
                  node_kind_name(value->kind));
  return NULL;
}

/* An optional text, which may look like a number. */
const char *profile_text(struct fields *fields, const struct node *map, const char *key) {
  const struct node *value = node_get(map, key) ? profile_scalar(fields, map, key) : NULL;
  if (!value)
    return NULL;
  if (value->length == 0 || value->length > PROFILE_TEXT_MAX) {
    fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" has %u bytes; it must have 1 to %d", key, value->length,
                    PROFILE_TEXT_MAX);
    return NULL;
  }
  return fields_checked(fields, arena_strndup(fields->arena, value->text, value->length));
}

unsigned profile_whole(struct fields *fields, const struct node *map, const char *key, int64_t least, int64_t most,
                       unsigned fallback) {
  const struct node *value = fields_get(fields, map, key, NODE_INTEGER, false);
  if (!value)
    return fallback;
  if (value->integer >= least && value->integer <= most)
    return (unsigned)value->integer;
  fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" is %s; it must be from %lld to %lld", key, value->text,
                  (long long)least, (long long)most);
  return fallback;
}

double profile_rate(struct fields *fields, const struct node *map, const char *key) {
  const struct node *value = profile_scalar(fields, map, key);
  if (!value)
    return 0;
  char *end = NULL;
  double found = value->kind == NODE_INTEGER  ? (double)value->integer
                 : value->kind == NODE_NUMBER ? strtod(value->text, &end)
                                              : NAN;
  if (fabs(found) <= SCHEDULE_RATE_MAX && (!end || *end == '\0'))
    return found;
  fields_complain(fields, value, FIELD_VALUE, NULL,
                  "\"%s\" is a number of requests per second, at most %.0f, not \"%.64s\"", key, SCHEDULE_RATE_MAX,
                  value->text);
  return 0;
}

int64_t profile_duration(struct fields *fields, const struct node *map, const char *key, bool zero,
                         int64_t fallback_ns) {
  const struct node *value = node_get(map, key) ? profile_scalar(fields, map, key) : NULL;
  int64_t ns = 0;
  if (!value)
    return fallback_ns;
  if (duration_read(value->text, PROFILE_DURATION_MAX_S * NS_PER_SECOND, &ns) == 0 && (ns > 0 || zero))
    return ns;
  fields_complain(fields, value, FIELD_VALUE, NULL,
                  "\"%s\" is a duration %s at most 24h, such as 500ms, 2s or 1m30s, not \"%.64s\"", key,
                  zero ? "of" : "above 0 and", value->text);
  return fallback_ns;
}

bool profile_boolean(struct fields *fields, const struct node *map, const char *key) {
  const struct node *value = fields_get(fields, map, key, NODE_BOOLEAN, false);
  return value && value->boolean;
}

/* A name, as people read it: nothing in it steers a terminal. */
const char *profile_name(struct fields *fields, const struct node *map, const char *fallback) {
  const char *found = fields_string(fields, map, "name", PROFILE_NAME_MAX, fallback);
  for (const unsigned char *c = (const unsigned char *)found; c && *c; c++)
    if (*c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0)) {
      fields_complain(fields, node_get(map, "name"), FIELD_VALUE, NULL, "\"name\" has a control character in it");
      return NULL;
    }
  return found;
}

/* ---- requests */

void profile_add_header(struct fields *fields, struct target_options *target, const char **headers, const char *header,
                        const struct node *at) {
  if (!fields_checked(fields, (void *)header))
    return;
  if (target->header_count == TARGET_HEADERS_MAX)
    fields_complain(fields, at, FIELD_TOO_MANY, NULL, "a target has at most %d headers", TARGET_HEADERS_MAX);
  else
    headers[target->header_count++] = header;
}

void profile_headers(struct fields *fields, const struct node *map, struct target_options *target,
                     const char **headers) {
  const struct node *given = fields_get(fields, map, "headers", NODE_MAP, false);
  unsigned before = fields->errors;
  for (size_t i = 0; given && i < given->count && fields->errors == before; i++) {
    const char *key = given->entries[i].key;
    const struct node *value = profile_scalar(fields, given, key);
    if (value)
      profile_add_header(fields, target, headers, arena_printf(fields->arena, "%s: %s", key, value->text), value);
  }
}

/* RFC 6265, 4.2: one header for all of them. */
void profile_cookies(struct fields *fields, const struct node *map, struct target_options *target,
                     const char **headers) {
  const struct node *given = fields_get(fields, map, "cookies", NODE_MAP, false);
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  for (size_t i = 0; given && i < given->count; i++) {
    const char *key = given->entries[i].key;
    const struct node *value = profile_scalar(fields, given, key);
    if (value && (!*key || strpbrk(key, "=; \t,") || strpbrk(value->text, "; \t,\"\\")))
      fields_complain(fields, value, FIELD_VALUE, "Encode it, as the server that set it did.",
                      "the cookie \"%.64s\" has a character that cookies can't have", key);
    if (value)
      strbuf_printf(&line, "%s%s=%s", line.length > 0 ? "; " : "Cookie: ", key, value->text);
  }
  if (line.length > 0 || strbuf_failed(&line))
    profile_add_header(fields, target, headers, arena_strdup(fields->arena, strbuf_text(&line)), given);
}
