#include "host/load/grpc_call.h"

#include <string.h>

const char *grpc_status_name(unsigned status) {
  static const char *const names[GRPC_STATUS_COUNT] = {"OK",
                                                       "CANCELLED",
                                                       "UNKNOWN",
                                                       "INVALID_ARGUMENT",
                                                       "DEADLINE_EXCEEDED",
                                                       "NOT_FOUND",
                                                       "ALREADY_EXISTS",
                                                       "PERMISSION_DENIED",
                                                       "RESOURCE_EXHAUSTED",
                                                       "FAILED_PRECONDITION",
                                                       "ABORTED",
                                                       "OUT_OF_RANGE",
                                                       "UNIMPLEMENTED",
                                                       "INTERNAL",
                                                       "UNAVAILABLE",
                                                       "DATA_LOSS",
                                                       "UNAUTHENTICATED",
                                                       "OTHER"};
  return names[status];
}

void grpc_prefix_put(uint8_t *at, uint32_t length) {
  at[0] = 0; /* not compressed */
  for (int i = 0; i < 4; i++)
    at[1 + i] = (uint8_t)(length >> (8 * (3 - i)));
}

/* ---- messages */

static size_t take_prefix(struct grpc_call *call, const uint8_t *data, size_t length) {
  size_t wanted = (size_t)(GRPC_PREFIX - call->prefix_length), taken = length < wanted ? length : wanted;
  memcpy(call->prefix + call->prefix_length, data, taken);
  call->prefix_length = (uint8_t)(call->prefix_length + taken);
  if (call->prefix_length < GRPC_PREFIX)
    return taken;
  for (int i = 1; i < GRPC_PREFIX; i++)
    call->left = call->left << 8 | call->prefix[i];
  call->broken |= call->prefix[0] != 0; /* no compression was offered */
  call->messages++;
  return taken;
}

static void keep_first(struct grpc_call *call, const uint8_t *data, size_t length) {
  for (size_t i = 0; call->messages == 1 && i < length && call->first_length <= sizeof(call->first); i++) {
    if (call->first_length < sizeof(call->first))
      call->first[call->first_length] = data[i];
    call->first_length++;
  }
}

void grpc_call_take(struct grpc_call *call, const uint8_t *data, size_t length) {
  while (length > 0 && !call->broken) {
    size_t taken;
    if (call->prefix_length < GRPC_PREFIX) {
      taken = take_prefix(call, data, length);
    } else {
      taken = length < call->left ? length : call->left;
      keep_first(call, data, taken);
      call->left -= (uint32_t)taken;
    }
    if (call->prefix_length == GRPC_PREFIX && call->left == 0)
      call->prefix_length = 0;
    data += taken;
    length -= taken;
  }
}

/* ---- the end */

/* Digits, without more: what is none of 0 to 16 has no name. */
static unsigned read_status(const uint8_t *value, size_t length) {
  unsigned status = 0;
  for (size_t i = 0; i < length; i++)
    if (value[i] < '0' || value[i] > '9' || (status = 10 * status + (unsigned)(value[i] - '0')) > 16)
      return GRPC_STATUS_COUNT - 1;
  return length > 0 ? status : GRPC_STATUS_COUNT - 1;
}

void grpc_call_field(struct grpc_call *call, const uint8_t *name, size_t name_length, const uint8_t *value,
                     size_t value_length) {
  static const char wanted[] = "grpc-status";
  if (name_length != sizeof(wanted) - 1 || memcmp(name, wanted, name_length) != 0)
    return;
  call->has_status = true;
  call->status = read_status(value, value_length);
}

/* "HTTP to gRPC Status Code Mapping" of the gRPC project. */
static unsigned status_of_http(unsigned status) {
  switch (status) {
  case 400:
    return 13;
  case 401:
    return 16;
  case 403:
    return 7;
  case 404:
    return 12;
  case 429:
  case 502:
  case 503:
  case 504:
    return 14;
  default:
    return 2;
  }
}

bool grpc_call_end(struct grpc_call *call, unsigned http_status) {
  if (!call->has_status && http_status != 200) {
    call->status = status_of_http(http_status);
    return true;
  }
  return call->has_status && !call->broken && call->prefix_length == 0;
}

bool grpc_call_serves(const struct grpc_call *call) {
  static const uint8_t serving[] = {0x08, 0x01}; /* HealthCheckResponse.status = SERVING */
  return call->status == GRPC_STATUS_OK && call->messages == 1 && call->first_length == sizeof(serving) &&
         memcmp(call->first, serving, sizeof(serving)) == 0;
}
