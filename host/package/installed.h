/* The adapters that this user has installed. Below the data directory:
 *
 *   adapters/installed.json          which versions there are, the one in use first; written whole, then renamed
 *   adapters/ID/VERSION-DIGEST/      a package's files
 *
 * What installed.json does not name does not count, and is removed by the next change: an end at any moment leaves what
 * was there before, or what was to be there. */
#ifndef TRAMMEL_HOST_PACKAGE_INSTALLED_H
#define TRAMMEL_HOST_PACKAGE_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>

#include "host/package/package.h"
#include "sdk/base/error.h"

#define INSTALLED_ADAPTERS_MAX 1000u

struct installed_version {
  const char *version;
  const char *digest;    /* of the package */
  const char *manifest;  /* digest of its manifest, which has those of its files */
  const char *signed_by; /* id of the key; NULL: it was installed without a trusted signature */
  const char *source;    /* the file it came from */
};

struct installed_adapter {
  const char *id;
  struct installed_version current;
  struct installed_version previous; /* .version is NULL when there is none */
};

struct installed;

/* TRAMMEL_DATA_DIR, else trammel below XDG_DATA_HOME or below ~/.local/share: a heap string. */
int data_directory(char **ret_path, struct error **err);

/* Reads what is installed; with `change`, no other program changes it until installed_close(). A directory that is not
 * there has nothing installed, and is made for a change. -EINVAL for an installed.json that is none, -EBUSY when
 * another program is changing it. */
int installed_open(const char *data_directory, bool change, struct installed **ret_installed, struct error **err);
void installed_close(struct installed *installed);
DEFINE_CLEANUP(struct installed *, installed_close);
#define _cleanup_installed_ _cleanup_(installed_close_p)

size_t installed_count(const struct installed *installed);
/* In the order of ids; borrowed until the next change. */
const struct installed_adapter *installed_at(const struct installed *installed, size_t i);
const struct installed_adapter *installed_find(const struct installed *installed, const char *id);
/* The same; ENOENT, told to people, when it is not installed. */
const struct installed_adapter *installed_require(const struct installed *installed, const char *id,
                                                  struct error **err);

/* Where a version's files are. A heap string; NULL without memory. */
char *installed_directory(const struct installed *installed, const char *id, const struct installed_version *version);

/* Puts a package in use; the version in use before becomes the previous one, and the one before that is removed.
 * `signed_by` as above. When this very package is in use, only who signed it and where it came from are written down
 * anew, and -EALREADY says that they are the same. Files that are not those of the package any more are put back. */
int installed_add(struct installed *installed, const struct package *package, const char *signed_by, const char *source,
                  struct error **err);

/* Puts the previous version in use again, and the one in use in its place. -ENOENT when there is none. */
int installed_roll_back(struct installed *installed, const char *id, struct error **err);

/* -ENOENT when it is not installed. */
int installed_remove(struct installed *installed, const char *id, struct error **err);

/* Reads a version's manifest, which must be the one that was installed: -EINVAL. */
int installed_manifest(const struct installed *installed, const char *id, const struct installed_version *version,
                       struct manifest *ret_manifest, struct error **err);

/* Whether a version's files are still those of its package. -EINVAL names what differs. */
int installed_verify(const struct installed *installed, const char *id, const struct installed_version *version,
                     struct error **err);

#endif
