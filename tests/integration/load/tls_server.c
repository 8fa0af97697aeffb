#include "tests/integration/load/tls_server.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CLIENTS_MAX 256

struct client {
  struct tls_server *server;
  pthread_t thread;
  int fd;
};

struct tls_server {
  pthread_t thread;
  struct tls_server_options options;
  SSL_CTX *context;
  int listener;
  char url[64];
  struct client clients[CLIENTS_MAX];
  unsigned count;
  atomic_uint_fast64_t handshakes, resumed;
};

/* ---- a connection */

static bool put(SSL *ssl, const char *data, size_t length) {
  size_t sent;
  return SSL_write_ex(ssl, data, length, &sent) == 1 && sent == length;
}

static bool answer(SSL *ssl) {
  static char body[TLS_SERVER_BODY];
  char head[96];
  int length = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", TLS_SERVER_BODY);
  return put(ssl, head, (size_t)length) && put(ssl, body, sizeof(body));
}

/* Whether the connection stays. */
static bool act(const struct client *client, SSL *ssl) {
  static const char head[] = "HTTP/1.1 200 OK\r\n";
  switch (client->server->options.conduct) {
  case TLS_ANSWERS:
    return answer(ssl);
  case TLS_CUTS:
    (void)put(ssl, head, sizeof(head) - 1);
    return false;
  case TLS_BREAKS:
    (void)!send(client->fd, head, sizeof(head) - 1, MSG_NOSIGNAL);
    return true;
  }
  return false;
}

static void *client_main(void *argument) {
  struct client *client = argument;
  SSL *ssl = SSL_new(client->server->context);
  char buffer[4096];
  size_t length;
  if (ssl && SSL_set_fd(ssl, client->fd) == 1 && SSL_accept(ssl) == 1) {
    atomic_fetch_add(&client->server->handshakes, 1);
    atomic_fetch_add(&client->server->resumed, (uint64_t)SSL_session_reused(ssl));
    while (SSL_read_ex(ssl, buffer, sizeof(buffer), &length) == 1 && act(client, ssl))
      continue;
  }
  SSL_free(ssl);
  (void)shutdown(client->fd, SHUT_RDWR); /* closed when the server stops: until then, the number is not used anew */
  return NULL;
}

/* ---- the server */

static void *server_main(void *argument) {
  struct tls_server *server = argument;
  int fd;
  while (server->count < CLIENTS_MAX && (fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
    struct client *client = &server->clients[server->count];
    *client = (struct client){.server = server, .fd = fd};
    if (pthread_create(&client->thread, NULL, client_main, client) == 0)
      server->count++;
    else
      (void)close(fd);
  }
  return NULL;
}

static int choose(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_length, const unsigned char *offered,
                  unsigned offered_length, void *argument) {
  const struct tls_server *server = argument;
  (void)ssl;
  (void)offered;
  (void)offered_length;
  *ret_name = (const unsigned char *)server->options.protocol;
  *ret_length = (unsigned char)strlen(server->options.protocol);
  return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_context(struct tls_server *server) {
  const struct tls_server_options *options = &server->options;
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  assert_non_null(context);
  assert_int_equal(SSL_CTX_use_certificate_chain_file(context, options->certificate_file), 1);
  assert_int_equal(SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM), 1);
  (void)SSL_CTX_set_session_id_context(context, (const unsigned char *)"load", 4);
  if (options->client_authority) {
    assert_int_equal(SSL_CTX_load_verify_file(context, options->client_authority), 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  }
  if (options->protocol)
    SSL_CTX_set_alpn_select_cb(context, choose, server);
  return context;
}

struct tls_server *tls_server_start(const struct tls_server_options *options) {
  struct tls_server *server = calloc(1, sizeof(*server));
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(at);
  assert_non_null(server);
  (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that are closed */
  server->options = *options;
  server->context = make_context(server);
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(server->listener >= 0);
  assert_int_equal(bind(server->listener, (struct sockaddr *)&at, sizeof(at)), 0);
  assert_int_equal(listen(server->listener, 128), 0);
  assert_int_equal(getsockname(server->listener, (struct sockaddr *)&at, &size), 0);
  (void)snprintf(server->url, sizeof(server->url), "https://127.0.0.1:%d/", ntohs(at.sin_port));
  assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
  return server;
}

void tls_server_stop(struct tls_server *server) {
  (void)shutdown(server->listener, SHUT_RDWR);
  assert_int_equal(pthread_join(server->thread, NULL), 0);
  for (unsigned i = 0; i < server->count; i++) {
    (void)shutdown(server->clients[i].fd, SHUT_RDWR);
    assert_int_equal(pthread_join(server->clients[i].thread, NULL), 0);
    (void)close(server->clients[i].fd);
  }
  (void)close(server->listener);
  SSL_CTX_free(server->context);
  free(server);
}

const char *tls_server_url(const struct tls_server *server) {
  return server->url;
}

uint64_t tls_server_handshakes(const struct tls_server *server) {
  return atomic_load(&server->handshakes);
}

uint64_t tls_server_resumed(const struct tls_server *server) {
  return atomic_load(&server->resumed);
}
