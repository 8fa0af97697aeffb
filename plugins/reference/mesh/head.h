/* The head of an HTTP message: what the parser hands over piece by piece, kept in one buffer. */
#ifndef TRAMMEL_REFERENCE_MESH_HEAD_H
#define TRAMMEL_REFERENCE_MESH_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/strbuf.h"

/* Bytes that live in a head, until it changes. */
struct slice {
  const char *data;
  size_t length;
};

struct head_field {
  uint32_t name, name_length; /* offsets into the head's text */
  uint32_t value, value_length;
  bool dropped; /* belongs to this connection only and is not passed on */
};

struct head {
  struct strbuf text;
  struct head_field *fields;
  size_t count, capacity;
  uint32_t start_length; /* request target, or reason phrase: the text's first bytes */
  bool in_value;
  const char *method; /* static; NULL in a response */
};

void head_clear(struct head *head);
void head_finish(struct head *head);

/* Building, in the order a parser sees things; each piece may come in parts. 0, -ENOMEM, or -E2BIG past a limit. */
int head_add_start(struct head *head, const char *data, size_t length);
int head_add_name(struct head *head, const char *data, size_t length);
int head_add_value(struct head *head, const char *data, size_t length);

/* The request target, or the reason phrase of a response. */
struct slice head_start(const struct head *head);
struct slice head_name(const struct head *head, size_t i);
struct slice head_value(const struct head *head, size_t i);

bool slice_is(struct slice slice, const char *text);         /* same bytes */
bool slice_is_name(struct slice slice, const char *name);    /* without case */
bool slice_has_token(struct slice list, struct slice token); /* in a comma separated list, without case */

/* Fields called `name` that are passed on; `*ret_value` is the first one's value. */
size_t head_count(const struct head *head, const char *name, struct slice *ret_value);

/* The field's value as RFC 9110, 5.2 has it: the lines of that name joined by ", " (a Cookie's by "; "). False when
 * there is none, or without memory. `scratch` may be used for the text. */
bool head_combined(const struct head *head, const char *name, struct strbuf *scratch, struct slice *ret_value);

/* Marks the fields called `name` as dropped. */
void head_drop(struct head *head, const char *name);

/* Marks the fields that belong to this connection only (RFC 9110, 7.6.1) as dropped: the known ones and those that
 * Connection names, except the ones a message can't be understood without. */
void head_drop_hop_by_hop(struct head *head);

/* Makes the target the origin form and the authority the Host field, when it is in absolute form. -EINVAL when it is
 * neither "/…", "*" nor an http URL, has a fragment or user info, or a byte that is no visible ASCII character. */
int head_normalise_target(struct head *head);

/* The target without its query. */
struct slice head_path(const struct head *head);

/* Whether servers may read the path differently from how it is matched: dot segments (also encoded, or with
 * parameters), backslashes, encoded slashes, backslashes or NUL. */
bool path_is_ambiguous(struct slice path);

/* Appends the fields that are passed on, each with its line end. */
void head_write_fields(const struct head *head, struct strbuf *out);

#endif
