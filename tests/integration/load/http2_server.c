#include "tests/integration/load/http2_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CLIENTS_MAX 256
#define LEAVES_AFTER 10

struct http2_client {
  struct http2_server *server;
  pthread_t thread;
  int fd;
  SSL *ssl;
  nghttp2_session *session;
  unsigned open, requests;
  bool broken; /* ends when what is ready has been sent */
};

struct http2_server {
  pthread_t thread;
  struct http2_server_options options;
  SSL_CTX *context;
  int listener;
  char url[64];
  struct http2_client clients[CLIENTS_MAX];
  unsigned count;
  atomic_uint_fast64_t requests, body_bytes;
  atomic_uint most_open;
};

/* ---- the bytes of a connection */

static ssize_t get(const struct http2_client *client, void *buffer, size_t size) {
  return client->ssl ? SSL_read(client->ssl, buffer, (int)size) : recv(client->fd, buffer, size, 0);
}

static bool put(const struct http2_client *client, const void *data, size_t length) {
  if (client->ssl)
    return SSL_write(client->ssl, data, (int)length) == (int)length;
  return send(client->fd, data, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static bool flush(const struct http2_client *client) {
  const uint8_t *data;
  ssize_t n;
  while ((n = nghttp2_session_mem_send(client->session, &data)) > 0)
    if (!put(client, data, (size_t)n))
      return false;
  return n == 0;
}

/* ---- requests */

static ssize_t read_hello(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t size, uint32_t *flags,
                          nghttp2_data_source *source, void *user_data) {
  static const uint8_t hello[] = {'h', 'e', 'l', 'l', 'o', '\n'};
  (void)session;
  (void)stream;
  (void)size;
  (void)source;
  (void)user_data;
  memcpy(buffer, hello, sizeof(hello));
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  return sizeof(hello);
}

static void answer(struct http2_client *client, int32_t stream) {
  static uint8_t name[] = ":status", value[] = "200";
  const nghttp2_nv status = {.name = name, .value = value, .namelen = 7, .valuelen = 3};
  const nghttp2_data_provider body = {.read_callback = read_hello};
  (void)nghttp2_submit_response(client->session, stream, &status, 1, &body);
}

static void act(struct http2_client *client, int32_t stream) {
  static const uint8_t foreign[] = {0, 0, 1, NGHTTP2_DATA, 0, 0, 0, 0x7f, 0xff, 'x'};
  switch (client->server->options.conduct) {
  case HTTP2_RESETS:
    (void)nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_INTERNAL_ERROR);
    return;
  case HTTP2_LEAVES:
    answer(client, stream);
    if (client->requests == LEAVES_AFTER)
      (void)nghttp2_submit_goaway(client->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR, NULL, 0);
    return;
  case HTTP2_CLOSES:
    client->broken = true;
    return;
  case HTTP2_BREAKS:
    (void)put(client, foreign, sizeof(foreign));
    return;
  case HTTP2_SILENT:
    return;
  case HTTP2_MUTE:
    if (stream % 4 != 3)
      answer(client, stream);
    return;
  default:
    answer(client, stream);
  }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
  struct http2_client *client = user_data;
  (void)session;
  bool of_request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!of_request || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
    return 0;
  atomic_fetch_add(&client->server->requests, 1);
  client->requests++;
  act(client, frame->hd.stream_id);
  return 0;
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
  struct http2_client *client = user_data;
  (void)session;
  (void)frame;
  unsigned most = atomic_load(&client->server->most_open);
  client->open++;
  while (client->open > most && !atomic_compare_exchange_weak(&client->server->most_open, &most, client->open))
    continue;
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user_data) {
  struct http2_client *client = user_data;
  (void)session;
  (void)stream;
  (void)code;
  client->open--;
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t length,
                   void *user_data) {
  struct http2_client *client = user_data;
  (void)session;
  (void)flags;
  (void)stream;
  (void)data;
  atomic_fetch_add(&client->server->body_bytes, length);
  return 0;
}

/* ---- a connection */

static bool make_session(struct http2_client *client) {
  nghttp2_session_callbacks *callbacks;
  const nghttp2_settings_entry limit = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, client->server->options.streams};
  if (nghttp2_session_callbacks_new(&callbacks) != 0)
    return false;
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  int r = nghttp2_session_server_new(&client->session, callbacks, client);
  nghttp2_session_callbacks_del(callbacks);
  if (r == 0)
    r = nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &limit, limit.value > 0);
  return r == 0;
}

