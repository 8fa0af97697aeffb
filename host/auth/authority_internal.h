/* What an authority is. For authority.c, logins.c and accounts.c. */
#ifndef TRAMMEL_HOST_AUTH_AUTHORITY_INTERNAL_H
#define TRAMMEL_HOST_AUTH_AUTHORITY_INTERNAL_H

#include "host/auth/attempts.h"
#include "host/auth/authority.h"
#include "host/auth/keyring.h"
#include "host/store/accounts.h"

struct authority {
  struct store *store;
  int64_t (*now_s)(void);
  struct keyring *keyring;
  struct attempts attempts;
};

/* The password of a user, with the waiting of who guesses: 0, -EACCES, -EAGAIN. The user as it is, which has a role;
 * store_user_finish(). */
int authority_check_password(struct authority *authority, const char *user, const char *password, const char *from,
                             struct store_user *ret_user, struct error **err);

#endif
