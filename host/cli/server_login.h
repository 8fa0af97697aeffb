/* How a client reaches a host over TLS, and who it says it is. For server.c and the commands of logins. */
#ifndef TRAMMEL_HOST_CLI_SERVER_LOGIN_H
#define TRAMMEL_HOST_CLI_SERVER_LOGIN_H

#include "host/cli/login_file.h"
#include "host/cli/server.h"

/* Connects as server_connect(), but says not who calls; `how` has the files of TLS (NULL: none). */
int server_connect_plainly(const char *address, const struct login *how, struct server **ret_server,
                           struct error **err);

/* Puts what was said of TLS in the place of what is kept with the login. -ENOMEM. */
int server_take_options(const struct server_options *options, struct login *login, struct error **err);

/* What each call says of who calls: "Bearer TOKEN"; NULL: nothing. */
int server_authorize(struct server *server, const char *authorization, struct error **err);

/* Heap: "unix:PATH" or "HOST:PORT", as the address or its defaults say. -EINVAL. */
int server_address(const char *address, char **ret_address, struct error **err);

/* The login's next tokens, which are kept. With its lock held. -EACCES: log in again. */
int server_renew(struct login *login, struct error **err);

/* Puts a grant's tokens into a login. -ENOMEM. */
int server_take_grant(const Trammel__V1__Grant *grant, struct login *login);

#endif
