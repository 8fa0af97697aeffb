/* An adapter that is served over TLS, and who may use it. */
#ifndef TRAMMEL_TESTS_INTEGRATION_ADAPTER_SERVED_H
#define TRAMMEL_TESTS_INTEGRATION_ADAPTER_SERVED_H

#include "host/adapter/remote.h"
#include "tests/support/command.h"

struct served {
  char *directory;               /* with certificates: ca, server, client */
  char paths[6][512];            /* of `files` and the server's */
  struct identity_files files;   /* of the host */
  const char *certificate, *key; /* of the server */
  struct running program;
  char address[64];
};

/* Makes certificates; nothing is started. */
void served_prepare(struct served *served);
/* Starts a program that prints "… at HOST:PORT" once it serves. */
void served_start(struct served *served, const char *const *argv);
/* trammel-runner --listen, at the address from before if there is one, with the adapter at a path below the build's
 * directory. */
void served_start_runner(struct served *served, const char *adapter);
/* By a signal; the exit status must be 0 after SIGTERM. */
void served_stop(struct served *served, int signal);
void served_finish(struct served *served);

/* Finds the adapter there; fails the test when that fails. */
const struct adapter_entry *served_find(const struct served *served, struct registry **ret_registry);

#endif
