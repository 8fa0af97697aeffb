/* What a workload is to those who reach it: a name, fresh nonces, and a record of what came in. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_SERVICE_H
#define TRAMMEL_HOST_LAB_WORKLOAD_SERVICE_H

#include "host/lab/workload/metrics.h"
#include "host/lab/workload/nonce.h"
#include "host/lab/workload/record.h"
#include "host/lab/workload/resolve.h"

struct service {
  char name[WORKLOAD_NAME_MAX + 1];
  struct nonce_source nonces;
  struct record record;
  struct metrics metrics;
  struct resolver resolver;
  size_t held; /* bytes of h2c requests and replies in memory; the server's budget is server_http2.c's */
};

void service_finish(struct service *service);

/* Whether `name` can name a workload: 1…63 printable ASCII characters without space, quote and backslash. */
bool service_name_valid(const char *name);

/* Issues a nonce for a request that came in on `port` and records both. The id is 0…CALL_ID_MAX of A-Z a-z 0-9 . _ -,
 * in every protocol: -EINVAL for any other, which is not recorded. -errno when there are no random bytes. */
int service_accept(struct service *service, const char *id, size_t id_length, uint16_t port,
                   char ret_nonce[NONCE_LENGTH + 1]);

#endif
