/* The fields of a request as HTTP/2 has them (RFC 9113, 8.3): made once, and given to nghttp2 without a copy. */
#ifndef TRAMMEL_HOST_LOAD_HTTP2_FIELDS_H
#define TRAMMEL_HOST_LOAD_HTTP2_FIELDS_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#include "sdk/base/error.h"

struct http2_request {
  const char *method, *scheme, *authority, *path;
  const char *const *headers; /* "Name: value", well-formed; a Host takes the place of `authority` */
  size_t header_count;
  bool grpc; /* with the fields that a call has; without content-length */
  bool has_body;
  size_t body_length;
};

struct http2_fields {
  nghttp2_nv *list; /* of `text` */
  size_t count;
  char *text;
};

/* -EINVAL names a header that HTTP/2 does not have. */
int http2_fields_init(struct http2_fields *fields, const struct http2_request *request, struct error **err);
void http2_fields_finish(struct http2_fields *fields);

#endif
