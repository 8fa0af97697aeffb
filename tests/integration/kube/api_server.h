/* A server for tests that speaks HTTP/1.1 over TLS as an API server does, and misbehaves as asked: a thread for each
 * connection, on a free port of 127.0.0.1. Aborts the test when it cannot work. */
#ifndef TRAMMEL_TESTS_KUBE_API_SERVER_H
#define TRAMMEL_TESTS_KUBE_API_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api_server;
struct api_connection;

struct api_request {
  char method[16];
  char path[8192]; /* with query */
  char authorization[512];
  char content_type[128];
  char impersonate_user[128];
  char host[128];
  char subject[128]; /* CN of the client's certificate; "" without */
  char *body;        /* NUL-terminated */
  size_t body_length;
  unsigned number;     /* of the server's requests, from 1 */
  unsigned connection; /* of the server's connections, from 1 */
};

/* Answers with the calls below, on the connection's thread. */
typedef void api_handler(struct api_connection *connection, const struct api_request *request, void *ctx);

/* With NAME.pem and NAME.key of `directory`; certificates of clients are asked for, and verified with `authority`.pem.
 */
struct api_server *api_server_start(const char *directory, const char *name, const char *authority,
                                    api_handler *handler, void *ctx);
/* Ends all connections and waits for their threads. */
void api_server_stop(struct api_server *server);
uint16_t api_server_port(const struct api_server *server);
unsigned api_server_requests(struct api_server *server);

/* `headers` are whole lines with \r\n, or NULL. */
void api_reply(struct api_connection *connection, unsigned status, const char *headers, const char *body);

/* An answer in pieces. */
void api_stream_start(struct api_connection *connection);
void api_stream_send(struct api_connection *connection, const char *text);
void api_stream_end(struct api_connection *connection);

/* The connection is reset. */
void api_drop(struct api_connection *connection);

/* Waits until the client closes, or the server is stopped; answers nothing. */
void api_hang(struct api_connection *connection);

#endif
