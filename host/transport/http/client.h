/* An HTTP client for control APIs (libcurl): bounded, with a deadline, cancellable, keeping its connections open. One
 * per thread. Proxies of the environment are not used, redirects are followed only
 * where a request says so, and only http and https are spoken. A
 * program that speaks https ignores SIGPIPE. */
#ifndef TRAMMEL_HOST_TRANSPORT_HTTP_CLIENT_H
#define TRAMMEL_HOST_TRANSPORT_HTTP_CLIENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"

/* The most bytes of a response body unless the request says otherwise, and of all its header lines. */
#define HTTP_BODY_MAX (64u * 1024 * 1024)
#define HTTP_HEAD_MAX (256u * 1024)

/* How long a request may take unless it has a deadline. */
#define HTTP_TIMEOUT_DEFAULT_NS (30 * INT64_C(1000000000))

struct http_client;

struct http_request {
  const char *method;       /* capital letters */
  const char *url;          /* http:// or https:// */
  const char *content_type; /* NULL: application/json when there is a body */
  const void *body;
  size_t body_length;
  size_t response_max;       /* 0: HTTP_BODY_MAX */
  int64_t deadline_ns;       /* CLOCK_MONOTONIC; 0: HTTP_TIMEOUT_DEFAULT_NS from now */
  const atomic_bool *cancel; /* polled every 20 ms; NULL: none */
  unsigned redirects_max;    /* of a GET, never from https to http; 0: a redirect is an answer like any other */
};

struct http_response {
  unsigned status;
  char *body; /* heap, NUL-terminated, never NULL */
  size_t body_length;
  char content_type[128]; /* "" when the response had none */
};

int http_client_create(struct http_client **ret_client, struct error **err);
void http_client_destroy(struct http_client *client);
DEFINE_CLEANUP(struct http_client *, http_client_destroy);

/* Sends and waits. Any HTTP status is success. -ETIMEDOUT, -ECANCELED, -EFBIG (response over its limit), -ECONNREFUSED,
 * -ELOOP (too many redirects), -EINVAL (no request that could be sent), -EIO, -ENOMEM, with a reason that names method
 * and URL, without the URL's user information and query. */
int http_client_send(struct http_client *client, const struct http_request *request, struct http_response *ret_response,
                     struct error **err);

/* Frees what the response holds. */
void http_response_finish(struct http_response *response);

#endif
