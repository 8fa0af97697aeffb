#include "host/signing/signing_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

#include "sdk/base/document.h"
#include "sdk/base/file.h"
#include "sdk/base/hex.h"

/* Nothing may ask for a passphrase: there may be nobody to ask. */
static int no_passphrase(char *buffer, int size, int writing, void *asked) {
  (void)buffer;
  (void)size;
  (void)writing;
  *(bool *)asked = true;
  return -1;
}

static bool identify(struct signing_key *key) {
  unsigned char *der = NULL;
  unsigned char digest[SHA256_DIGEST_LENGTH];
  int length = i2d_PUBKEY(key->key, &der);
  if (length <= 0)
    return false;
  SHA256(der, (size_t)length, digest);
  OPENSSL_free(der);
  hex_write(digest, sizeof(digest), key->id);
  return true;
}

static int refuse(const char *path, const char *text, bool private, bool encrypted, struct error **err) {
  if (encrypted)
    return error_set(err, EINVAL,
                     "%s is encrypted, and nothing here asks for its passphrase; decrypt it with: openssl pkey -in %s "
                     "-out NEW.pem",
                     path, path);
  if (!private && strstr(text, "PRIVATE KEY-----"))
    return error_set(err, EINVAL,
                     "%s is a private key, which belongs to who signs; give the public one: openssl pkey -in %s "
                     "-pubout",
                     path, path);
  if (private && strstr(text, "PUBLIC KEY-----"))
    return error_set(err, EINVAL, "%s is a public key; signing takes the private one that it belongs to", path);
  return error_set(err, EINVAL, "%s is no %s key in PEM; `trammel report keygen` makes a pair", path,
                   private ? "private" : "public");
}

/* Takes over `parsed`. */
static int adopt(EVP_PKEY *parsed, const char *path, struct signing_key **ret_key, struct error **err) {
  _cleanup_signing_key_ struct signing_key *key = calloc(1, sizeof(*key));
  if (!key) {
    EVP_PKEY_free(parsed);
    return error_set(err, ENOMEM, "reading %s: no memory", path);
  }
  key->key = parsed;
  key->path = strdup(path);
  if (!key->path || !identify(key))
    return error_set(err, ENOMEM, "reading %s: no memory", path);
  if (EVP_PKEY_get_id(parsed) != EVP_PKEY_ED25519)
    return error_set(err, EINVAL, "%s is not an Ed25519 key; `trammel report keygen` makes one", path);
  *ret_key = take(key);
  return 0;
}

static int read_key(const char *path, bool private, struct signing_key **ret_key, struct error **err) {
  char *text = NULL;
  size_t length = 0;
  bool encrypted = false;
  int r = file_read(path, SIGNING_KEY_FILE_MAX, &text, &length, err);
  if (r < 0)
    return r;
  BIO *memory = BIO_new_mem_buf(text, (int)length);
  EVP_PKEY *parsed = NULL;
  if (memory)
    parsed = private ? PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, &encrypted)
                     : PEM_read_bio_PUBKEY(memory, NULL, no_passphrase, &encrypted);
  r = parsed ? adopt(parsed, path, ret_key, err) : refuse(path, text, private, encrypted, err);
  BIO_free(memory);
  ERR_clear_error();
  OPENSSL_cleanse(text, length);
  free(text);
  return r;
}

int signing_key_read_private(const char *path, struct signing_key **ret_key, struct error **err) {
  return read_key(path, true, ret_key, err);
}

int signing_key_read_public(const char *path, struct signing_key **ret_key, struct error **err) {
  return read_key(path, false, ret_key, err);
}

void signing_key_free(struct signing_key *key) {
  if (!key)
    return;
  EVP_PKEY_free(key->key);
  free(key->path);
  free(key);
}

const char *signing_key_id(const struct signing_key *key) {
  return key->id;
}

const char *signing_key_path(const struct signing_key *key) {
  return key->path;
}

int signing_key_write_public(const struct signing_key *key, struct strbuf *out, struct error **err) {
  BIO *memory = BIO_new(BIO_s_mem());
  bool good = memory && PEM_write_bio_PUBKEY(memory, key->key) == 1;
  char *data = NULL;
  long length = good ? BIO_get_mem_data(memory, &data) : 0;
  if (good)
    strbuf_append(out, data, (size_t)length);
  BIO_free(memory);
  return good && !strbuf_failed(out) ? 0 : error_set(err, ENOMEM, "writing a public key: no memory");
}

/* ---- making one */

/* A new file, and only then this program's to remove. */
static int create_file(const char *path, mode_t mode, int *ret_fd, struct error **err) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0 && errno == EEXIST)
    return error_set(err, EEXIST, "%s is there already, and a key is never overwritten; name another file", path);
  if (fd < 0)
    return error_set(err, errno, "making %s: %s", path, strerror(errno));
  *ret_fd = fd;
  return 0;
}

static int write_memory(int fd, BIO *memory, const char *path, struct error **err) {
  char *data = NULL;
  long length = BIO_get_mem_data(memory, &data);
  int r = file_write_all(fd, data, (size_t)length);
  if (r < 0)
    return error_set(err, -r, "writing %s: %s", path, strerror(-r));
  return fsync(fd) < 0 && errno != EINVAL ? error_set(err, errno, "writing %s: %s", path, strerror(errno)) : 0;
}

static int write_key(int fd, EVP_PKEY *key, bool private, const char *path, struct error **err) {
  BIO *memory = BIO_new(private ? BIO_s_secmem() : BIO_s_mem());
  bool good = memory && (private ? PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL)
                                 : PEM_write_bio_PUBKEY(memory, key)) == 1;
  int r = good ? write_memory(fd, memory, path, err) : error_set(err, EIO, "writing %s: OpenSSL refused", path);
  BIO_free(memory);
  return r;
}

static int write_pair(int private_fd, const char *private_path, int public_fd, const char *public_path,
                      struct error **err) {
  EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  if (!key)
    return error_set(err, EIO, "making a key: OpenSSL refused");
  int r = write_key(private_fd, key, true, private_path, err);
  if (r == 0)
    r = write_key(public_fd, key, false, public_path, err);
  EVP_PKEY_free(key);
  return r;
}

int signing_key_create(const char *private_path, const char *public_path, struct error **err) {
  _cleanup_close_ int private_fd = -1;
  _cleanup_close_ int public_fd = -1;
  int r = create_file(private_path, 0600, &private_fd, err);
  if (r < 0)
    return r;
  r = create_file(public_path, 0644, &public_fd, err);
  if (r == 0)
    r = write_pair(private_fd, private_path, public_fd, public_path, err);
  if (r < 0) {
    (void)unlink(private_path);
    if (public_fd >= 0)
      (void)unlink(public_path);
  }
  return r;
}
