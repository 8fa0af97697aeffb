/* Detached signatures over the exact bytes of a file, a report or any other, with Ed25519 (RFC 8032). A signature is a
 * small JSON text:
 *
 *   {"format": "trammel.signature/v1", "algorithm": "Ed25519", "keyId": "…", "signature": "…"}
 *
 * `keyId` is the SHA-256 in hex of the public key (DER, SubjectPublicKeyInfo); `signature` the 64 bytes of Ed25519 in
 * base64. Keys are PEM files as OpenSSL writes them. */
#ifndef TRAMMEL_HOST_SIGNING_SIGNATURE_H
#define TRAMMEL_HOST_SIGNING_SIGNATURE_H

#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

#define SIGNATURE_SUFFIX ".sig"                 /* beside the file */
#define SIGNATURE_TEXT_MAX ((size_t)4 << 10)    /* bytes of a signature's text */
#define SIGNED_FILE_MAX ((size_t)256 << 20)     /* bytes of a file that is signed or verified */
#define SIGNING_KEY_FILE_MAX ((size_t)64 << 10) /* bytes of a PEM file */

struct signing_key;

/* Reads a private key, which must be unencrypted, or a public one. -EINVAL for what is no such key, or why the file
 * could not be read. */
int signing_key_read_private(const char *path, struct signing_key **ret_key, struct error **err);
int signing_key_read_public(const char *path, struct signing_key **ret_key, struct error **err);
void signing_key_free(struct signing_key *key);
DEFINE_CLEANUP(struct signing_key *, signing_key_free);
#define _cleanup_signing_key_ _cleanup_(signing_key_free_p)

const char *signing_key_id(const struct signing_key *key);
const char *signing_key_path(const struct signing_key *key); /* where it was read from */

/* Appends the public key as PEM. -ENOMEM. */
int signing_key_write_public(const struct signing_key *key, struct strbuf *out, struct error **err);

/* Makes a key pair: the private key in `private_path`, for its owner only, the public one in `public_path`. -EEXIST
 * when one of the files is there already; then, and on any other error, nothing is left behind. */
int signing_key_create(const char *private_path, const char *public_path, struct error **err);

/* Appends the signature of `data` to `text`. */
int signature_make(const struct signing_key *key, const void *data, size_t length, struct strbuf *text,
                   struct error **err);

/* Whether `text` is the signature of `data` by one of the keys: the key in `*ret_key`. -EINVAL when the text is no
 * signature, -ENOKEY when it is by none of the keys, -EBADMSG when it is not of this data. */
int signature_verify(const char *text, size_t text_length, const void *data, size_t length,
                     const struct signing_key *const *keys, size_t key_count, const struct signing_key **ret_key,
                     struct error **err);

#endif
