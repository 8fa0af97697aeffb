/* A PostgreSQL server of the test's own, on a UNIX socket in a directory of its own, ended with the test. */
#ifndef TRAMMEL_TESTS_SUPPORT_POSTGRES_SERVER_H
#define TRAMMEL_TESTS_SUPPORT_POSTGRES_SERVER_H

struct postgres_server;

/* NULL when the machine has none (said on standard output); fails the test when it does not start. */
struct postgres_server *postgres_server_start(void);
/* Where its socket is; the user is "postgres", without a password. */
const char *postgres_server_directory(const struct postgres_server *server);
/* Ends it, and starts it again on the same data. */
void postgres_server_down(struct postgres_server *server);
void postgres_server_up(struct postgres_server *server);
void postgres_server_stop(struct postgres_server *server);

#endif