static bool is_dead(const struct http2_client *client) {
  return client->server->options.conduct == HTTP2_DEAD && client == client->server->clients;
}

static void serve(struct http2_client *client) {
  uint8_t buffer[16384];
  ssize_t n;
  if (!make_session(client))
    return;
  if (is_dead(client) && flush(client)) {
    while (get(client, buffer, sizeof(buffer)) > 0)
      continue;
    return;
  }
  while (flush(client) && !client->broken && (n = get(client, buffer, sizeof(buffer))) > 0)
    if (nghttp2_session_mem_recv(client->session, buffer, (size_t)n) != n)
      return;
}

static void *client_main(void *argument) {
  struct http2_client *client = argument;
  const struct http2_server *server = client->server;
  bool stands = true;
  if (server->context) {
    client->ssl = SSL_new(server->context);
    stands = client->ssl && SSL_set_fd(client->ssl, client->fd) == 1 && SSL_accept(client->ssl) == 1;
  }
  if (stands && server->options.conduct == HTTP2_NO_REQUESTS)
    (void)put(client, "220 smtp.test ESMTP\r\n", 21);
  else if (stands)
    serve(client);
  nghttp2_session_del(client->session);
  SSL_free(client->ssl);
  (void)shutdown(client->fd, SHUT_WR); /* closed when the server stops: until then, the number is not used anew */
  return NULL;
}

/* ---- the server */

static void *server_main(void *argument) {
  struct http2_server *server = argument;
  int fd;
  while (server->count < CLIENTS_MAX && (fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
    struct http2_client *client = &server->clients[server->count];
    *client = (struct http2_client){.server = server, .fd = fd};
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (pthread_create(&client->thread, NULL, client_main, client) == 0)
      server->count++;
    else
      (void)close(fd);
  }
  return NULL;
}

static int choose(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_length, const unsigned char *offered,
                  unsigned offered_length, void *argument) {
  static const unsigned char wanted[] = "\x02h2";
  (void)ssl;
  (void)argument;
  int r = SSL_select_next_proto((unsigned char **)(uintptr_t)ret_name, ret_length, wanted, 3, offered, offered_length);
  return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *make_context(const struct http2_server_options *options) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  assert_non_null(context);
  assert_int_equal(SSL_CTX_use_certificate_chain_file(context, options->certificate_file), 1);
  assert_int_equal(SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM), 1);
  SSL_CTX_set_alpn_select_cb(context, choose, NULL);
  return context;
}

struct http2_server *http2_server_start(const struct http2_server_options *options) {
  struct http2_server *server = calloc(1, sizeof(*server));
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(at);
  assert_non_null(server);
  (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that are closed */
  server->options = *options;
  server->context = options->certificate_file ? make_context(options) : NULL;
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(server->listener >= 0);
  assert_int_equal(bind(server->listener, (struct sockaddr *)&at, sizeof(at)), 0);
  assert_int_equal(listen(server->listener, 128), 0);
  assert_int_equal(getsockname(server->listener, (struct sockaddr *)&at, &size), 0);
  (void)snprintf(server->url, sizeof(server->url), "%s://127.0.0.1:%d/", server->context ? "https" : "http",
                 ntohs(at.sin_port));
  assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
  return server;
}

void http2_server_stop(struct http2_server *server) {
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

const char *http2_server_url(const struct http2_server *server) {
  return server->url;
}

uint64_t http2_server_requests(const struct http2_server *server) {
  return atomic_load(&server->requests);
}

uint64_t http2_server_body_bytes(const struct http2_server *server) {
  return atomic_load(&server->body_bytes);
}

unsigned http2_server_most_open(const struct http2_server *server) {
  return atomic_load(&server->most_open);
}
