#include "host/lab/worker.h"

#include <errno.h>
#include <stdio.h>

#include "host/engine/patience.h"
#include "sdk/base/clock.h"

#define WORKLOAD_PROGRAM "trammel-workload"
#define CONTROL_PORT 9901
#define READY_PAUSE_MAX_MS 20
/* How long a healthy one may take to answer, and to start, also on a machine that is busy. */
#define ANSWER_TIMEOUT_NS (2 * NS_PER_SECOND)
#define REPLACE_TIMEOUT_NS (10 * NS_PER_SECOND)
/* How long one that is killed may take to end once its connections are gone. */
#define END_TIMEOUT_MS 1000

int worker_dial(const struct worker *worker, struct workload_client **ret_client, struct error **err) {
  char url[ADDRESS_SIZE + 16];

  (void)snprintf(url, sizeof(url), "http://%s:%d", worker->control, CONTROL_PORT);
  return workload_client_create(url, ret_client, err);
}

int worker_start(struct worker *worker, struct journal *journal, const struct block *block, unsigned slot,
                 unsigned number, struct error **err) {
  char name[32];
  char listen[ADDRESS_SIZE + 8];
  const char *arguments[] = {"--control", listen, NULL};

  worker->slot = slot;
  worker->number = number;
  block_address(block, slot, number, ADDRESS_CONTROL, worker->control);
  block_address(block, slot, number, ADDRESS_APP, worker->site.app);
  block_address(block, slot, number, ADDRESS_INBOUND, worker->site.inbound);
  block_address(block, slot, number, ADDRESS_OUTBOUND, worker->site.outbound);
  (void)snprintf(name, sizeof(name), "workload-%u-%u", slot, number);
  (void)snprintf(listen, sizeof(listen), "%s:%d", worker->control, CONTROL_PORT);
  int r = worker_dial(worker, &worker->client, err);
  return r < 0 ? r : process_start(journal, name, WORKLOAD_PROGRAM, arguments, &worker->process, err);
}

int worker_wait_ready(struct worker *worker, int64_t deadline_ns, const atomic_bool *cancel, struct error **err) {
  const char *name = process_name(worker->process);

  for (unsigned pause_ms = 1;; pause_ms = pause_ms * 2 < READY_PAUSE_MAX_MS ? pause_ms * 2 : READY_PAUSE_MAX_MS) {
    _cleanup_error_ struct error *reason = NULL;
    if (workload_ready(worker->client, &reason) == 0)
      return 0;
    if (cancel && atomic_load(cancel))
      return error_set(err, ECANCELED, "waiting for %s: cancelled", name);
    if (process_wait(worker->process, pause_ms))
      return process_died(worker->process, err);
    if (clock_monotonic_ns() >= deadline_ns)
      return error_set(err, ETIMEDOUT, "%s does not answer: %s", name, error_message(reason));
  }
}

int worker_check(const struct worker *worker, struct error **err) {
  return process_alive(worker->process) ? 0 : process_died(worker->process, err);
}

/* A case whose time is up has no patience left, but the question is a new one. */
int worker_ask(struct worker *worker, struct error **err) {
  _cleanup_error_ struct error *reason = NULL;

  patience_set(clock_in_ns(ANSWER_TIMEOUT_NS));
  int r = workload_ready(worker->client, &reason);
  patience_set(0);
  if (r == 0)
    return 0;
  if (r != -ETIMEDOUT)
    return process_wait(worker->process, END_TIMEOUT_MS) ? process_died(worker->process, err) : 0;
  worker->hung = true;
  return error_set(err, ETIMEDOUT, "%s (pid %d) does not answer: %s", process_name(worker->process),
                   (int)process_pid(worker->process), error_message(reason));
}

bool worker_usable(const struct worker *worker) {
  return worker->process && !worker->hung && process_alive(worker->process);
}

int worker_replace(struct worker *worker, struct journal *journal, const struct block *block, const atomic_bool *cancel,
                   struct error **err) {
  process_stop(take(worker->process), 0);
  workload_client_destroy(take(worker->client));
  worker->hung = false;
  int r = worker_start(worker, journal, block, worker->slot, worker->number, err);
  if (r == 0)
    r = worker_wait_ready(worker, patience_deadline_ns(REPLACE_TIMEOUT_NS), cancel, err);
  worker->hung = r < 0;
  return r;
}
