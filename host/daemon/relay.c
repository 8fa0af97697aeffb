#include "host/daemon/relay.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sdk/base/clock.h"

#define BUFFER_BYTES 16384 /* a record of TLS */

/* What was read of one side and not yet written to the other. */
struct buffer {
  size_t from, to;
  unsigned char data[BUFFER_BYTES];
};

struct relay {
  SSL *ssl;
  int fd;    /* under TLS */
  int plain; /* this end of the pair */
  struct buffer in, out;
  bool ended;
  short wanted; /* events of `fd` that OpenSSL waits for */
};

static void relay_free(struct relay *relay) {
  SSL_free(relay->ssl);
  close_p(&relay->fd);
  close_p(&relay->plain);
  free(relay);
}

/* What a call of OpenSSL that did nothing waits for; else the connection has ended. */
static void settle(struct relay *relay, int result) {
  switch (SSL_get_error(relay->ssl, result)) {
  case SSL_ERROR_WANT_READ:
    relay->wanted |= POLLIN;
    break;
  case SSL_ERROR_WANT_WRITE:
    relay->wanted |= POLLOUT;
    break;
  default:
    relay->ended = true;
  }
  ERR_clear_error();
}

/* ---- each returns whether it did something */

static bool read_tls(struct relay *relay) {
  if (relay->in.from < relay->in.to)
    return false;
  int n = SSL_read(relay->ssl, relay->in.data, BUFFER_BYTES);
  if (n <= 0)
    settle(relay, n);
  else
    relay->in.from = 0, relay->in.to = (size_t)n;
  return n > 0;
}

static bool write_tls(struct relay *relay) {
  struct buffer *out = &relay->out;
  if (out->from == out->to)
    return false;
  int n = SSL_write(relay->ssl, out->data + out->from, (int)(out->to - out->from));
  if (n <= 0)
    settle(relay, n);
  else
    out->from += (size_t)n;
  return n > 0;
}

static bool read_plain(struct relay *relay) {
  struct buffer *out = &relay->out;
  if (out->from < out->to)
    return false;
  ssize_t n = recv(relay->plain, out->data, BUFFER_BYTES, MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
    relay->ended = true;
  if (n > 0)
    out->from = 0, out->to = (size_t)n;
  return n > 0;
}

static bool write_plain(struct relay *relay) {
  struct buffer *in = &relay->in;
  if (in->from == in->to)
    return false;
  ssize_t n = send(relay->plain, in->data + in->from, in->to - in->from, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR)
    relay->ended = true;
  if (n > 0)
    in->from += (size_t)n;
  return n > 0;
}

/* What is read is waited for only while there is room for it, so that a slow side is felt by the other one. */
static void await(const struct relay *relay) {
  bool full_in = relay->in.from < relay->in.to;
  bool full_out = relay->out.from < relay->out.to;
  struct pollfd fds[] = {{.fd = relay->fd, .events = relay->wanted},
                         {.fd = relay->plain, .events = (short)((full_in ? POLLOUT : 0) | (full_out ? 0 : POLLIN))}};
  for (size_t i = 0; i < 2; i++)
    if (fds[i].events == 0)
      fds[i].fd = -1; /* its end shows when it is read from */
  (void)poll(fds, 2, -1);
}

static void *carry(void *context) {
  struct relay *relay = context;
  while (!relay->ended) {
    relay->wanted = 0;
    bool moved = read_tls(relay);
    moved = write_plain(relay) || moved;
    moved = (!relay->ended && read_plain(relay)) || moved;
    moved = (!relay->ended && write_tls(relay)) || moved;
    if (!moved && !relay->ended)
      await(relay);
  }
  (void)SSL_shutdown(relay->ssl);
  ERR_clear_error();
  relay_free(relay);
  return NULL;
}

/* ---- beginning */

static int refuse(int code, struct error **err) {
  unsigned long reason = ERR_peek_last_error();
  const char *text = reason ? ERR_reason_error_string(reason) : NULL;
  (void)error_set(err, code, "no TLS connection: %s",
                  code == ETIMEDOUT ? "the handshake took too long"
                  : text            ? text
                                    : "it was closed");
  ERR_clear_error();
  return -code;
}

static int handshake(struct relay *relay, int limit_ms, struct error **err) {
  const int64_t until_ns = clock_in_ns(limit_ms * NS_PER_MS);
  int r;
  while ((r = SSL_accept(relay->ssl)) != 1) {
    int why = SSL_get_error(relay->ssl, r);
    int64_t left_ms = (until_ns - clock_monotonic_ns()) / NS_PER_MS;
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
      return refuse(EPROTO, err);
    if (left_ms <= 0)
      return refuse(ETIMEDOUT, err);
    struct pollfd fd = {.fd = relay->fd, .events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
    (void)poll(&fd, 1, (int)left_ms);
  }
  return 0;
}

static int begin(struct relay *relay, int *ret_plain, struct error **err) {
  pthread_t thread;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
    return error_set(err, errno, "no socket: %s", strerror(errno));
  relay->plain = pair[0];
  int r = pthread_create(&thread, NULL, carry, relay);
  if (r != 0) {
    (void)close(pair[1]);
    return error_set(err, r, "no thread: %s", strerror(r));
  }
  (void)pthread_detach(thread);
  *ret_plain = pair[1];
  return 0;
}

int relay_start(SSL *ssl, int fd, int limit_ms, int *ret_plain, struct error **err) {
  struct relay *relay = calloc(1, sizeof(*relay));
  if (!relay) {
    SSL_free(ssl);
    (void)close(fd);
    return error_set(err, ENOMEM, "no memory");
  }
  relay->ssl = ssl;
  relay->fd = fd;
  relay->plain = -1;
  int r = handshake(relay, limit_ms, err);
  if (r == 0)
    r = begin(relay, ret_plain, err);
  if (r < 0)
    relay_free(relay);
  return r;
}
