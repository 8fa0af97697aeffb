/* An adapter as a package: one .trm file with its shared object, documents, and a manifest that can be signed. */
#ifndef TRAMMEL_HOST_PACKAGE_PACKAGE_H
#define TRAMMEL_HOST_PACKAGE_PACKAGE_H

#include "host/adapter/gate.h"
#include "host/package/digest.h"
#include "host/package/manifest.h"
#include "host/package/tarball.h"
#include "host/signing/signature.h"

#define PACKAGE_SUFFIX ".trm"

struct package {
  struct tarball tarball;
  struct manifest manifest;
  char digest[DIGEST_SIZE]; /* of the package's bytes */
};

void package_finish(struct package *package);
#define _cleanup_package_ _cleanup_(package_finish)

/* Reads a package from its bytes and checks all that can be checked without running any of it: the tar, the manifest,
 * every file's digest, that the adapter passes the load gate, and that its ELF note says what the manifest says.
 * -EINVAL, -E2BIG, -ENOEXEC for another platform, -ENOMEM. On an error `*ret_package` is empty. */
int package_read(const void *data, size_t length, struct package *ret_package, struct error **err);

/* The same for a package of whatever platform, whose adapter is not looked at: for who hands packages on. */
int package_read_any(const void *data, size_t length, struct package *ret_package, struct error **err);

/* -ENOEXEC: it is for another platform. */
int package_check_platform(const struct package *package, struct error **err);

/* The adapter's bytes as a file in memory that no one changes any more, through the load gate, as gate_take(). */
int package_open_adapter(const struct package *package, struct gate *ret_gate, struct error **err);

/* Runs the adapter in a child, confined: what it says of itself must be what the host takes, and what the manifest
 * says. `partly` as in child_describe(). */
int package_check_adapter(const struct package *package, bool partly, struct error **err);

/* Whose signature it has: the key in `*ret_key`. -ENOENT when it has none, else as signature_verify(). */
int package_verify(const struct package *package, const struct signing_key *const *keys, size_t key_count,
                   const struct signing_key **ret_key, struct error **err);

/* Puts a signature in, in place of one that is there, and appends the package's bytes to `out`. */
int package_sign(struct package *package, const struct signing_key *key, struct strbuf *out, struct error **err);

/* What goes into a package. */
struct packing {
  const char *adapter;          /* path of the shared object */
  const char *const *documents; /* paths of files for doc/; NULL-terminated, may be NULL */
  struct manifest_facts facts;
};

/* Makes a package: the adapter passes the load gate and says in a child of itself what the host takes. Its bytes are
 * appended to `out`, its manifest is in `*ret_package`. */
int package_make(const struct packing *packing, struct package *ret_package, struct strbuf *out, struct error **err);

/* "id-version-os-arch.trm". A heap string; NULL without memory. */
char *package_file_name(const struct manifest *manifest);

#endif
