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
#define TARGET_BODY_MAX (16U << 20)

struct target_address {
  struct sockaddr_storage at;
  socklen_t length;
};

struct target_options {
  const char *url; /* http://HOST[:PORT][/PATH][?QUERY], or https:// */
  const char *method;
  const char *const *headers; /* "Name: value" */
  size_t header_count;
  const char *body; /* NULL: none */
  size_t body_length;
  bool fresh;             /* each request has a connection of its own, and says so */
  bool http2;             /* without https, by prior knowledge (RFC 9113, 3.3); with it, agreed by ALPN */
  unsigned streams;       /* requests that a connection has on their way at most; 0: 1, as HTTP/1.1 has it */
  struct tls_options tls; /* its server_name NULL: the URL's host. Without https, nothing of it may be set */
};

struct target {
  char *url;
  char *host; /* a name, or an address without brackets */
  char port[8];
  char *request; /* the bytes of one */
  size_t request_length;
  bool head, fresh;
  bool http2;
  unsigned streams;
  struct http2_fields fields; /* of HTTP/2; its body is the end of `request` */
  const char *body;
  size_t body_length;
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
