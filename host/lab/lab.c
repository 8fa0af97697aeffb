#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/internal.h"
#include "sdk/base/clock.h"

#define START_TIMEOUT_NS (30 * NS_PER_SECOND)
#define STOP_GRACE_MS 2000

DEFINE_CLEANUP(struct lab *, lab_destroy);

static size_t worker_count(const struct lab *lab) {
  return (size_t)lab->slots * lab->workloads;
}

/* All at once first, then the waiting: they come up side by side. */
static int start_workers(struct lab *lab, struct journal *journal, struct error **err) {
  int64_t deadline_ns = clock_monotonic_ns() + START_TIMEOUT_NS;
  int r = 0;

  for (unsigned i = 0; r == 0 && i < worker_count(lab); i++) {
    if (lab->cancel && atomic_load(lab->cancel))
      return error_set(err, ECANCELED, "starting the workloads: cancelled");
    r = worker_start(&lab->workers[i], journal, &lab->block, i / lab->workloads, i % lab->workloads, err);
  }
  for (unsigned i = 0; r == 0 && i < worker_count(lab); i++)
    r = worker_wait_ready(&lab->workers[i], deadline_ns, lab->cancel, err);
  return r;
}

/* The end of the run's id is its random part. */
static void mark_run(struct lab *lab, const char *run_id) {
  size_t length = strlen(run_id);
  size_t most = RUN_MARK_SIZE - 1;

  (void)snprintf(lab->run_mark, sizeof(lab->run_mark), "%s", run_id + (length > most ? length - most : 0));
}

int process_lab_create(const struct process_lab_options *options, struct lab **ret_lab, struct error **err) {
  if (options->slots < 1 || options->slots > LAB_SLOTS_MAX)
    return error_set(err, EINVAL, "a process lab has 1 to %d slots, not %u", LAB_SLOTS_MAX, options->slots);
  if (options->workloads < 1 || options->workloads > LAB_WORKLOADS_MAX)
    return error_set(err, EINVAL, "a slot of a process lab has 1 to %d workloads, not %u", LAB_WORKLOADS_MAX,
                     options->workloads);
  _cleanup_(lab_destroy_p) struct lab *lab = calloc(1, sizeof(*lab));
  if (!lab)
    return error_set(err, ENOMEM, "out of memory for a lab");
  lab->block.lock = -1;
  lab->cancel = options->cancel;
  lab->journal = options->journal;
  lab->workers = calloc((size_t)options->slots * options->workloads, sizeof(*lab->workers));
  if (!lab->workers)
    return error_set(err, ENOMEM, "out of memory for a lab");
  lab->slots = options->slots;
  lab->workloads = options->workloads;
  mark_run(lab, journal_run_id(options->journal));
  int r = block_take(&lab->block, err);
  if (r < 0)
    return r;
  block_mesh_address(&lab->block, lab->mesh_address);
  r = start_workers(lab, options->journal, err);
  if (r < 0)
    return r;
  *ret_lab = take(lab);
  return 0;
}

static void stop_workers(struct lab *lab) {
  size_t count = lab->workers ? worker_count(lab) : 0;
  struct process *processes[LAB_SLOTS_MAX * LAB_WORKLOADS_MAX];

  for (size_t i = 0; i < count; i++) {
    processes[i] = lab->workers[i].process;
    workload_client_destroy(lab->workers[i].client);
  }
  process_stop_all(processes, count, STOP_GRACE_MS);
}

void lab_destroy(struct lab *lab) {
  if (!lab)
    return;
  stop_workers(lab);
  block_release(&lab->block);
  free(lab->workers);
  free(lab);
}

bool lab_spent(const struct lab *lab) {
  return atomic_load(&lab->replaced) > LAB_REPLACEMENTS_MAX;
}

const char *lab_mesh_address(const struct lab *lab) {
  return lab->mesh_address;
}
