/* An HTTP/2 server to put load on, with a thread for each connection, that answers or misbehaves as told. */
#ifndef TRAMMEL_TESTS_INTEGRATION_LOAD_HTTP2_SERVER_H
#define TRAMMEL_TESTS_INTEGRATION_LOAD_HTTP2_SERVER_H

#include <stdint.h>

enum http2_conduct {
  HTTP2_ANSWERS,
  HTTP2_RESETS,     /* each request, by RST_STREAM */
  HTTP2_LEAVES,     /* answers ten requests of a connection, and gives it up by GOAWAY */
  HTTP2_CLOSES,     /* the connection, at its first request */
  HTTP2_BREAKS,     /* sends a frame of a stream that nobody opened, after the first request */
  HTTP2_MUTE,       /* answers no request whose stream's number is 3 modulo 4 */
  HTTP2_SILENT,     /* answers no request, and all that is of HTTP/2 alone */
  HTTP2_DEAD,       /* its first connection greets, and is silent for good; others answer */
  HTTP2_NO_REQUESTS /* is no HTTP/2: sends a line of another protocol */
};

struct http2_server_options {
  enum http2_conduct conduct;
  unsigned streams;                        /* SETTINGS_MAX_CONCURRENT_STREAMS; 0: not told */
  const char *certificate_file, *key_file; /* NULL: without TLS; or h2 by ALPN */
};

struct http2_server;

/* On a free port of 127.0.0.1. Fails the test when it can't start. */
struct http2_server *http2_server_start(const struct http2_server_options *options);
void http2_server_stop(struct http2_server *server);

/* "http://127.0.0.1:PORT/" or with https, borrowed. */
const char *http2_server_url(const struct http2_server *server);
/* Requests that came, bytes of their bodies, and the most that any connection had open at a time. */
uint64_t http2_server_requests(const struct http2_server *server);
uint64_t http2_server_body_bytes(const struct http2_server *server);
unsigned http2_server_most_open(const struct http2_server *server);

#endif
