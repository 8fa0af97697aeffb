/* A server for tests that speaks HTTP/1.1 over TLS as an API server does, and misbehaves as asked: a thread for each
 * connection, on a free port of 127.0.0.1. Aborts the test when it cannot work. */
#ifndef TRAMMEL_TESTS_KUBE_FAKE_SERVER_H
#define TRAMMEL_TESTS_KUBE_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_server;
struct fake_connection;

struct fake_request {
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
typedef void fake_handler(struct fake_connection *connection, const struct fake_request *request, void *ctx);

/* With NAME.pem and NAME.key of `directory`; certificates of clients are asked for, and verified with `authority`.pem.
 */
struct fake_server *fake_server_start(const char *directory, const char *name, const char *authority,
                                      fake_handler *handler, void *ctx);
/* Ends all connections and waits for their threads. */
void fake_server_stop(struct fake_server *server);
uint16_t fake_server_port(const struct fake_server *server);
unsigned fake_server_requests(struct fake_server *server);

/* `headers` are whole lines with \r\n, or NULL. */
void fake_reply(struct fake_connection *connection, unsigned status, const char *headers, const char *body);

/* An answer in pieces. */
void fake_stream_start(struct fake_connection *connection);
void fake_stream_send(struct fake_connection *connection, const char *text);
void fake_stream_end(struct fake_connection *connection);

/* The connection is reset. */
void fake_drop(struct fake_connection *connection);

/* Waits until the client closes, or the server is stopped; answers nothing. */
void fake_hang(struct fake_connection *connection);

#endif
