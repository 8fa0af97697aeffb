/* A host for an adapter's C ABI that keeps what the adapter sends. For unit tests. */
#ifndef TRAMMEL_TESTS_SUPPORT_FAKE_HOST_H
#define TRAMMEL_TESTS_SUPPORT_FAKE_HOST_H

#include <jansson.h>

#include "trammel/abi.h"

struct fake_op {
  char *message; /* of the last emit; heap */
  size_t length;
  unsigned emitted;
  json_t *diagnostics;   /* an array of {severity, code, resource, pointer, summary} */
  const char *http_body; /* what HTTP requests are answered with; NULL: UNAVAILABLE */
  unsigned http_status;
  char http_path[512]; /* of the last HTTP request */
};

extern const trammel_host fake_host;

void fake_op_init(struct fake_op *op);
void fake_op_finish(struct fake_op *op);

#endif
