/* What a request over HTTP is answered with. */
#ifndef TRAMMEL_HOST_REST_ANSWER_H
#define TRAMMEL_HOST_REST_ANSWER_H

#include <jansson.h>
#include <stddef.h>

#include "sdk/base/error.h"

struct answer {
  unsigned status;  /* of HTTP */
  const char *type; /* media type; static */
  char *data;       /* heap; NULL without memory: then it is an empty 500 */
  size_t length;
};

/* Takes `value`; NULL is an answer that memory was missing for. */
struct answer answer_json(unsigned status, json_t *value);
/* Takes `data`, of the heap. */
struct answer answer_data(const char *type, char *data, size_t length);
/* A problem as RFC 9457 has it. */
struct answer answer_problem(unsigned status, const char *detail);
/* The problem that an error of the host is, where gRPC has the status of host/rpc/call_message.c: 400 for -EINVAL, 404
 * for -ENOENT, 409 for -EREMOTE, 429 for -EAGAIN and -E2BIG, 503 for -ESHUTDOWN and a store that cannot be used now,
 * 507 for -ENOSPC, else 500. */
struct answer answer_error(int r, const struct error *err);

#endif
