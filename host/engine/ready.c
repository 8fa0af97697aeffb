#include "host/engine/ready.h"

#include <errno.h>
#include <poll.h>

#include "host/engine/patience.h"
#include "sdk/base/clock.h"

/* How long unless the check says, how long at most, how long one request, and the pauses between requests. */
#define READY_TIMEOUT_MS 10000
#define READY_TIMEOUT_MAX_MS 600000
#define READY_REQUEST_NS (2 * NS_PER_SECOND)
#define READY_PAUSE_MAX_MS 50

/* Whether a GET of the check answers 200. `*ret_reason` says why not. */
static bool is_ready(struct endpoints *endpoints, const Trammel__Adapter__V1__HttpCheck *check, int64_t deadline_ns,
                     struct error **ret_reason) {
  struct http_response response = {0};
  int64_t request_ns = clock_monotonic_ns() + READY_REQUEST_NS;

  if (endpoints_send(endpoints,
                     &(struct endpoint_request){.endpoint = check->endpoint,
                                                .method = "GET",
                                                .path = check->path,
                                                .deadline_ns = request_ns < deadline_ns ? request_ns : deadline_ns},
                     &response, ret_reason) < 0)
    return false;
  bool ready = response.status == 200;
  if (!ready)
    (void)error_set(ret_reason, EIO, "GET %s was answered with %u", check->path, response.status);
  http_response_finish(&response);
  return ready;
}

/* Whether the process ended meanwhile. */
static bool pause_for(struct process *process, unsigned pause_ms) {
  if (process)
    return process_wait(process, pause_ms);
  (void)poll(NULL, 0, (int)pause_ms);
  return false;
}

int ready_wait(struct endpoints *endpoints, const atomic_bool *cancel, struct process *process,
               const Trammel__Adapter__V1__HttpCheck *check, struct error **err) {
  unsigned timeout_ms = check->timeout_ms > 0 ? check->timeout_ms : READY_TIMEOUT_MS;
  if (timeout_ms > READY_TIMEOUT_MAX_MS)
    timeout_ms = READY_TIMEOUT_MAX_MS;
  int64_t deadline_ns = patience_deadline_ns(timeout_ms * NS_PER_MS);
  const char *name = process ? process_name(process) : check->path;
  unsigned pause_ms = 1;

  for (;;) {
    _cleanup_error_ struct error *reason = NULL;
    if (is_ready(endpoints, check, deadline_ns, &reason)) /* unless another program answered in its place */
      return !process || process_alive(process) ? 0 : process_died(process, err);
    if (cancel && atomic_load(cancel))
      return error_set(err, ECANCELED, "waiting for %s: cancelled", name);
    if (error_code(reason) == EACCES || error_code(reason) == ENOENT)
      return error_set(err, error_code(reason), "the ready check of %s: %s", name, error_message(reason));
    if (pause_for(process, pause_ms))
      return process_died(process, err);
    if (clock_monotonic_ns() >= deadline_ns)
      return error_set(err, ETIMEDOUT, "%s was not ready within %u ms: %s", name, timeout_ms, error_message(reason));
    pause_ms = pause_ms * 2 < READY_PAUSE_MAX_MS ? pause_ms * 2 : READY_PAUSE_MAX_MS;
  }
}
