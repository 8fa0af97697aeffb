/* The public keys whose packages this user installs: keys/NAME.pem below the data directory. */
#ifndef TRAMMEL_HOST_PACKAGE_TRUST_H
#define TRAMMEL_HOST_PACKAGE_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "host/signing/signature.h"
#include "sdk/base/error.h"

#define TRUST_KEYS_MAX 256u

/* Names of keys and of indexes: a-z 0-9 -, not first a '-'. */
#define NAME_MAX_LENGTH 39u
bool name_is_valid(const char *name);

/* In the order of names; keys[i] is called names[i]. */
struct trust {
  char **names; /* NULL-terminated */
  struct signing_key **keys;
  size_t count;
};

/* A directory that is not there has no keys. An unreadable key is an error: what is trusted is known, or nothing is. */
int trust_read(const char *data_directory, struct trust *ret_trust, struct error **err);
void trust_finish(struct trust *trust);
#define _cleanup_trust_ _cleanup_(trust_finish)

/* For signature_verify() and the like; borrowed. */
const struct signing_key *const *trust_keys(const struct trust *trust);

/* The name of the key with this id; NULL when it is not trusted. */
const char *trust_name_of(const struct trust *trust, const char *key_id);

/* Trusts the public key in a file, under a name; `ret_key`, unless it is NULL, gets the very key. -EEXIST when the name
 * or the key is there, -E2BIG, -EINVAL. */
int trust_add(const char *data_directory, const char *name, const char *path, struct signing_key **ret_key,
              struct error **err);

/* -ENOENT when no key has the name. */
int trust_remove(const char *data_directory, const char *name, struct error **err);

#endif
