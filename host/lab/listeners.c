#include "host/lab/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/engine/patience.h"
#include "sdk/base/clock.h"

#define PAUSE_MS 10

/* On loopback a connection is made at once, or refused. */
static bool listens(const struct listener *listener) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(listener->port)};
  _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  return fd >= 0 && inet_pton(AF_INET, listener->address, &address.sin_addr) == 1 &&
         connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static int check(struct process *const *processes, size_t count, struct error **err) {
  for (size_t i = 0; i < count; i++)
    if (!process_alive(processes[i]))
      return process_died(processes[i], err);
  return 0;
}

int listeners_wait(const struct listener *listeners, size_t count, struct process *const *processes,
                   size_t process_count, const atomic_bool *cancel, struct error **err) {
  int64_t deadline_ns = patience_deadline_ns(LISTENERS_TIMEOUT_NS);
  size_t i = 0;

  for (;;) {
    while (i < count && listens(&listeners[i]))
      i++;
    int r = check(processes, process_count, err);
    if (r < 0 || i == count)
      return r;
    if (cancel && atomic_load(cancel))
      return error_set(err, ECANCELED, "waiting for sidecars: cancelled");
    if (clock_monotonic_ns() >= deadline_ns)
      return error_set(err, ETIMEDOUT, "no sidecar listens at %s port %u yet", listeners[i].address,
                       (unsigned)listeners[i].port);
    (void)poll(NULL, 0, PAUSE_MS);
  }
}
