/* The keys that this host signs its access tokens with: in the store, so that hosts that share one know each other's.
 * The latest signs for KEYRING_SIGNS_S; then there is a new one, and those before hold until their tokens are over. Any
 * thread. */
#ifndef TRAMMEL_HOST_AUTH_KEYRING_H
#define TRAMMEL_HOST_AUTH_KEYRING_H

#include <jansson.h>
#include <stdint.h>

#include "sdk/base/error.h"

#define KEYRING_SIGNS_S (INT64_C(30) * 24 * 3600)
#define KEYRING_HOLDS_S INT64_C(3600) /* after it signed last; no token lives as long */
#define KEYRING_LOOK_S 5              /* between two looks into the store for a key that is not known */

#define KEYRING_ISSUER "trammeld"
#define KEYRING_AUDIENCE "trammeld"
#define KEYRING_TYPE "at+jwt" /* RFC 9068: no other token of ours can be taken for one */

struct store;
struct keyring;

/* Reads the keys; makes the first. `now_s` is CLOCK_REALTIME's; NULL: the clock. The store is borrowed. */
int keyring_open(struct store *store, int64_t (*now_s)(void), struct keyring **ret_keyring, struct error **err);
void keyring_close(struct keyring *keyring);

/* Signs claims; heap. A new key is made when the latest is too old. */
int keyring_sign(struct keyring *keyring, const json_t *claims, char **ret_token, struct error **err);
/* As jwt_verify(). */
int keyring_verify(struct keyring *keyring, const char *token, json_t **ret_claims, struct error **err);

#endif
