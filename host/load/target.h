/* Where requests go, and what is sent there: all of it made once, before the run. */
#ifndef TRAMMEL_HOST_LOAD_TARGET_H
#define TRAMMEL_HOST_LOAD_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "host/load/http2_fields.h"
#include "host/load/tls.h"

#define TARGET_HEADERS_MAX 64
#define TARGET_URL_MAX 8192
#define TARGET_STREAMS_MAX 1000
#define TARGET_BODY_MAX (16U << 20) /* of all messages of a call together */
#define TARGET_CALL_MAX 1000        /* "PACKAGE.SERVICE/METHOD" */
#define TARGET_HEALTH_MAX 1000      /* a service's name */
#define TARGET_MESSAGES_MAX 1000000
#define TARGET_PORT_SIZE 8
#define TARGET_UDP_NUMBER sizeof(uint64_t) /* what a datagram begins with */
#define TARGET_UDP_MAX 65507               /* bytes of a datagram */

struct target_address {
  struct sockaddr_storage at;
  socklen_t length;
};

enum target_protocol {
  TARGET_HTTP1,
  TARGET_HTTP2,
  TARGET_GRPC,
  TARGET_TCP, /* echo: what is sent comes back */
  TARGET_UDP, /* the same, in datagrams */
};

/* "http/1.1", "h2", "grpc", "tcp", "udp": what results call it. */
const char *target_protocol_name(enum target_protocol protocol);

struct target_options {
  /* http://HOST[:PORT][/PATH][?QUERY], or https://; of gRPC without a path. Echo: tcp://HOST:PORT, udp://HOST:PORT */
  const char *url;
  const char *method;         /* NULL: POST with a body, else GET. For HTTP alone */
  const char *const *headers; /* "Name: value"; of gRPC, they are its metadata */
  size_t header_count;
  const char *body; /* of gRPC: one message, encoded; of echo: what is sent. NULL: none */
  size_t body_length;
  bool fresh;              /* each request has a connection of its own, and says so */
  bool http2;              /* without https, by prior knowledge (RFC 9113, 3.3); with it, agreed by ALPN */
  unsigned streams;        /* requests that a connection has on their way at most; 0: 1, as HTTP/1.1 and TCP have it */
  struct tls_options tls;  /* its server_name NULL: the URL's host. Without https, nothing of it may be set */
  const char *grpc;        /* each request is a call of "PACKAGE.SERVICE/METHOD", by HTTP/2; NULL: it is none */
  unsigned grpc_messages;  /* how many times a call sends the body, before it ends its side; 0: once */
  const char *grpc_health; /* instead of `grpc` and `body`: asks for the health of this service, "" for that of the
                              whole server (grpc.health.v1.Health/Check); NULL: does not */
};

struct target {
  enum target_protocol protocol;
  char *url;
  char *host; /* a name, or an address without brackets */
  char port[TARGET_PORT_SIZE];
  char *method;  /* of HTTP; "ECHO" of echo */
  char *call;    /* "PACKAGE.SERVICE/METHOD" of gRPC; NULL */
  char *request; /* the bytes of one; of UDP, TARGET_UDP_NUMBER of them are to be set for each */
  size_t request_length;
  bool head, fresh;
  bool http2; /* gRPC, too */
  unsigned streams;
  struct http2_fields fields; /* of HTTP/2 */
  const char *body;           /* the end of `request` */
  size_t body_length;
  uint32_t messages;             /* of gRPC: how many the body is */
  bool health;                   /* gRPC: an answer other than SERVING is an error */
  struct tls *tls;               /* NULL: none */
  struct target_address address; /* once it is resolved */
};

/* -EINVAL says which option is wrong, and what is wanted. */
int target_create(const struct target_options *options, struct target **ret_target, struct error **err);
void target_destroy(struct target *target);
DEFINE_CLEANUP(struct target *, target_destroy);

/* Looks its addresses up, and takes the first one that a connection can be made to in `timeout_ns`; the first of all
 * when there is none. -EHOSTUNREACH with the resolver's reason; may take as long as the system's resolver. */
int target_resolve(struct target *target, int64_t timeout_ns, struct error **err);

#endif
