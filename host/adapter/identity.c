#include "host/adapter/identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "sdk/base/document.h"

/* The reason that OpenSSL gives first, for people. */
static const char *reason(void) {
  const char *text = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return text ? text : "no such thing in it";
}

/* A file that could not be read says nothing of what is in it. */
static int refuse(const char *path, const char *expected, struct error **err) {
  unsigned long first = ERR_peek_error();
  if (!ERR_SYSTEM_ERROR(first))
    return error_set(err, EINVAL, "%s: expected %s: %s", path, expected, reason());
  ERR_clear_error();
  return error_set(err, ERR_GET_REASON(first), "reading %s: %s", path, strerror(ERR_GET_REASON(first)));
}

/* Never asks for a pass phrase: there may be nobody to answer. */
static int no_pass_phrase(char *text, int size, int writing, void *ctx) {
  (void)text;
  (void)size;
  (void)writing;
  (void)ctx;
  return -1;
}

static int fill(SSL_CTX *context, const struct identity_files *files, struct error **err) {
  SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    return error_set(err, EIO, "TLS: %s", reason());
  if (SSL_CTX_load_verify_file(context, files->ca) != 1)
    return refuse(files->ca, "certificates of an authority in PEM", err);
  if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
    return refuse(files->certificate, "a certificate in PEM", err);
  if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1)
    return refuse(files->key, "the private key of the certificate in PEM, without a pass phrase", err);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  return 0;
}

int identity_context(const struct identity_files *files, const SSL_METHOD *method, SSL_CTX **ret_context,
                     struct error **err) {
  ERR_clear_error();
  SSL_CTX *context = SSL_CTX_new(method);
  if (!context)
    return error_set(err, ENOMEM, "TLS: %s", reason());
  int r = fill(context, files, err);
  if (r < 0)
    SSL_CTX_free(context);
  else
    *ret_context = context;
  return r;
}

int identity_read(const struct identity_files *files, struct identity *ret_identity, struct error **err) {
  SSL_CTX *context = NULL;
  size_t length;
  *ret_identity = (struct identity){0};
  int r = file_read(files->certificate, IDENTITY_FILE_MAX, &ret_identity->certificate, &length, err);
  if (r == 0)
    r = file_read(files->key, IDENTITY_FILE_MAX, &ret_identity->key, &length, err);
  if (r == 0)
    r = file_read(files->ca, IDENTITY_FILE_MAX, &ret_identity->ca, &length, err);
  if (r == 0)
    r = identity_context(files, TLS_client_method(), &context, err);
  SSL_CTX_free(context);
  return r;
}

void identity_finish(struct identity *identity) {
  if (identity->key)
    OPENSSL_cleanse(identity->key, strlen(identity->key));
  free(identity->certificate);
  free(identity->key);
  free(identity->ca);
}
