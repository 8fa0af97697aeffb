/* The methods of the contract, and requests for them that are right. Private to this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_METHODS_H
#define TRAMMEL_HOST_CERTIFY_METHODS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/arena.h"

struct method_type {
  const char *name;
  const ProtobufCMessageDescriptor *request, *response;
  bool streaming;
  bool asks_mesh; /* it may ask the host for HTTP */
};
extern const struct method_type method_types[]; /* ends with a NULL name */
const struct method_type *method_type(const char *name);

/* A request. */
struct sample {
  const struct method_type *type;
  const char *about; /* for people: "Metrics of a Service" */
  uint8_t *data;
  size_t length;
};

/* Requests for all methods that the adapter offers, but Configure; of Translate the first case of the suite. All is in
 * `arena`, which may be NULL: no memory. 0, and a finding otherwise. */
struct sitting;
int samples_make(struct sitting *sitting, struct arena *arena, struct sample **ret_samples, size_t *ret_count);

/* Keeps the first request of each method, and of each operation. */
void samples_thin_out(struct sample *samples, size_t *count);

#endif
