/* The indexes that this user has added. Below the data directory:
 *
 *   indexes/NAME.json  where it is, and the greatest serial that was seen of it
 *   indexes/NAME.pem   the public key of who signs it
 *
 * The first is written last and removed first: it is what counts. */
#ifndef TRAMMEL_HOST_PACKAGE_INDEXES_H
#define TRAMMEL_HOST_PACKAGE_INDEXES_H

#include <stdint.h>

#include "host/package/index.h"
#include "host/signing/signature.h"

#define INDEXES_MAX 64u

struct known_index {
  char *name;
  char *location; /* an absolute path, or a URL */
  int64_t serial; /* the greatest that was seen */
  struct signing_key *key;
  struct index index; /* once indexes_fetch() has it */
};

/* In the order of names. */
struct indexes {
  char *data_directory;
  struct known_index *list;
  size_t count;
};

int indexes_read(const char *data_directory, struct indexes *ret_indexes, struct error **err);
void indexes_finish(struct indexes *indexes);
#define _cleanup_indexes_ _cleanup_(indexes_finish)

/* NULL when there is none of this name. */
struct known_index *indexes_find(const struct indexes *indexes, const char *name);

/* Gets an index, unless that was done before, and checks its signature. -EBADMSG and -ENOKEY for a signature that is
 * not good, -ESTALE for an index that is older than one that was seen, -EINVAL for what is no index, else why it could
 * not be had. Remembers its serial. */
int indexes_fetch(const struct indexes *indexes, struct known_index *known, struct error **err);

/* Adds one whose signature is good: it is fetched. -EEXIST when the name is taken. */
int indexes_add(const char *data_directory, const char *name, const char *location, const char *key_path,
                struct error **err);

/* -ENOENT when there is none of this name. */
int indexes_remove(const char *data_directory, const char *name, struct error **err);

#endif
