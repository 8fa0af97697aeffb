/* Who may call a host: its users, their logins, tokens for programs, and the keys that it signs with. Passwords and
 * secrets come here as hashes; what they are hashes of, and what a role is, is the caller's. All is as store.h says of
 * durability, threads and errors. */
#ifndef TRAMMEL_HOST_STORE_ACCOUNTS_H
#define TRAMMEL_HOST_STORE_ACCOUNTS_H

#include "host/store/store.h"

#define STORE_USERS_MAX 1000  /* users */
#define STORE_LOGINS_MAX 64   /* of a user: the oldest ends for one more */
#define STORE_TOKENS_MAX 1000 /* tokens */
#define STORE_KEYS_MAX 32     /* keys */
#define STORE_KEY_BYTES_MAX 4096

/* ---- users */

struct store_user {
  char *name; /* unique */
  char *role;
  char *password; /* its hash */
  int64_t created_ns;
};
void store_user_finish(struct store_user *user);
void store_users_free(struct store_user *users, size_t count);

/* name, role and password are taken from `user`. -EEXIST, -E2BIG when there are STORE_USERS_MAX. */
int store_user_add(struct store *store, const struct store_user *user, struct error **err);
/* -ENOENT. */
int store_user_get(struct store *store, const char *name, struct store_user *ret_user, struct error **err);
/* By the bytes of their names. Heap array, store_users_free(). */
int store_user_list(struct store *store, struct store_user **ret_users, size_t *ret_count, struct error **err);
/* Either may be NULL: stays. With another password all logins of the user end. -ENOENT. */
int store_user_change(struct store *store, const char *name, const char *role, const char *password,
                      struct error **err);
/* With all logins and tokens of the user. -ENOENT. */
int store_user_remove(struct store *store, const char *name, struct error **err);

/* ---- logins: each has one secret at a time, which is used once */

struct store_login {
  const char *id; /* unique */
  const char *user;
  const char *password; /* its hash as it was verified; to add one */
  const char *hash;     /* of its secret */
  int64_t expires_ns;
};
/* Those that are over by `now_ns` are removed. -ENOENT when there is no such user, or with another password by now:
 * what was verified may have changed since. */
int store_login_add(struct store *store, const struct store_login *login, int64_t now_ns, struct error **err);

/* Puts `next` in the place of the secret `hash`: 0 with the user (heap) and when it is over. -ENOENT: there is no such
 * login; -EKEYEXPIRED: it is over; -EKEYREVOKED: the secret is not the login's, or no longer, so that somebody has an
 * old one, and the login has ended. */
int store_login_renew(struct store *store, const char *id, const char *hash, const char *next, int64_t now_ns,
                      char **ret_user, int64_t *ret_expires_ns, struct error **err);
/* By who has its secret. -ENOENT. */
int store_login_end(struct store *store, const char *id, const char *hash, struct error **err);

/* ---- tokens */

struct store_token {
  char *id;   /* unique */
  char *hash; /* unique; "" in lists */
  char *name;
  char *role;
  char *user; /* who made it; may be none of the users */
  int64_t created_ns;
  int64_t expires_ns;
};
void store_token_finish(struct store_token *token);
void store_tokens_free(struct store_token *tokens, size_t count);

/* All but created_ns is taken from `token`. -EEXIST, -E2BIG. */
int store_token_add(struct store *store, const struct store_token *token, struct error **err);
/* By its hash. -ENOENT. */
int store_token_find(struct store *store, const char *hash, struct store_token *ret_token, struct error **err);
/* In the order in which they were made; also those that are over. Heap array, store_tokens_free(). */
int store_token_list(struct store *store, struct store_token **ret_tokens, size_t *ret_count, struct error **err);
/* -ENOENT. */
int store_token_remove(struct store *store, const char *id, struct error **err);

/* ---- keys */

struct store_key {
  char *id; /* unique */
  int64_t created_ns;
  unsigned char *data;
  size_t length;
};
/* Overwrites what was secret. */
void store_keys_free(struct store_key *keys, size_t count);

/* Adds a key unless one was made at `since_ns` or after: of hosts that share the store and want one at the same moment,
 * one makes it. Keys that were made before `until_ns` are removed. */
int store_key_add(struct store *store, const struct store_key *key, int64_t since_ns, int64_t until_ns,
                  struct error **err);
/* The latest first. Heap array, store_keys_free(). */
int store_key_list(struct store *store, struct store_key **ret_keys, size_t *ret_count, struct error **err);

#endif
