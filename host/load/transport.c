#include "host/load/transport.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum load_error transport_error(int number) {
  switch (number) {
  case ECONNREFUSED:
    return LOAD_ERROR_REFUSED;
  case ENETUNREACH:
  case EHOSTUNREACH:
  case ENETDOWN:
  case EHOSTDOWN:
  case EACCES:
  case EPERM:
    return LOAD_ERROR_UNREACHABLE;
  case ETIMEDOUT:
    return LOAD_ERROR_CONNECT;
  case ECONNRESET:
  case EPIPE:
    return LOAD_ERROR_RESET;
  case EMFILE:
  case ENFILE:
    return LOAD_ERROR_DESCRIPTORS;
  default:
    return LOAD_ERROR_SYSTEM;
  }
}

/* ---- the socket: bytes, or -1 and errno, which is EAGAIN when there are none now; a receive is 0 at the end */

static ssize_t put(const struct transport *transport, const void *data, size_t length) {
  ssize_t n;
  do
    n = send(transport->fd, data, length, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n;
}

static ssize_t get(struct transport *transport, void *buffer, size_t size) {
  ssize_t n;
  if (transport->drained) {
    errno = EAGAIN;
    return -1;
  }
  do
    n = recv(transport->fd, buffer, size, 0);
  while (n < 0 && errno == EINTR);
  transport->drained = n > 0 && (size_t)n < size && !transport->last;
  return n;
}

/* ---- beneath TLS */

static int tls_write(BIO *bio, const char *data, int length) {
  struct transport *transport = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  ssize_t n = put(transport, data, (size_t)length);
  if (n < 0 && errno == EAGAIN)
    BIO_set_retry_write(bio);
  else if (n < 0)
    transport->problem = errno;
  return (int)n;
}

static int tls_read(BIO *bio, char *buffer, int size) {
  struct transport *transport = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  ssize_t n = get(transport, buffer, (size_t)size);
  if (n < 0 && errno == EAGAIN)
    BIO_set_retry_read(bio);
  else if (n <= 0)
    transport->problem = n < 0 ? errno : 0;
  return (int)n;
}

static long tls_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio;
  (void)number;
  (void)pointer;
  return command == BIO_CTRL_FLUSH; /* nothing is kept back */
}

BIO_METHOD *transport_method_create(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "trammel transport");
  if (!method)
    return NULL;
  (void)BIO_meth_set_write(method, tls_write);
  (void)BIO_meth_set_read(method, tls_read);
  (void)BIO_meth_set_ctrl(method, tls_control);
  return method;
}

/* ---- TLS */

/* One side refuses what the other one has shown: our own verification, or an alert (RFC 8446, 6.2). */
static bool is_about_certificates(int reason) {
  switch (reason) {
  case SSL_R_CERTIFICATE_VERIFY_FAILED:
  case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
  case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
  case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    return true;
  default:
    return false;
  }
}

/* What a call that gave `result` means; `otherwise` is a breach of TLS. */
static int tls_end(struct transport *transport, int result, enum load_error otherwise, enum load_error *ret_error) {
  unsigned long code = ERR_peek_error();
  switch (SSL_get_error(transport->ssl, result)) {
  case SSL_ERROR_WANT_READ:
  case SSL_ERROR_WANT_WRITE:
    return TRANSPORT_WAITS;
  case SSL_ERROR_ZERO_RETURN:
    return TRANSPORT_ENDED;
  case SSL_ERROR_SYSCALL:
    *ret_error = transport->problem ? transport_error(transport->problem) : LOAD_ERROR_CLOSED;
    break;
  default:
    *ret_error = is_about_certificates(ERR_GET_REASON(code))                  ? LOAD_ERROR_CERTIFICATE
                 : ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? LOAD_ERROR_CLOSED
                                                                              : otherwise;
  }
  ERR_clear_error();
  return TRANSPORT_FAILED;
}

static bool has_agreed(const SSL *ssl, const char *protocol) {
  const unsigned char *chosen = NULL;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl, &chosen, &length);
  if (length == 0) /* one that knows nothing of ALPN speaks HTTP/1.1 */
    return strcmp(protocol, "http/1.1") == 0;
  return length == strlen(protocol) && memcmp(chosen, protocol, length) == 0;
}

int transport_secure(struct transport *transport, const struct tls *tls, enum load_error *ret_error) {
  if (!transport->ssl)
    return 1;
  ERR_clear_error();
  int r = SSL_do_handshake(transport->ssl);
  if (r == 1 && has_agreed(transport->ssl, tls->protocol))
    return 1;
  *ret_error = LOAD_ERROR_HANDSHAKE;
  if (r == 1)
    return TRANSPORT_FAILED;
  int end = tls_end(transport, r, LOAD_ERROR_HANDSHAKE, ret_error);
  return end == TRANSPORT_ENDED ? TRANSPORT_FAILED : end;
}

/* ---- both */

int transport_open(struct transport *transport, int fd, const struct tls *tls) {
  *transport = (struct transport){.fd = fd};
  if (!tls)
    return 0;
  BIO *bio = BIO_new(tls->method);
  if (bio) {
    BIO_set_data(bio, transport);
    BIO_set_init(bio, 1);
    transport->ssl = tls_open(tls, bio);
  }
  if (transport->ssl)
    return 0;
  transport_close(transport);
  return TRANSPORT_FAILED;
}

void transport_close(struct transport *transport) {
  SSL_free(transport->ssl);
  (void)close(transport->fd);
  *transport = (struct transport){.fd = -1};
}

ssize_t transport_send(struct transport *transport, const char *data, size_t length, enum load_error *ret_error) {
  if (transport->ssl) {
    size_t sent = 0;
    ERR_clear_error();
    int r = SSL_write_ex(transport->ssl, data, length, &sent);
    if (r == 1)
      return (ssize_t)sent;
    int end = tls_end(transport, r, LOAD_ERROR_TLS, ret_error);
    if (end != TRANSPORT_ENDED)
      return end;
    *ret_error = LOAD_ERROR_CLOSED;
    return TRANSPORT_FAILED;
  }
  ssize_t n = put(transport, data, length);
  if (n >= 0)
    return n;
  if (errno == EAGAIN)
    return TRANSPORT_WAITS;
  *ret_error = transport_error(errno);
  return TRANSPORT_FAILED;
}

ssize_t transport_receive(struct transport *transport, char *buffer, size_t size, enum load_error *ret_error) {
  if (transport->ssl) {
    size_t received = 0;
    ERR_clear_error();
    int r = SSL_read_ex(transport->ssl, buffer, size, &received);
    return r == 1 ? (ssize_t)received : tls_end(transport, r, LOAD_ERROR_TLS, ret_error);
  }
  ssize_t n = get(transport, buffer, size);
  if (n > 0)
    return n;
  if (n == 0)
    return TRANSPORT_ENDED;
  if (errno == EAGAIN)
    return TRANSPORT_WAITS;
  *ret_error = transport_error(errno);
  return TRANSPORT_FAILED;
}
