/* A JSON value that knows where it stands, and readers that complain with a pointer. */
#ifndef TRAMMEL_REFERENCE_MESH_VALUE_H
#define TRAMMEL_REFERENCE_MESH_VALUE_H

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/reference/mesh/declare.h"

struct value {
  const json_t *json; /* NULL: absent */
  const struct value *parent;
  const char *key; /* NULL in a list */
  size_t index;
  struct problem *problem;
};

/* Sets the problem to the text and the value's pointer. */
void value_set_problem(const struct value *value, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, as the -EINVAL to return: a macro, so that compilers and analysers see that it is one. */
#define value_complain(...) (value_set_problem(__VA_ARGS__), -EINVAL)

struct value value_root(const json_t *json, struct problem *problem);
struct value value_member(const struct value *object, const char *key); /* null counts as absent */
struct value value_item(const struct value *list, size_t index);
static inline bool value_present(const struct value *value) {
  return value->json != NULL;
}

/* It must be an object that has no members but those named (NULL-terminated). */
int value_object(const struct value *value, const char *const *members);
/* It must be a list of at most `limit` items. */
int value_list(const struct value *value, size_t limit, size_t *ret_count);
int value_string(const struct value *value, size_t limit, const char **ret_text);
int value_name(const struct value *value, size_t limit, const char **ret_name);
int value_integer(const struct value *value, int64_t min, int64_t max, int64_t *ret_number);
int value_port(const struct value *value, uint16_t *ret_port);

#endif
