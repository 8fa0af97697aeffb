/* What `trammel login` keeps: a file for each host, for its owner only, in "logins" of the configuration directory
 * ($XDG_CONFIG_HOME/trammel, else ~/.config/trammel). */
#ifndef TRAMMEL_HOST_CLI_LOGIN_FILE_H
#define TRAMMEL_HOST_CLI_LOGIN_FILE_H

#include <stdint.h>

#include "sdk/base/error.h"

#define LOGIN_FILE_MAX ((size_t)64 << 10)

struct login {
  char *server; /* its address as --server takes it */
  char *user;
  char *access, *refresh; /* "" each: no tokens, only how to connect */
  int64_t access_end_ms;  /* CLOCK_REALTIME */
  int64_t refresh_end_ms;
  char *ca, *certificate, *key; /* absolute paths; "": the system's authorities, no certificate of its own */
};
/* Overwrites what is secret. */
void login_finish(struct login *login);

/* Keeps other programs from changing a host's file, until it is closed: who renews a login must be alone, since its
 * refresh token is used once. Makes the directory. */
int login_lock(const char *server, int *ret_lock, struct error **err);
/* -ENOENT when there is none; -EPERM when others may read it; -EINVAL for what is none. */
int login_read(const char *server, struct login *ret_login, struct error **err);
int login_write(const struct login *login, struct error **err);
/* -ENOENT. */
int login_remove(const char *server, struct error **err);

#endif
