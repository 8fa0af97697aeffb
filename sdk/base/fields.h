/* Reads the fields of YAML maps into an arena and says what is wrong with them: what topologies and cases are read
 * with. The first codes are shared: PREFIX-0001 unknown field, -0002 missing field, -0003 value of a wrong kind or out
 * of range, -0004 too many, -0005 given twice. */
#ifndef TRAMMEL_SDK_BASE_FIELDS_H
#define TRAMMEL_SDK_BASE_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "sdk/base/document.h"

enum field_code {
  FIELD_UNKNOWN = 1,
  FIELD_MISSING,
  FIELD_VALUE,
  FIELD_TOO_MANY,
  FIELD_TWICE,
};

struct fields {
  const char *prefix; /* of codes: "CASE" */
  struct arena *arena;
  struct diagnostics *diagnostics;
  unsigned errors;
  bool no_memory;
};

/* 0, -EINVAL when something was complained about, -ENOMEM. */
int fields_status(const struct fields *fields);

/* Adds an error about `at` with the code "<prefix>-<code>"; `remedy` may be NULL. */
void fields_complain(struct fields *fields, const struct node *at, int code, const char *remedy, const char *format,
                     ...) __attribute__((format(printf, 5, 6)));

/* Remembers that memory ran out when `pointer` is NULL, and returns it. */
void *fields_checked(struct fields *fields, void *pointer);

/* Complains about keys of `map` that are not in the NULL-terminated `known`, and when `map` is no map (then false).
 * `what` names the map: "a check". */
bool fields_known(struct fields *fields, const struct node *map, const char *what, const char *const *known);

/* The value under `key` when it is of `kind`; else NULL, with a complaint for another kind and, when `required`, for a
 * missing one. */
const struct node *fields_get(struct fields *fields, const struct node *map, const char *key, enum node_kind kind,
                              bool required);

/* A string that is not empty and has at most `limit` bytes, in the arena. `fallback` when absent; without one (NULL) it
 * is required. NULL after a complaint. */
const char *fields_string(struct fields *fields, const struct node *map, const char *key, size_t limit,
                          const char *fallback);

/* A name of Kubernetes objects (RFC 1123 label); as fields_string. */
const char *fields_label(struct fields *fields, const struct node *map, const char *key, const char *fallback);
bool label_is_valid(const char *text);

/* A required port 1…65535; 0 after a complaint. `fallback` above 0 makes it optional. */
uint16_t fields_port(struct fields *fields, const struct node *map, const char *key, uint16_t fallback);

/* The index of the text of `node` in the NULL-terminated `words`; -1 after a complaint that lists them. */
int fields_word(struct fields *fields, const struct node *node, const char *what, const char *const *words);

/* Complains when a list is longer than `limit`; returns how many items may be read. NULL is an empty list. */
size_t fields_count(struct fields *fields, const struct node *list, const char *what, size_t limit);

#endif
