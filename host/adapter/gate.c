#include "host/adapter/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#include "host/adapter/elf_file.h"
#include "sdk/base/hex.h"

static void digest_endp(EVP_MD_CTX **context) {
  EVP_MD_CTX_free(*context);
}

static int hash(int fd, char ret_digest[65], struct error **err) {
  _cleanup_(digest_endp) EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
    return error_set(err, EIO, "SHA-256 is not available");
  char block[65536];
  off_t offset = 0;
  for (;;) {
    ssize_t n = pread(fd, block, sizeof block, offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return error_set(err, errno, "cannot be read: %s", strerror(errno));
    if (n == 0)
      break;
    offset += n;
    if (offset > (off_t)ADAPTER_FILE_MAX)
      return error_set(err, EFBIG, "is longer than %u bytes", ADAPTER_FILE_MAX);
    if (EVP_DigestUpdate(context, block, (size_t)n) != 1)
      return error_set(err, EIO, "SHA-256 failed");
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (EVP_DigestFinal_ex(context, digest, &length) != 1 || length != 32)
    return error_set(err, EIO, "SHA-256 failed");
  hex_write(digest, length, ret_digest);
  return 0;
}

static int check_file(int fd, struct error **err) {
  struct stat status;
  if (fstat(fd, &status) < 0)
    return error_set(err, errno, "cannot be looked at: %s", strerror(errno));
  if (!S_ISREG(status.st_mode))
    return error_set(err, EINVAL, "is no regular file");
  if (status.st_size == 0)
    return error_set(err, EINVAL, "is empty, an adapter is a shared object (.so)");
  if (status.st_size > (off_t)ADAPTER_FILE_MAX)
    return error_set(err, EFBIG, "has %lld bytes, at most %u are taken", (long long)status.st_size, ADAPTER_FILE_MAX);
  return 0;
}

static int check_abi(const trammel_note *note, struct error **err) {
  if (note->abi_major != TRAMMEL_ABI_MAJOR)
    return error_set(err, EPROTONOSUPPORT, "offers ABI %u.%u, this host serves ABI %u.%u: the major versions differ",
                     note->abi_major, note->abi_minor, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR);
  if (note->abi_minor > TRAMMEL_ABI_MINOR)
    return error_set(err, EPROTONOSUPPORT,
                     "needs at least ABI %u.%u, this host serves ABI %u.%u; a newer Trammel is needed", note->abi_major,
                     note->abi_minor, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR);
  return 0;
}

int gate_take(int fd, struct gate *ret_gate, struct error **err) {
  *ret_gate = (struct gate){.fd = fd};
  int r = check_file(fd, err);
  if (r == 0)
    r = hash(fd, ret_gate->digest, err);
  if (r == 0)
    r = elf_file_read(fd, &ret_gate->note, err);
  return r < 0 ? r : check_abi(&ret_gate->note, err);
}

int gate_open(const char *path, struct gate *ret_gate, struct error **err) {
  *ret_gate = (struct gate){.fd = -1};
  /* Without blocking: a FIFO named x.so must not stop the scan. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return error_set(err, errno, "cannot be opened: %s", strerror(errno));
  return gate_take(fd, ret_gate, err);
}

void gate_close(struct gate *gate) {
  if (gate->fd >= 0)
    (void)close(gate->fd);
  gate->fd = -1;
}
