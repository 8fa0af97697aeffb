/* A host that looks closely at what the adapter's functions do: it calls the table itself, in this process, and has
 * services of its own. Private to this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_STRICT_HOST_H
#define TRAMMEL_HOST_CERTIFY_STRICT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trammel/abi.h"

/* What this host is like. */
enum strict_manner {
  STRICT_FULL = 0,
  STRICT_LONGER, /* of a later minor version, with tables that have more at their end */
  STRICT_BARE,   /* it has no log and no HTTP */
  STRICT_EMPTY,  /* it has no service at all */
};

struct sitting;
struct strict_host;

/* Findings go to the sitting. Never freed: what an adapter does with it later is a finding, too. NULL without memory.
 */
struct strict_host *strict_host_create(struct sitting *sitting, enum strict_manner manner);

/* From now on, addresses of what was lent are given back, too, and so is what calls leave: for thousands of calls. Who
 * keeps what it borrowed may not be found out then. */
void strict_host_spare(struct strict_host *host);

/* What one call came to. `message` is heap, the caller's; NULL when none was sent. Those of a stream are in it one
 * after the other, each behind its length. */
struct strict_answer {
  int status;
  char *message;
  size_t length;
};
#define _cleanup_strict_ __attribute__((cleanup(strict_answer_finish)))
void strict_answer_finish(struct strict_answer *answer);

/* `create` and `call` of the table on the calling thread. What they lend, which is the configuration, the
 * name of the method and the request, is taken away when they have returned: who reads it later crashes. */
int strict_create(struct strict_host *host, const char *config, trammel_instance **ret_instance);
void strict_call(struct strict_host *host, trammel_instance *instance, const char *method, const void *request,
                 size_t length, bool streaming, struct strict_answer *ret_answer);

/* Waits a little for what comes after calls have returned, which is a finding. */
void strict_host_linger(void);

#endif
