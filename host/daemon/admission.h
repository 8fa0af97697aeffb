/* Who is let in: the accounts, the audit log, and the network with its TLS. */
#ifndef TRAMMEL_HOST_DAEMON_ADMISSION_H
#define TRAMMEL_HOST_DAEMON_ADMISSION_H

#include "host/daemon/config.h"
#include "host/daemon/network.h"
#include "host/rpc/service.h"

struct store;

struct admission {
  struct authority *authority;
  struct audit *audit;
  struct tls *tls; /* NULL: on loopback without */
  int fd;          /* that listens on the network; -1: none */
  char name[NETWORK_NAME_MAX];
};
#define ADMISSION_NONE ((struct admission){.fd = -1})

/* Whether a network's configuration can be used: beyond this machine only with TLS. -EINVAL with what to do. */
int admission_check(const struct network_config *network, struct error **err);

/* Opens all of it; the store is borrowed. The audit log is "audit.jsonl" of the state directory. */
int admission_open(const struct config *config, struct store *store, struct admission *ret_admission,
                   struct error **err);
void admission_close(struct admission *admission);

#endif
