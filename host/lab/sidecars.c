#include "host/lab/sidecars.h"

#include <errno.h>
#include <stdlib.h>

#include "host/lab/listeners.h"

#define PB(name) Trammel__Adapter__V1__##name

#define GRACE_MS 1000

/* Where sidecars have to listen: for the calls of each workload, and in front of it. Heap; NULL without memory. */
static struct listener *list_listeners(const PB(EnrollResponse) * enrollment, const PB(Inventory) * inventory,
                                       size_t *ret_count) {
  size_t count = 0, most = enrollment->n_upstreams + 1;

  for (size_t i = 0; i < inventory->n_workloads; i++)
    most += inventory->workloads[i]->n_ports;
  struct listener *list = calloc(most, sizeof(*list));
  for (size_t i = 0; list && i < enrollment->n_upstreams; i++) {
    const PB(Upstream) *upstream = enrollment->upstreams[i];
    if (!*upstream->unsupported && upstream->protocol != TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UDP)
      list[count++] = (struct listener){upstream->address, (uint16_t)upstream->listen_port};
  }
  for (size_t i = 0; list && i < inventory->n_workloads; i++)
    for (size_t k = 0; k < inventory->workloads[i]->n_ports; k++) {
      const PB(WorkloadPort) *port = inventory->workloads[i]->ports[k];
      if (port->protocol != TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UDP)
        list[count++] = (struct listener){inventory->workloads[i]->inbound_address, (uint16_t)port->port};
    }
  *ret_count = count;
  return list;
}

static int wait_until_they_listen(const struct sidecars *sidecars, const PB(EnrollResponse) * enrollment,
                                  const PB(Inventory) * inventory, const atomic_bool *cancel, struct error **err) {
  size_t count = 0;
  _cleanup_free_ struct listener *listeners = list_listeners(enrollment, inventory, &count);

  if (!listeners)
    return error_set(err, ENOMEM, "out of memory for sidecars");
  return listeners_wait(listeners, count, sidecars->processes, sidecars->count, cancel, err);
}

int sidecars_start(struct sidecars *sidecars, struct engine *engine, const char *owner,
                   const PB(EnrollResponse) * enrollment, const PB(Inventory) * inventory, const atomic_bool *cancel,
                   struct error **err) {
  int r = 0;

  if (enrollment->n_processes == 0)
    return 0;
  sidecars->processes = calloc(enrollment->n_processes, sizeof(*sidecars->processes));
  if (!sidecars->processes)
    return error_set(err, ENOMEM, "out of memory for sidecars");
  for (size_t i = 0; r == 0 && i < enrollment->n_processes; i++) {
    r = engine_start_process(engine, owner, enrollment->processes[i], &sidecars->processes[i], err);
    sidecars->count += r == 0;
  }
  return r < 0 ? r : wait_until_they_listen(sidecars, enrollment, inventory, cancel, err);
}

void sidecars_stop(struct sidecars *sidecars) {
  process_stop_all(sidecars->processes, sidecars->count, GRACE_MS);
  free(sidecars->processes);
  *sidecars = (struct sidecars){0};
}

int sidecars_check(const struct sidecars *sidecars, struct error **err) {
  for (size_t i = 0; i < sidecars->count; i++)
    if (!process_alive(sidecars->processes[i]))
      return process_died(sidecars->processes[i], err);
  return 0;
}
