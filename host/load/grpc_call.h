/* What a target answers to a gRPC call: messages, each behind a prefix of five bytes, and a status (gRPC over HTTP/2).
 * Messages are counted and not kept. */
#ifndef TRAMMEL_HOST_LOAD_GRPC_CALL_H
#define TRAMMEL_HOST_LOAD_GRPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRPC_PREFIX 5
#define GRPC_STATUS_OK 0
#define GRPC_STATUS_COUNT 18 /* 0 to 16, and one for those that have no name */

/* "OK", "CANCELLED" …, "OTHER"; of 0 to GRPC_STATUS_COUNT - 1. */
const char *grpc_status_name(unsigned status);

struct grpc_call {
  uint32_t messages; /* that have begun to come */
  uint32_t left;     /* bytes of the current message that have not come */
  uint8_t prefix[GRPC_PREFIX];
  uint8_t prefix_length; /* bytes of it that have come; all of them: the message has begun */
  uint8_t first[2];      /* bytes of the first message */
  uint8_t first_length;  /* how many there are, at most one more than `first` has room for */
  bool has_status;
  bool broken;     /* what came is no gRPC */
  unsigned status; /* of the call */
};

/* The next bytes of the answer's body. */
void grpc_call_take(struct grpc_call *call, const uint8_t *data, size_t length);
/* A field of its head or its end: the status is taken, others are passed over. */
void grpc_call_field(struct grpc_call *call, const uint8_t *name, size_t name_length, const uint8_t *value,
                     size_t value_length);
/* The answer has ended, with this status of HTTP. Whether it is one of gRPC, or of something on the way, whose status
 * says what status the call has. */
bool grpc_call_end(struct grpc_call *call, unsigned http_status);
/* Of a call that has ended: whether it answers to a health check with SERVING (grpc.health.v1). */
bool grpc_call_serves(const struct grpc_call *call);

/* Puts the prefix of a message of `length` bytes. */
void grpc_prefix_put(uint8_t *at, uint32_t length);

#endif
