#include "host/runs/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum kind { TEXT, SUITE, LIST, SEED, PARALLEL, DURATION, FLAG };

/* Every field, and its option. */
static const struct field {
  const char *name, *option;
  enum kind kind;
} fields[] = {
    {"mesh", "--mesh", TEXT},
    {"suite", "--suite", SUITE},
    {"filter", "--filter", TEXT},
    {"settings", "--set", LIST},
    {"endpoints", "--endpoint", LIST},
    {"cases", "--case", LIST},
    {"groups", "--group", LIST},
    {"requirements", "--requirement", LIST},
    {"versions", "--spec-version", LIST},
    {"seed", "--seed", SEED},
    {"parallel", "--parallel", PARALLEL},
    {"caseTimeoutMs", "--timeout", DURATION},
    {"convergeMs", "--converge", DURATION},
    {"holdMs", "--hold", DURATION},
    {"failFast", "--fail-fast", FLAG},
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

static bool is_text(const json_t *value) {
  return json_is_string(value) && json_string_length(value) > 0 && json_string_length(value) <= SPEC_TEXT_MAX &&
         !memchr(json_string_value(value), '\0', json_string_length(value));
}

/* One that came with Trammel: what else --suite takes is a folder of the host's machine. */
static bool is_suite(const json_t *value) {
  static const char *const suites[] = {"smi", "baseline"};
  for (size_t i = 0; is_text(value) && i < sizeof(suites) / sizeof(*suites); i++)
    if (strcmp(json_string_value(value), suites[i]) == 0)
      return true;
  return false;
}

static bool is_list(const json_t *value) {
  size_t i;
  const json_t *item;
  bool fits = json_is_array(value) && json_array_size(value) <= SPEC_LIST_MAX;
  json_array_foreach(value, i, item) fits = fits && is_text(item);
  return fits;
}

static bool is_within(const json_t *value, json_int_t most) {
  return json_is_integer(value) && json_integer_value(value) >= 1 && json_integer_value(value) <= most;
}

static bool fits(enum kind kind, const json_t *value) {
  switch (kind) {
  case TEXT:
    return is_text(value);
  case SUITE:
    return is_suite(value);
  case LIST:
    return is_list(value);
  case SEED:
    return is_text(value) && strspn(json_string_value(value), "0123456789") == json_string_length(value);
  case PARALLEL:
    return is_within(value, SPEC_PARALLEL_MAX);
  case DURATION:
    return is_within(value, SPEC_DURATION_MAX_MS);
  default:
    return json_is_boolean(value);
  }
}

static const char *wanted(enum kind kind) {
  static const char *const texts[] = {"a text of 1 to 4096 bytes",
                                      "smi or baseline",
                                      "at most 256 texts of 1 to 4096 bytes",
                                      "a whole number from 0",
                                      "from 1 to 32",
                                      "from 1 ms to a day",
                                      "true or false"};
  return texts[kind];
}

static const struct field *find(const char *name) {
  for (size_t i = 0; i < FIELDS; i++)
    if (strcmp(fields[i].name, name) == 0)
      return &fields[i];
  return NULL;
}

int spec_check(const json_t *spec, struct error **err) {
  const char *name;
  json_t *value;
  if (!json_is_object(spec))
    return error_set(err, EINVAL, "a run's spec is an object");
  json_object_foreach((json_t *)(uintptr_t)spec, name, value) {
    const struct field *field = find(name);
    if (!field)
      return error_set(err, EINVAL, "a run's spec has no field %s", name);
    if (!fits(field->kind, value))
      return error_set(err, EINVAL, "%s of a run has to be %s", name, wanted(field->kind));
  }
  return 0;
}

/* --option=value: a value never passes for an option. */
static int add_word(json_t *words, const char *option, const char *value) {
  return json_array_append_new(words, json_sprintf("%s=%s", option, value)) < 0 ? -ENOMEM : 0;
}

static int add_list(json_t *words, const char *option, const json_t *list) {
  size_t i;
  const json_t *item;
  int r = 0;
  json_array_foreach(list, i, item) r = r < 0 ? r : add_word(words, option, json_string_value(item));
  return r;
}

static int add_integer(json_t *words, const char *option, const char *unit, const json_t *value) {
  char text[40];
  (void)snprintf(text, sizeof(text), "%lld%s", (long long)json_integer_value(value), unit);
  return add_word(words, option, text);
}

static int add_field(json_t *words, const struct field *field, const json_t *value) {
  switch (field->kind) {
  case TEXT:
  case SUITE:
  case SEED:
    return add_word(words, field->option, json_string_value(value));
  case LIST:
    return add_list(words, field->option, value);
  case PARALLEL:
    return add_integer(words, field->option, "", value);
  case DURATION:
    return add_integer(words, field->option, "ms", value);
  default:
    return json_is_true(value) && json_array_append_new(words, json_string(field->option)) < 0 ? -ENOMEM : 0;
  }
}

int spec_words(const json_t *spec, json_t *words) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < FIELDS; i++) {
    const json_t *value = json_object_get(spec, fields[i].name);
    r = value ? add_field(words, &fields[i], value) : 0;
  }
  return r;
}

const char *spec_mesh(const json_t *spec) {
  const char *mesh = json_string_value(json_object_get(spec, "mesh"));
  return mesh ? mesh : "";
}
