/* The process lab: workloads are processes on loopback addresses, started once and given to one placement after the
 * other. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/internal.h"
#include "host/lab/worker.h"
#include "sdk/base/clock.h"

#define START_TIMEOUT_NS (30 * NS_PER_SECOND)
#define STOP_GRACE_MS 2000

#define PB(name) Trammel__Adapter__V1__##name

struct process_lab {
  struct lab lab; /* first: the lab is a pointer to it */
  struct block block;
  unsigned workloads;     /* per slot */
  struct worker *workers; /* slot by slot */
  atomic_uint replaced;   /* workers that died or hung */
  char mesh_address[ADDRESS_SIZE];
};

static struct process_lab *process_lab_of(struct lab *lab) {
  return (struct process_lab *)lab;
}

static struct worker *worker_of(const struct placement *placement, size_t workload) {
  struct process_lab *lab = process_lab_of(placement->lab);

  return &lab->workers[(size_t)placement->slot * lab->workloads + workload];
}

static size_t worker_count(const struct process_lab *lab) {
  return (size_t)lab->lab.slots * lab->workloads;
}

/* All at once first, then the waiting: they come up side by side. */
static int start_workers(struct process_lab *lab, struct error **err) {
  const atomic_bool *cancel = lab->lab.cancel;
  int64_t deadline_ns = clock_monotonic_ns() + START_TIMEOUT_NS;
  int r = 0;

  for (unsigned i = 0; r == 0 && i < worker_count(lab); i++) {
    if (cancel && atomic_load(cancel))
      return error_set(err, ECANCELED, "starting the workloads: cancelled");
    r = worker_start(&lab->workers[i], lab->lab.journal, &lab->block, i / lab->workloads, i % lab->workloads, err);
  }
  for (unsigned i = 0; r == 0 && i < worker_count(lab); i++)
    r = worker_wait_ready(&lab->workers[i], deadline_ns, cancel, err);
  return r;
}

static void stop_workers(struct process_lab *lab) {
  size_t count = lab->workers ? worker_count(lab) : 0;
  struct process *processes[LAB_SLOTS_MAX * LAB_WORKLOADS_MAX];

  for (size_t i = 0; i < count; i++) {
    processes[i] = lab->workers[i].process;
    workload_client_destroy(lab->workers[i].client);
  }
  process_stop_all(processes, count, STOP_GRACE_MS);
}

static void process_lab_destroy(struct lab *lab) {
  struct process_lab *process_lab = process_lab_of(lab);

  stop_workers(process_lab);
  block_release(&process_lab->block);
  free(process_lab->workers);
  free(process_lab);
}

static bool process_lab_spent(const struct lab *lab) {
  return atomic_load(&((const struct process_lab *)lab)->replaced) > LAB_REPLACEMENTS_MAX;
}

static const char *process_lab_mesh_address(const struct lab *lab) {
  return ((const struct process_lab *)lab)->mesh_address;
}

/* A worker that the last case lost costs the next ones nothing. */
static int make_usable(const struct placement *placement, size_t i, struct error **err) {
  struct process_lab *lab = process_lab_of(placement->lab);
  struct worker *worker = worker_of(placement, i);

  if (worker_usable(worker))
    return 0;
  if (atomic_fetch_add(&lab->replaced, 1) >= LAB_REPLACEMENTS_MAX)
    return error_set(err, ECHILD,
                     "workload-%u-%u died or hung, as %d workloads of this run before it: something ends them",
                     worker->slot, worker->number, LAB_REPLACEMENTS_MAX);
  return worker_replace(worker, lab->lab.journal, &lab->block, lab->lab.cancel, err);
}

static int prepare(struct placement *placement, struct error **err) {
  const struct topology *topology = placement->topology;
  unsigned most = process_lab_of(placement->lab)->workloads;
  int r = 0;

  if (topology->workload_count > most)
    return error_set(err, EINVAL, "topology %s has %zu workloads, a slot of this lab has %u", topology->name,
                     topology->workload_count, most);
  for (size_t i = 0; r == 0 && i < topology->workload_count; i++) {
    r = make_usable(placement, i, err);
    placement->sites[i] = worker_of(placement, i)->site;
  }
  return r;
}

