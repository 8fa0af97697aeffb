/* The URL of a target, in parts. */
#ifndef TRAMMEL_HOST_LOAD_TARGET_URL_H
#define TRAMMEL_HOST_LOAD_TARGET_URL_H

#include <stdbool.h>

#include "host/load/target.h"

struct target_url {
  char *scheme, *host, *path, *query; /* heap; the query may be NULL */
  bool secure;                        /* https */
  bool echo;                          /* tcp, udp: there is no path */
  bool datagrams;                     /* udp */
  char port[TARGET_PORT_SIZE];
};

/* -EINVAL says what is wrong with it. Finished with target_url_finish() in any case. */
int target_url_read(const char *text, struct target_url *ret_url, struct error **err);
void target_url_finish(struct target_url *url);

#endif
