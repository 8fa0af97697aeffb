#include "host/load/protocol.h"

const struct protocol *protocol_of(const struct target *target) {
  switch (target->protocol) {
  case TARGET_HTTP1:
    return &http1_protocol;
  case TARGET_HTTP2:
  case TARGET_GRPC:
    return &http2_protocol;
  case TARGET_TCP:
    return &tcp_protocol;
  case TARGET_UDP:
    return &udp_protocol;
  }
  return NULL;
}
