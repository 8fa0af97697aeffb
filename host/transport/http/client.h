/* An HTTP client for control APIs (libcurl): bounded, with a deadline, cancellable, keeping its connections open. One
 * per thread. Proxies of the environment are not used, redirects are followed only
 * where a request says so, and only http and https are spoken. Certificates of servers are always verified. A
 * program that speaks https ignores SIGPIPE. */
#ifndef TRAMMEL_HOST_TRANSPORT_HTTP_CLIENT_H
#define TRAMMEL_HOST_TRANSPORT_HTTP_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"

/* The most bytes of a response body unless the request says otherwise, and of all its header lines. */
#define HTTP_BODY_MAX (64u * 1024 * 1024)
#define HTTP_HEAD_MAX (256u * 1024)

/* How long a request may take unless it has a deadline. */
#define HTTP_TIMEOUT_DEFAULT_NS (30 * INT64_C(1000000000))

struct http_client;

/* How a client connects. All texts are copied; NULL each for the default. */
struct http_client_options {
  const char *authorities; /* PEM: the only ones that a server's certificate may come from; NULL: the system's */
  const char *certificate; /* PEM, with the chain: who this client is */
  const char *key;         /* PEM, without passphrase: of `certificate` */
  const char *server_name; /* asked for and verified in place of the URL's host */
  const char *proxy;       /* http://, https:// or socks5:// with host and port; NULL: none */
  const char *user_agent;  /* NULL: "trammel" */
};

/* Takes a piece of the body of an answer with `status` as it comes. False ends the transfer. */
typedef bool http_data_fn(unsigned status, const char *data, size_t length, void *ctx);

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
  bool once; /* must not reach the server twice: on a new connection, since libcurl repeats what an old one lost */
  const char *const *headers; /* "Name: value", NULL-terminated; NULL: none. Never shown in messages */
  http_data_fn *on_data;      /* called on this thread instead of collecting the body, whose limit then does not hold */
  void *data_ctx;
};

struct http_response {
  unsigned status;
  char *body; /* heap, NUL-terminated, never NULL */
  size_t body_length;
  char content_type[128]; /* "" when the response had none */
  int64_t retry_after_s;  /* of a Retry-After that is in the future; 0: none */
};

int http_client_create(struct http_client **ret_client, struct error **err);

/* The same, connecting as `options` say. */
int http_client_create_with(const struct http_client_options *options, struct http_client **ret_client,
                            struct error **err);
void http_client_destroy(struct http_client *client);
DEFINE_CLEANUP(struct http_client *, http_client_destroy);

/* Sends and waits. Any HTTP status is success. -ETIMEDOUT, -ECANCELED (also by on_data), -EFBIG (response over its
 * limit), -ECONNREFUSED and -EHOSTUNREACH (nothing was sent), -ECONNRESET (the connection ended before the answer did:
 * whether the request took effect is unknown), -ELOOP (too many redirects), -EINVAL (no request that could be sent),
 * -EIO (anything else, such as a certificate that does not verify), -ENOMEM, with a reason that names method and URL,
 * without the URL's user information and query. */
int http_client_send(struct http_client *client, const struct http_request *request, struct http_response *ret_response,
                     struct error **err);

/* Frees what the response holds. */
void http_response_finish(struct http_response *response);

#endif
