/* Waiting until sidecars listen. Private to the process lab. */
#ifndef TRAMMEL_HOST_LAB_LISTENERS_H
#define TRAMMEL_HOST_LAB_LISTENERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "host/engine/process.h"
#include "sdk/base/error.h"

/* How long sidecars may take until they listen, when the thread's patience lasts. */
#define LISTENERS_TIMEOUT_NS INT64_C(60000000000)

struct listener {
  const char *address; /* numeric */
  uint16_t port;
};

/* Waits until each takes connections of TCP. -ECHILD with the epitaph of a process that ended meanwhile; -ETIMEDOUT
 * with the first that nobody listens at; -ECANCELED. */
int listeners_wait(const struct listener *listeners, size_t count, struct process *const *processes,
                   size_t process_count, const atomic_bool *cancel, struct error **err);

#endif
