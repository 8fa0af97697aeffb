#include "host/auth/keyring.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "host/auth/jwt.h"
#include "host/store/accounts.h"
#include "sdk/base/clock.h"

struct keyring {
  struct store *store;
  int64_t (*now_s)(void);
  pthread_rwlock_t lock; /* guards what follows */
  struct jwk_set keys;   /* the first signs */
  int64_t made_s;        /* the first */
  int64_t looked_s;
};

static int64_t clock_s(void) {
  return clock_realtime_s();
}

static int take_keys(struct keyring *keyring, const struct store_key *keys, size_t count, struct error **err) {
  int64_t oldest_ns = (keyring->now_s() - KEYRING_SIGNS_S - KEYRING_HOLDS_S) * NS_PER_SECOND;
  int r = 0;
  jwk_set_finish(&keyring->keys);
  for (size_t i = 0; r == 0 && i < count && (i == 0 || keys[i].created_ns >= oldest_ns); i++) {
    r = jwk_private_read(keys[i].data, keys[i].length, &keyring->keys.keys[keyring->keys.count], err);
    keyring->keys.count += r == 0;
  }
  if (r == 0 && count > 0)
    keyring->made_s = keys[0].created_ns / NS_PER_SECOND;
  return r;
}

/* With the lock held for writing, as what follows. */
static int read_keys(struct keyring *keyring, struct error **err) {
  struct store_key *keys = NULL;
  size_t count = 0;
  int r = store_key_list(keyring->store, &keys, &count, err);
  if (r == 0)
    r = take_keys(keyring, keys, count, err);
  store_keys_free(keys, count);
  keyring->looked_s = keyring->now_s();
  return r < 0 ? error_wrap(err, "reading the signing keys") : 0;
}

/* Unless another host made one that was not there at `since_ns`. */
static int make_key(struct keyring *keyring, int64_t since_ns, struct error **err) {
  struct jwk jwk;
  struct store_key key = {.created_ns = keyring->now_s() * NS_PER_SECOND};
  int r = jwk_generate(&jwk, err);
  if (r < 0)
    return r;
  key.id = jwk.id;
  r = jwk_private_write(&jwk, &key.data, &key.length, err);
  if (r == 0)
    r = store_key_add(keyring->store, &key, since_ns,
                      key.created_ns - (KEYRING_SIGNS_S + KEYRING_HOLDS_S) * NS_PER_SECOND, err);
  if (key.data)
    OPENSSL_cleanse(key.data, key.length);
  free(key.data);
  jwk_finish(&jwk);
  return r < 0 ? r : read_keys(keyring, err);
}

static bool is_old(const struct keyring *keyring) {
  return keyring->keys.count == 0 || keyring->made_s + KEYRING_SIGNS_S <= keyring->now_s();
}

/* The store is asked before: another host may have made one. */
static int refresh(struct keyring *keyring, struct error **err) {
  int r = read_keys(keyring, err);
  return r < 0 || !is_old(keyring) ? r
                                   : make_key(keyring, (keyring->now_s() - KEYRING_SIGNS_S) * NS_PER_SECOND + 1, err);
}

int keyring_open(struct store *store, int64_t (*now_s)(void), struct keyring **ret_keyring, struct error **err) {
  struct keyring *keyring = calloc(1, sizeof(*keyring));
  if (!keyring)
    return error_set(err, ENOMEM, "no memory");
  keyring->store = store;
  keyring->now_s = now_s ? now_s : clock_s;
  (void)pthread_rwlock_init(&keyring->lock, NULL);
  int r = refresh(keyring, err);
  if (r < 0)
    keyring_close(keyring);
  else
    *ret_keyring = keyring;
  return r;
}

void keyring_close(struct keyring *keyring) {
  if (!keyring)
    return;
  jwk_set_finish(&keyring->keys);
  (void)pthread_rwlock_destroy(&keyring->lock);
  free(keyring);
}

int keyring_sign(struct keyring *keyring, const json_t *claims, char **ret_token, struct error **err) {
  (void)pthread_rwlock_wrlock(&keyring->lock);
  int r = is_old(keyring) ? refresh(keyring, err) : 0;
  if (r == 0)
    r = jwt_sign(&keyring->keys.keys[0], KEYRING_TYPE, claims, ret_token, err);
  (void)pthread_rwlock_unlock(&keyring->lock);
  return r;
}

static int verify(const struct keyring *keyring, const char *token, json_t **ret_claims, struct error **err) {
  const struct jwt_expected expected = {.keys = &keyring->keys,
                                        .algorithms = JWT_EDDSA,
                                        .type = KEYRING_TYPE,
                                        .issuer = KEYRING_ISSUER,
                                        .audience = KEYRING_AUDIENCE,
                                        .now_s = keyring->now_s()};
  return jwt_verify(token, strlen(token), &expected, ret_claims, err);
}

/* Another host may have a key that was not there before. Who sends made-up names must not keep the store busy. */
static int look_again(struct keyring *keyring, struct error **err) {
  (void)pthread_rwlock_wrlock(&keyring->lock);
  int r = keyring->looked_s + KEYRING_LOOK_S <= keyring->now_s() ? read_keys(keyring, err) : 0;
  (void)pthread_rwlock_unlock(&keyring->lock);
  return r;
}

int keyring_verify(struct keyring *keyring, const char *token, json_t **ret_claims, struct error **err) {
  (void)pthread_rwlock_rdlock(&keyring->lock);
  int r = verify(keyring, token, ret_claims, err);
  (void)pthread_rwlock_unlock(&keyring->lock);
  if (r != -ENOKEY)
    return r;
  _cleanup_error_ struct error *reason = NULL;
  r = look_again(keyring, &reason);
  if (r < 0)
    return error_set(err, -r, "%s", error_message(reason));
  (void)pthread_rwlock_rdlock(&keyring->lock);
  r = verify(keyring, token, ret_claims, err);
  (void)pthread_rwlock_unlock(&keyring->lock);
  return r;
}
