/* Who may call this host, and as what: users with passwords, tokens for programs, and what they are given when they log
 * in. Any thread. Errors that all of it has besides its own: those of the store (store.h). */
#ifndef TRAMMEL_HOST_AUTH_AUTHORITY_H
#define TRAMMEL_HOST_AUTH_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "host/auth/role.h"
#include "sdk/base/error.h"

#define AUTHORITY_ACCESS_S 300                           /* that an access token holds */
#define AUTHORITY_LOGIN_S (INT64_C(30) * 24 * 3600)      /* that a login holds, however often it is renewed */
#define AUTHORITY_TOKEN_MAX_S (INT64_C(366) * 24 * 3600) /* that a token for programs holds at most */
#define AUTHORITY_NAME_MAX 64                            /* bytes of the name of a user or a token */
#define AUTHORITY_FREE_PAIR 5     /* failed logins of one name from one address that cost no waiting */
#define AUTHORITY_FREE_ADDRESS 50 /* of one address */

struct store;
struct store_token;
struct authority;

/* Who calls. */
struct caller {
  char name[2 * AUTHORITY_NAME_MAX]; /* "alice", "token ci", "uid 1000"; "" of who is not known */
  char user[AUTHORITY_NAME_MAX + 1]; /* of a user: the name; else "" */
  bool program;                      /* known by a token for programs */
  enum role role;
};

/* The store is borrowed. `now_s` is CLOCK_REALTIME's; NULL: the clock. */
int authority_open(struct store *store, int64_t (*now_s)(void), struct authority **ret_authority, struct error **err);
void authority_close(struct authority *authority);
struct store *authority_store(const struct authority *authority);

/* ---- calls */

/* Whose the value of an "authorization" header is: "Bearer TOKEN", with an access token or one for programs. A user's
 * role is the one that the user has now. -EACCES with what to do for all that is not taken. */
int authority_identify(struct authority *authority, const char *authorization, struct caller *ret_caller,
                       struct error **err);

/* ---- logins */

struct grant {
  struct caller caller;
  char *access;         /* heap */
  char *refresh;        /* heap; it is used once, and gives the next */
  int64_t access_end_s; /* CLOCK_REALTIME */
  int64_t refresh_end_s;
};
/* Overwrites what is secret. */
void grant_finish(struct grant *grant);

/* `from` is the address that is told of who asks. -EACCES for a wrong name or password, which is not told apart;
 * -EAGAIN with how long to wait after several of these. */
int authority_login(struct authority *authority, const char *user, const char *password, const char *from,
                    struct grant *ret_grant, struct error **err);
/* -EACCES: log in again. A refresh token that was used before ends its login. */
int authority_renew(struct authority *authority, const char *refresh, struct grant *ret_grant, struct error **err);
/* -EACCES. */
int authority_logout(struct authority *authority, const char *refresh, struct error **err);

/* ---- users: names are 1 to AUTHORITY_NAME_MAX of a-z, 0-9, '.', '_', '-' and '@', the first a letter */

/* -EINVAL, -EEXIST, -E2BIG. */
int authority_user_add(struct authority *authority, const char *name, enum role role, const char *password,
                       struct error **err);
/* The logins of the user end. -ENOENT, -EINVAL. */
int authority_user_set_password(struct authority *authority, const char *name, const char *password,
                                struct error **err);
/* The same by the user, who knows the old one. -EACCES, -EAGAIN as for logins. */
int authority_user_change_password(struct authority *authority, const char *name, const char *old, const char *password,
                                   const char *from, struct error **err);

/* ---- tokens for programs */

/* A token of a role that is not above the caller's, for `life_s`: its text (heap), which is told once, and what is
 * kept. Tokens make no tokens: those would hold on when theirs was revoked. -EPERM, -EINVAL. */
int authority_token_create(struct authority *authority, const struct caller *caller, const char *name, enum role role,
                           int64_t life_s, char **ret_text, struct store_token *ret_token, struct error **err);

#endif
