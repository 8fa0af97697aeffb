#include "tests/integration/kube/fake_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define HEAD_MAX 65536

struct fake_connection {
  struct fake_server *server;
  pthread_t thread;
  int fd;
  SSL *ssl;
  unsigned number;
  bool over; /* no further request is read */
};

struct fake_server {
  SSL_CTX *tls;
  int listener;
  uint16_t port;
  pthread_t thread;
  fake_handler *handler;
  void *ctx;
  atomic_bool stopping;
  atomic_uint requests;
  pthread_mutex_t lock;
  struct fake_connection *connections[CONNECTIONS_MAX];
  unsigned connection_count;
};

static void need(bool condition, const char *what) {
  if (!condition) {
    (void)fprintf(stderr, "fake API server: %s: %s\n", what, strerror(errno));
    abort();
  }
}

static bool write_all(struct fake_connection *c, const char *data, size_t length) {
  size_t written = 0;

  if (c->over || length == 0)
    return !c->over;
  if (SSL_write_ex(c->ssl, data, length, &written) != 1) {
    c->over = true;
    return false;
  }
  return true;
}

void fake_reply(struct fake_connection *c, unsigned status, const char *headers, const char *body) {
  char head[4096];
  int length =
      snprintf(head, sizeof(head), "HTTP/1.1 %u X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n",
               status, strlen(body), headers ? headers : "");

  need(length > 0 && (size_t)length < sizeof(head), "head");
  if (write_all(c, head, (size_t)length))
    (void)write_all(c, body, strlen(body));
}

void fake_stream_start(struct fake_connection *c) {
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

  (void)write_all(c, head, sizeof(head) - 1);
}

void fake_stream_send(struct fake_connection *c, const char *text) {
  char size[32];
  int length = snprintf(size, sizeof(size), "%zx\r\n", strlen(text));

  if (write_all(c, size, (size_t)length) && write_all(c, text, strlen(text)))
    (void)write_all(c, "\r\n", 2);
}

void fake_stream_end(struct fake_connection *c) {
  (void)write_all(c, "0\r\n\r\n", 5);
}

void fake_drop(struct fake_connection *c) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};

  (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  c->over = true;
}

/* A client that goes sends a TLS alert or only the end of the connection: either way there is something to read. */
void fake_hang(struct fake_connection *c) {
  struct pollfd fd = {.fd = c->fd, .events = POLLIN | POLLRDHUP};

  c->over = true;
  while (!atomic_load(&c->server->stopping) && poll(&fd, 1, 50) == 0)
    ;
}

static bool read_more(struct fake_connection *c, char *buffer, size_t room, size_t *length) {
  size_t n = 0;

  if (room == 0 || SSL_read_ex(c->ssl, buffer + *length, room, &n) != 1)
    return false;
  *length += n;
  buffer[*length] = '\0';
  return true;
}

static void copy_header(const char *head, const char *name, char *out, size_t size) {
  size_t name_length = strlen(name);

  out[0] = '\0';
  for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
    if (strncasecmp(line + 2, name, name_length) == 0 && line[2 + name_length] == ':') {
      const char *value = line + 3 + name_length;
      value += strspn(value, " ");
      (void)snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
      return;
    }
}

static void read_subject(struct fake_connection *c, struct fake_request *request) {
  X509 *certificate = SSL_get1_peer_certificate(c->ssl);

  request->subject[0] = '\0';
  if (!certificate)
    return;
  (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, request->subject,
                                  sizeof(request->subject));
  X509_free(certificate);
}

/* What of the body came with the head is after its end. */
static bool read_body(struct fake_connection *c, const char *start, size_t have, struct fake_request *request) {
  char text[32];
  char *head_end = (char *)(uintptr_t)start;

  copy_header(head_end, "Content-Length", text, sizeof(text));
  request->body_length = (size_t)strtoul(text, NULL, 10);
  request->body = calloc(1, request->body_length + 1);
  need(request->body != NULL, "memory");
  char *body = strstr(head_end, "\r\n\r\n") + 4;
  size_t length = have - (size_t)(body - head_end);
  memcpy(request->body, body, length < request->body_length ? length : request->body_length);
  while (length < request->body_length)
    if (!read_more(c, request->body, request->body_length - length, &length))
      return false;
  return true;
}

static bool read_request(struct fake_connection *c, struct fake_request *request) {
  static _Thread_local char head[HEAD_MAX + 1];
  size_t length = 0;

  head[0] = '\0';
  while (!strstr(head, "\r\n\r\n"))
    if (!read_more(c, head, HEAD_MAX - length, &length))
      return false;
  if (sscanf(head, "%15s %8191s", request->method, request->path) != 2)
    return false;
  copy_header(head, "Authorization", request->authorization, sizeof(request->authorization));
  copy_header(head, "Content-Type", request->content_type, sizeof(request->content_type));
  copy_header(head, "Impersonate-User", request->impersonate_user, sizeof(request->impersonate_user));
  copy_header(head, "Host", request->host, sizeof(request->host));
  read_subject(c, request);
  return read_body(c, head, length, request);
}

