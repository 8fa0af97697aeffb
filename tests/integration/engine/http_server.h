/* An HTTP server for tests, on a thread of its own and a free port of 127.0.0.1. */
#ifndef TRAMMEL_TESTS_HTTP_SERVER_H
#define TRAMMEL_TESTS_HTTP_SERVER_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdint.h>

struct http_server;

/* Called on the server's thread for each request; answers it, or keeps it and never does. */
typedef void http_server_handler(struct http_server *server, struct evhttp_request *request, void *ctx);

/* Aborts the test when it cannot start. */
struct http_server *http_server_start(http_server_handler *handler, void *ctx);
void http_server_stop(struct http_server *server);

uint16_t http_server_port(const struct http_server *server);
/* "http://127.0.0.1:PORT". Borrowed. */
const char *http_server_url(const struct http_server *server);
struct event_base *http_server_base(struct http_server *server);

/* "PUT", "GET" … of a request. */
const char *request_method(struct evhttp_request *request);
/* The body as a heap string. */
char *request_body(struct evhttp_request *request);
/* Answers with a body. */
void request_answer(struct evhttp_request *request, int status, const char *content_type, const char *body);

#endif