static int check(const struct placement *placement, size_t i, struct error **err) {
  return worker_check(worker_of(placement, i), err);
}

static int ask(const struct placement *placement, size_t i, struct error **err) {
  return worker_ask(worker_of(placement, i), err);
}

static int blame(const struct placement *placement, size_t i, int r, struct error **err) {
  struct worker *worker = worker_of(placement, i);

  if (worker_check(worker, NULL) < 0)
    return worker_check(worker, err); /* says more than the failed request */
  if (r == -ETIMEDOUT)
    worker->hung = true;
  return r;
}

/* Traffic of a process lab stays on this machine, whatever an adapter says. */
static int check_upstream(const PB(Upstream) * upstream, struct error **err) {
  struct in_addr address;

  if (inet_pton(AF_INET, upstream->address, &address) != 1 || ntohl(address.s_addr) >> 24 != 127)
    return error_set(err, EPROTO,
                     "the adapter's Enroll: the address of %s/%s for %s/%s must be in 127.0.0.0/8, not '%s'",
                     upstream->service_namespace, upstream->service, upstream->workload_namespace, upstream->workload,
                     upstream->address);
  return 0;
}

static struct workload_client *client(const struct placement *placement, size_t i) {
  return worker_of(placement, i)->client;
}

static int dial(const struct placement *placement, size_t i, struct workload_client **ret_client, struct error **err) {
  return worker_dial(worker_of(placement, i), ret_client, err);
}

/* Its first workload, at the address where anyone reaches it. */
static int plain_service(const struct placement *placement, const char *service, uint16_t port, enum protocol protocol,
                         const char **ret_address, uint16_t *ret_port, struct error **err) {
  const struct topology *topology = placement->topology;
  const struct topology_port *at;
  const struct topology_service *found = topology_service_at(topology, service, port, protocol, &at);
  char name[256];

  if (!found || found->workload_count == 0)
    return error_set(err, ENOENT, "topology %s has no service %s with %s port %u and a workload", topology->name,
                     service, protocol_name(protocol), port);
  (void)snprintf(name, sizeof(name), "%s/%s", found->ns, found->workloads[0]);
  return placement_direct(placement, name, at->target_port, protocol, ret_address, ret_port, err);
}

static const struct lab_ops process_lab_ops = {
    .kind = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS,
    .destroy = process_lab_destroy,
    .spent = process_lab_spent,
    .mesh_address = process_lab_mesh_address,
    .prepare = prepare,
    .blame = blame,
    .check_upstream = check_upstream,
    .client = client,
    .dial = dial,
    .check = check,
    .ask = ask,
    .plain_service = plain_service,
};

static void destroy(struct process_lab **lab) {
  if (*lab)
    process_lab_destroy(&(*lab)->lab);
}

int process_lab_create(const struct process_lab_options *options, struct lab **ret_lab, struct error **err) {
  if (options->slots < 1 || options->slots > LAB_SLOTS_MAX)
    return error_set(err, EINVAL, "a process lab has 1 to %d slots, not %u", LAB_SLOTS_MAX, options->slots);
  if (options->workloads < 1 || options->workloads > LAB_WORKLOADS_MAX)
    return error_set(err, EINVAL, "a slot of a process lab has 1 to %d workloads, not %u", LAB_WORKLOADS_MAX,
                     options->workloads);
  _cleanup_(destroy) struct process_lab *lab = calloc(1, sizeof(*lab));
  if (!lab)
    return error_set(err, ENOMEM, "out of memory for a lab");
  lab->block.lock = -1;
  lab_init(&lab->lab, &process_lab_ops, options->slots, options->journal, options->cancel);
  lab->workloads = options->workloads;
  lab->workers = calloc((size_t)options->slots * options->workloads, sizeof(*lab->workers));
  if (!lab->workers)
    return error_set(err, ENOMEM, "out of memory for a lab");
  int r = block_take(&lab->block, err);
  if (r < 0)
    return r;
  block_mesh_address(&lab->block, lab->mesh_address);
  r = start_workers(lab, err);
  if (r < 0)
    return r;
  *ret_lab = &take(lab)->lab;
  return 0;
}