static void serve(struct fake_connection *c) {
  while (!c->over) {
    struct fake_request request = {.connection = c->number};
    if (read_request(c, &request)) {
      request.number = atomic_fetch_add(&c->server->requests, 1) + 1;
      c->server->handler(c, &request, c->server->ctx);
    } else {
      c->over = true;
    }
    free(request.body);
  }
}

static void *run_connection(void *ctx) {
  struct fake_connection *c = ctx;

  (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  c->ssl = SSL_new(c->server->tls);
  need(c->ssl && SSL_set_fd(c->ssl, c->fd) == 1, "TLS");
  if (SSL_accept(c->ssl) == 1)
    serve(c);
  (void)pthread_mutex_lock(&c->server->lock);
  SSL_free(c->ssl);
  (void)close(c->fd);
  c->fd = -1;
  (void)pthread_mutex_unlock(&c->server->lock);
  return NULL;
}

static void *run_listener(void *ctx) {
  struct fake_server *server = ctx;

  for (;;) {
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
      return NULL;
    (void)pthread_mutex_lock(&server->lock);
    need(server->connection_count < CONNECTIONS_MAX, "too many connections");
    struct fake_connection *c = calloc(1, sizeof(*c));
    need(c != NULL, "memory");
    *c = (struct fake_connection){.server = server, .fd = fd, .number = server->connection_count + 1};
    server->connections[server->connection_count++] = c;
    need(pthread_create(&c->thread, NULL, run_connection, c) == 0, "thread");
    (void)pthread_mutex_unlock(&server->lock);
  }
}

static SSL_CTX *make_tls(const char *directory, const char *name, const char *authority) {
  char path[4096];
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

  need(tls != NULL, "TLS");
  (void)snprintf(path, sizeof(path), "%s/%s.pem", directory, name);
  need(SSL_CTX_use_certificate_chain_file(tls, path) == 1, path);
  (void)snprintf(path, sizeof(path), "%s/%s.key", directory, name);
  need(SSL_CTX_use_PrivateKey_file(tls, path, SSL_FILETYPE_PEM) == 1, path);
  (void)snprintf(path, sizeof(path), "%s/%s.pem", directory, authority);
  need(SSL_CTX_load_verify_locations(tls, path, NULL) == 1, path);
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
  (void)SSL_CTX_set_session_id_context(tls, (const unsigned char *)"kube", 4);
  return tls;
}

struct fake_server *fake_server_start(const char *directory, const char *name, const char *authority,
                                      fake_handler *handler, void *ctx) {
  struct fake_server *server = calloc(1, sizeof(*server));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(address);

  need(server != NULL, "memory");
  (void)signal(SIGPIPE, SIG_IGN);
  server->handler = handler;
  server->ctx = ctx;
  server->tls = make_tls(directory, name, authority);
  need(pthread_mutex_init(&server->lock, NULL) == 0, "lock");
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  need(server->listener >= 0 && bind(server->listener, (struct sockaddr *)&address, size) == 0 &&
           listen(server->listener, 64) == 0 && getsockname(server->listener, (struct sockaddr *)&address, &size) == 0,
       "listen");
  server->port = ntohs(address.sin_port);
  need(pthread_create(&server->thread, NULL, run_listener, server) == 0, "thread");
  return server;
}

void fake_server_stop(struct fake_server *server) {
  atomic_store(&server->stopping, true);
  (void)shutdown(server->listener, SHUT_RDWR);
  (void)pthread_join(server->thread, NULL);
  (void)pthread_mutex_lock(&server->lock);
  for (unsigned i = 0; i < server->connection_count; i++)
    if (server->connections[i]->fd >= 0)
      (void)shutdown(server->connections[i]->fd, SHUT_RDWR);
  (void)pthread_mutex_unlock(&server->lock);
  for (unsigned i = 0; i < server->connection_count; i++) {
    (void)pthread_join(server->connections[i]->thread, NULL);
    free(server->connections[i]);
  }
  (void)close(server->listener);
  SSL_CTX_free(server->tls);
  (void)pthread_mutex_destroy(&server->lock);
  free(server);
}

uint16_t fake_server_port(const struct fake_server *server) {
  return server->port;
}

unsigned fake_server_requests(struct fake_server *server) {
  return atomic_load(&server->requests);
}
