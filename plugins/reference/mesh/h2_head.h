/* The head of an HTTP/2 message as a `struct head`, so that what is decided by it is decided alike in every version,
 * and back as fields. Pseudo-fields are mapped: `:path` is the target, `:authority` the Host field. */
#ifndef TRAMMEL_REFERENCE_MESH_H2_HEAD_H
#define TRAMMEL_REFERENCE_MESH_H2_HEAD_H

#include <nghttp2/nghttp2.h>

#include "plugins/reference/mesh/head.h"
#include "plugins/reference/mesh/limits.h"

struct h2_head {
  struct head head;
  struct strbuf authority; /* until the head is complete */
  bool foreign_scheme;     /* neither http nor absent */
  unsigned status;         /* of an answer */
  int problem;             /* HTTP status that tells a client what is wrong with its request; 0: nothing */
};

void h2_head_clear(struct h2_head *head);
void h2_head_finish(struct h2_head *head);

/* A field as nghttp2 hands it over: checked for what RFC 9113 calls malformed, pseudo-fields first. */
void h2_head_add(struct h2_head *head, struct slice name, struct slice value);

/* The head is complete: checks what is left to check, maps the authority, and drops what belongs to the connection.
 * `problem` tells. */
void h2_head_check_request(struct h2_head *head);
void h2_head_check_response(struct h2_head *head);

/* The fields that are sent for a head; they borrow from it. */
struct h2_fields {
  nghttp2_nv items[LIMIT_HEAD_FIELDS + 4];
  size_t count;
  char status[4];
};
void h2_fields_add(struct h2_fields *fields, const char *name, const char *value);
void h2_fields_of_request(struct h2_fields *fields, const struct head *head);
void h2_fields_of_response(struct h2_fields *fields, const struct h2_head *head);
void h2_fields_begin_response(struct h2_fields *fields, unsigned status);

#endif
