#include "host/lab/workload/members.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "host/lab/call.h"

int members_parse(const char *what, const char *text, size_t length, json_t **ret_object, struct error **err) {
  json_error_t error;
  if (length > WORKLOAD_BODY_MAX)
    return error_set(err, EINVAL, "%s is over 1 MiB", what);
  json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
  if (!object)
    return error_set(err, EINVAL, "%s is not JSON: line %d, column %d: %s", what, error.line, error.column, error.text);
  if (!json_is_object(object)) {
    json_decref(object);
    return error_set(err, EINVAL, "%s must be a JSON object", what);
  }
  *ret_object = object;
  return 0;
}

struct members members_begin(const char *what, const json_t *object) {
  struct members members = {.object = object, .what = what};
  if (!json_is_object(object))
    members_fail(&members, "%s must be a JSON object", what);
  return members;
}

void members_fail(struct members *members, const char *format, ...) {
  if (members->error)
    return;
  va_list args;
  va_start(args, format);
  (void)error_setv(&members->error, EINVAL, format, args);
  va_end(args);
}

bool members_has(struct members *members, const char *name) {
  return json_object_get(members->object, name) != NULL;
}

const json_t *members_get(struct members *members, const char *name, bool required) {
  if (members->known_count < MEMBERS_MAX)
    members->known[members->known_count++] = name;
  const json_t *value = json_object_get(members->object, name);
  if (!value && required)
    members_fail(members, "%s needs \"%s\"", members->what, name);
  return value;
}

const char *members_string(struct members *members, const char *name, size_t max, const char *fallback) {
  const json_t *value = members_get(members, name, fallback == NULL);
  if (!value)
    return fallback ? fallback : "";
  if (!json_is_string(value)) {
    members_fail(members, "\"%s\" must be a string", name);
    return "";
  }
  if (json_string_length(value) > max)
    members_fail(members, "\"%s\" is %zu bytes long, the most is %zu", name, json_string_length(value), max);
  return json_string_value(value);
}

unsigned members_unsigned(struct members *members, const char *name, unsigned min, unsigned max,
                          const unsigned *fallback) {
  const json_t *value = members_get(members, name, fallback == NULL);
  if (!value)
    return fallback ? *fallback : min;
  if (!json_is_integer(value)) {
    members_fail(members, "\"%s\" must be an integer", name);
    return min;
  }
  json_int_t number = json_integer_value(value);
  if (number < min || number > max) {
    members_fail(members, "\"%s\" is %" JSON_INTEGER_FORMAT ", expected %u to %u", name, number, min, max);
    return min;
  }
  return (unsigned)number;
}

bool members_boolean(struct members *members, const char *name, bool fallback) {
  const json_t *value = members_get(members, name, false);
  if (!value)
    return fallback;
  if (!json_is_boolean(value))
    members_fail(members, "\"%s\" must be true or false", name);
  return json_is_true(value);
}

static bool is_known(const struct members *members, const char *name) {
  for (size_t i = 0; i < members->known_count; i++)
    if (strcmp(members->known[i], name) == 0)
      return true;
  return false;
}

int members_finish(struct members *members, struct error **err) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)members->object, name, value) {
    if (!is_known(members, name))
      members_fail(members, "%s has the unknown member \"%.64s\"", members->what, name);
  }
  int r = members->error ? error_set(err, EINVAL, "%s", error_message(members->error)) : 0;
  error_free(members->error);
  members->error = NULL;
  return r;
}
