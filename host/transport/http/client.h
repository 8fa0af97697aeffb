/* An HTTP client for control APIs (libcurl): bounded, with a deadline, cancellable. One per thread. */
#ifndef TRAMMEL_HOST_TRANSPORT_HTTP_CLIENT_H
#define TRAMMEL_HOST_TRANSPORT_HTTP_CLIENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"

/* The most bytes of a response body unless the request says otherwise. */
#define HTTP_BODY_MAX (64u * 1024 * 1024)

struct http_client;

struct http_request {
  const char *method;
  const char *url; /* http:// or https:// */
  const char *content_type; /* NULL: application/json when there is a body */
  const void *body;
  size_t body_length;
  size_t response_max;       /* 0: HTTP_BODY_MAX */
  int64_t deadline_ns;       /* CLOCK_MONOTONIC; 0: 30 s from now */
  const atomic_bool *cancel; /* polled; NULL: none */
};

struct http_response {
  unsigned status;
  char *body; /* heap, NUL-terminated */
  size_t body_length;
  char content_type[128];
};

int http_client_create(struct http_client **ret_client, struct error **err);
void http_client_destroy(struct http_client *client);
DEFINE_CLEANUP(struct http_client *, http_client_destroy);

/* Sends and waits. Any HTTP status is success. -ETIMEDOUT, -ECANCELED, -EFBIG (body over the limit), -ECONNREFUSED, -EIO with a reason that
 * names method and URL (never a credential in it). */
int http_client_send(struct http_client *client, const struct http_request *request, struct http_response *ret_response,
                     struct error **err);
void http_response_finish(struct http_response *response);

#endif
