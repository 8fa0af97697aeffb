/* Reading the members of a JSON object with limits. The first that is wrong is remembered with a message that names it,
 * so that a run of reads is checked once. Every member that is read is known; members_finish refuses the others. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_MEMBERS_H
#define TRAMMEL_HOST_LAB_WORKLOAD_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>

#include "sdk/base/error.h"

#define MEMBERS_MAX 24

struct members {
  const json_t *object;
  const char *what; /* of the object, for messages: "a batch" */
  const char *known[MEMBERS_MAX];
  size_t known_count;
  struct error *error;
};

/* Parses JSON text of at most WORKLOAD_BODY_MAX bytes into an object. A new reference in `*ret_object`. -EINVAL with a
 * reason. */
int members_parse(const char *what, const char *text, size_t length, json_t **ret_object, struct error **err);

/* `object` is borrowed and must outlive what is read. */
struct members members_begin(const char *what, const json_t *object);

bool members_has(struct members *members, const char *name);
/* The member, or NULL when it is absent; a required one is then an error. */
const json_t *members_get(struct members *members, const char *name, bool required);
const char *members_string(struct members *members, const char *name, size_t max,
                           const char *fallback); /* NULL: required */
unsigned members_unsigned(struct members *members, const char *name, unsigned min, unsigned max,
                          const unsigned *fallback);
bool members_boolean(struct members *members, const char *name, bool fallback);

/* Remembers an error unless there is one. */
void members_fail(struct members *members, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 0, or -EINVAL with what was wrong, first what was read and then a member nobody asked for. Frees what `members`
 * holds.
 */
int members_finish(struct members *members, struct error **err);

#endif
