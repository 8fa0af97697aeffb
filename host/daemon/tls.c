#include "host/daemon/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "host/daemon/relay.h"
#include "sdk/base/clock.h"

struct tls {
  char *paths[3]; /* certificate, key, clients */
  void (*log)(const char *text);
  pthread_mutex_t lock; /* guards what follows */
  SSL_CTX *context;
  struct stat seen[3];
  int64_t looked_ns;
};

static int refused(const char *what, const char *path, struct error **err) {
  unsigned long code = ERR_peek_last_error();
  const char *reason = code ? ERR_reason_error_string(code) : NULL;
  (void)error_set(err, EINVAL, "%s %s: %s", what, path, reason ? reason : "it cannot be used");
  ERR_clear_error();
  return -EINVAL;
}

static int choose_protocol(SSL *ssl, const unsigned char **ret_chosen, unsigned char *ret_length,
                           const unsigned char *offered, unsigned length, void *ctx) {
  static const unsigned char http2[] = {2, 'h', '2'};
  (void)ssl;
  (void)ctx;
  return SSL_select_next_proto((unsigned char **)(uintptr_t)ret_chosen, ret_length, http2, sizeof(http2), offered,
                               length) == OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A pass phrase that is asked for would wait for somebody at a terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *ctx) {
  (void)buffer;
  (void)size;
  (void)writing;
  (void)ctx;
  return -1;
}

static int check_file(const char *path, bool secret, struct error **err) {
  struct stat status;
  if (stat(path, &status) < 0)
    return error_set(err, errno, "%s: %s", path, strerror(errno));
  if (status.st_size > (off_t)TLS_FILE_MAX)
    return error_set(err, EFBIG, "%s has more than %zu bytes", path, TLS_FILE_MAX);
  if (secret && (status.st_mode & S_IRWXO) != 0)
    return error_set(err, EPERM, "others may read the key %s: chmod o= keeps them out", path);
  return 0;
}

static int use_files(SSL_CTX *context, char *const paths[3], struct error **err) {
  for (size_t i = 0; i < 3; i++) {
    int r = paths[i] ? check_file(paths[i], i == 1, err) : 0;
    if (r < 0)
      return r;
  }
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, paths[0]) != 1)
    return refused("the certificate", paths[0], err);
  if (SSL_CTX_use_PrivateKey_file(context, paths[1], SSL_FILETYPE_PEM) != 1)
    return refused("the key", paths[1], err);
  if (SSL_CTX_check_private_key(context) != 1)
    return refused("the key is not the certificate's:", paths[1], err);
  if (!paths[2])
    return 0;
  if (SSL_CTX_load_verify_locations(context, paths[2], NULL) != 1)
    return refused("the authorities of clients", paths[2], err);
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(paths[2]));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  return 0;
}

/* Nothing of a connection is remembered for the next. */
static int make_context(char *const paths[3], SSL_CTX **ret_context, struct error **err) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (!context)
    return error_set(err, ENOMEM, "no memory for TLS");
  (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
  int r = use_files(context, paths, err);
  if (r < 0)
    SSL_CTX_free(context);
  else
    *ret_context = context;
  return r;
}

/* ---- files that change */

static void look(const struct tls *tls, struct stat seen[3]) {
  (void)memset(seen, 0, 3 * sizeof(*seen));
  for (size_t i = 0; i < 3; i++)
    if (tls->paths[i])
      (void)stat(tls->paths[i], &seen[i]);
}

static bool same(const struct stat a[3], const struct stat b[3]) {
  for (size_t i = 0; i < 3; i++)
    if (a[i].st_ino != b[i].st_ino || a[i].st_dev != b[i].st_dev || a[i].st_size != b[i].st_size ||
        a[i].st_mtim.tv_sec != b[i].st_mtim.tv_sec || a[i].st_mtim.tv_nsec != b[i].st_mtim.tv_nsec)
      return false;
  return true;
}

/* With the lock held. A file that is just being written may not fit: it is looked at again the next time. */
static void read_changed(struct tls *tls) {
  struct stat seen[3];
  SSL_CTX *context = NULL;
  _cleanup_error_ struct error *err = NULL;
  tls->looked_ns = clock_monotonic_ns();
  look(tls, seen);
  if (same(tls->seen, seen))
    return;
  (void)memcpy(tls->seen, seen, sizeof(seen));
  if (make_context(tls->paths, &context, &err) < 0) {
    tls->log(error_message(err));
    return;
  }
  SSL_CTX_free(tls->context);
  tls->context = context;
}

static SSL *new_connection(struct tls *tls) {
  pthread_mutex_lock(&tls->lock);
  if (tls->looked_ns + TLS_LOOK_MS * NS_PER_MS <= clock_monotonic_ns())
    read_changed(tls);
  SSL *ssl = SSL_new(tls->context);
  pthread_mutex_unlock(&tls->lock);
  return ssl;
}

int tls_open(const struct tls_files *files, void (*log)(const char *text), struct tls **ret_tls, struct error **err) {
  const char *const paths[] = {files->certificate, files->key, files->clients};
  struct tls *tls = calloc(1, sizeof(*tls));
  int r = tls ? 0 : -ENOMEM;
  if (tls)
    (void)pthread_mutex_init(&tls->lock, NULL);
  for (size_t i = 0; r == 0 && i < 3; i++)
    if (paths[i] && !(tls->paths[i] = strdup(paths[i])))
      r = -ENOMEM;
  if (r < 0) {
    tls_close(tls);
    return error_set(err, ENOMEM, "no memory");
  }
  tls->log = log;
  look(tls, tls->seen);
  r = make_context(tls->paths, &tls->context, err);
  if (r < 0)
    tls_close(tls);
  else
    *ret_tls = tls;
  return r;
}

void tls_close(struct tls *tls) {
  if (!tls)
    return;
  SSL_CTX_free(tls->context);
  for (size_t i = 0; i < 3; i++)
    free(tls->paths[i]);
  (void)pthread_mutex_destroy(&tls->lock);
  free(tls);
}

int tls_accept(struct tls *tls, int fd, int *ret_plain, struct error **err) {
  SSL *ssl = new_connection(tls);
  if (!ssl || SSL_set_fd(ssl, fd) != 1) {
    SSL_free(ssl);
    (void)close(fd);
    return error_set(err, ENOMEM, "no memory for TLS");
  }
  return relay_start(ssl, fd, TLS_HANDSHAKE_MS, ret_plain, err);
}
