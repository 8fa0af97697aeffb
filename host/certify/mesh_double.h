/* What stands in for a mesh: answers the adapter's HTTP requests as a check wants. Private to this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_MESH_DOUBLE_H
#define TRAMMEL_HOST_CERTIFY_MESH_DOUBLE_H

#include <stdatomic.h>

#include "host/adapter/instance.h"

/* An answer of a mesh, or of what is in its place. */
struct reply {
  const char *name; /* for people: "half of a JSON document" */
  int error;        /* negative errno: no answer; else 0 */
  unsigned status;
  const char *body;
  size_t length;   /* 0: that of the text */
  unsigned repeat; /* the body is so many of it; 0 is 1 */
};

/* Hostile ones. */
extern const struct reply hostile_replies[];
extern const size_t hostile_reply_count;

enum double_manner {
  DOUBLE_ANSWERS, /* at once */
  DOUBLE_CANCELS, /* sets `cancel` before it answers */
  DOUBLE_WAITS,   /* until the call's deadline has passed */
};

struct mesh_double {
  struct adapter_http http; /* given to instances */
  enum double_manner manner;
  const struct reply *reply;
  atomic_bool cancel;
  atomic_uint requests; /* counted */
};

void mesh_double_init(struct mesh_double *mesh, enum double_manner manner, const struct reply *reply);

#endif
