/* The descriptors of what is served: each an encoded google.protobuf.FileDescriptorProto, one of a package, importing
 * none. */
#ifndef TRAMMEL_HOST_RPC_DESCRIPTORS_H
#define TRAMMEL_HOST_RPC_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct descriptor {
  const char *file;    /* "trammel/v1/host.proto" */
  const char *package; /* "trammel.v1" */
  const uint8_t *data;
  size_t length;
};

/* Calls `each` with the full name of every service. */
void descriptors_services(void (*each)(void *ctx, const char *name), void *ctx);
/* Whether there is a service of that full name. */
bool descriptors_serve(const char *name);

/* false when there is none. */
bool descriptors_of_file(const char *file, struct descriptor *ret_descriptor);
/* Of a service, a method, a message, a field of one, an enumeration or a value, by full name. */
bool descriptors_of_symbol(const char *symbol, struct descriptor *ret_descriptor);

#endif
