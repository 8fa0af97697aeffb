/* An index: which packages a directory or site offers, in index.json (docs/schema/package-index.json), and its
 * signature beside it. */
#ifndef TRAMMEL_HOST_PACKAGE_INDEX_H
#define TRAMMEL_HOST_PACKAGE_INDEX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/signing/signature.h"
#include "sdk/base/error.h"

#define INDEX_FILE "index.json"
#define INDEX_SIGNATURE_FILE INDEX_FILE SIGNATURE_SUFFIX
#define INDEX_BYTES_MAX ((size_t)4 << 20)
#define INDEX_PACKAGES_MAX 5000u
#define INDEX_SERIAL_MAX ((INT64_C(1) << 53) - 1) /* what every reader of JSON takes as it is */

struct index_package {
  const char *id;
  const char *version;
  unsigned abi_major;
  unsigned abi_minor;
  const char *os;
  const char *arch;
  const char *mesh;
  const char *summary;
  const char *licence;
  const char *file; /* a plain name, beside index.json */
  size_t bytes;
  const char *sha256;
};

/* The packages are in the order of id, version (0.2.0 before 0.10.0), os and arch; they borrow from `root`. The file
 * has them in the order of bytes, so that there is one way to write it. */
struct index {
  json_t *root;
  int64_t serial; /* 1 to INDEX_SERIAL_MAX; grows with each making */
  struct index_package *packages;
  size_t count;
};

void index_finish(struct index *index);
#define _cleanup_index_ _cleanup_(index_finish)

/* Reads one whose signature is checked. -EINVAL for what is none, -ENOMEM. On an error `*ret_index` is empty. */
int index_read(const void *data, size_t length, struct index *ret_index, struct error **err);

/* Whether this program on this machine can use the package: platform and ABI. */
bool index_package_suits(const struct index_package *package);

/* The suitable package with this id: of this version, or with `version` NULL the newest by semantic versioning. Without
 * `prereleases` one of these is only taken when there is no release. NULL when there is none. */
const struct index_package *index_find(const struct index *index, const char *id, const char *version,
                                       bool prereleases);

/* What was made of a directory. */
struct index_made {
  size_t packages;
  size_t unsigned_packages;
  int64_t serial;
};

/* Writes index.json and its signature for the .trm files of a directory. The serial is `now_s`, or one more than that
 * of the index that is there, whichever is more; -EOVERFLOW beyond INDEX_SERIAL_MAX. -EINVAL names the file that is no
 * package, or that is there twice. */
int index_make(const char *directory, const struct signing_key *key, int64_t now_s, struct index_made *ret_made,
               struct error **err);

#endif
