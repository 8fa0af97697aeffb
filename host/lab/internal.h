/* What labs and their placements share: a lab of a kind has this at its start, and its own parts behind lab_ops. */
#ifndef TRAMMEL_HOST_LAB_INTERNAL_H
#define TRAMMEL_HOST_LAB_INTERNAL_H

#include "host/lab/inventory.h"
#include "host/lab/lab.h"
#include "host/lab/sidecars.h"

/* Of a run's id: what keeps the namespaces of runs apart on a mesh that several use. */
#define RUN_MARK_SIZE 7

struct placed_namespace {
  const char *alias;
  const char *name;
};

struct placement {
  struct lab *lab;
  struct engine *engine;
  struct arena *arena;
  const struct topology *topology;
  unsigned slot;
  unsigned number;
  char owner[40];       /* of its registrations in the engine; also the prefix of its processes */
  char plain_owner[48]; /* of what is there until there is a policy */
  struct placed_namespace *namespaces;
  size_t namespace_count;
  struct site *sites; /* one per workload */
  Trammel__Adapter__V1__Inventory *inventory;
  Trammel__Adapter__V1__EnrollResponse *enrollment;
  struct sidecars sidecars;
};

/* What differs between kinds of labs. Functions return 0 or an error with a reason, as lab.h says; `i` is a workload's
 * position in the placement's topology. */
struct lab_ops {
  Trammel__Adapter__V1__LabKind kind;
  void (*destroy)(struct lab *lab);
  bool (*spent)(const struct lab *lab);
  const char *(*mesh_address)(const struct lab *lab);
  /* Sets the placement's number, when it is not to be a fresh one; NULL: it always is. */
  void (*number)(struct placement *placement);
  /* Makes the workloads usable, and fills the placement's sites. Its namespaces have their names already. */
  int (*prepare)(struct placement *placement, struct error **err);
  /* Says what a failed request `r` to a workload comes of; returns `r`, or what it is in truth. */
  int (*blame)(const struct placement *placement, size_t i, int r, struct error **err);
  int (*check_upstream)(const Trammel__Adapter__V1__Upstream *upstream, struct error **err);
  struct workload_client *(*client)(const struct placement *placement, size_t i);
  int (*dial)(const struct placement *placement, size_t i, struct workload_client **ret_client, struct error **err);
  int (*check)(const struct placement *placement, size_t i, struct error **err);
  int (*ask)(const struct placement *placement, size_t i, struct error **err);
  /* A service ("alias/name") as it is without a mesh. */
  int (*plain_service)(const struct placement *placement, const char *service, uint16_t port, enum protocol protocol,
                       const char **ret_address, uint16_t *ret_port, struct error **err);
};

struct lab {
  const struct lab_ops *ops;
  const atomic_bool *cancel;
  struct journal *journal;
  unsigned slots;
  atomic_uint placements; /* counted, to name them */
  char run_mark[RUN_MARK_SIZE];
};

/* Asks the adapter how the workloads of an inventory join; freed by the caller. */
int lab_enroll(const struct lab *lab, struct engine *engine, Trammel__Adapter__V1__Inventory *inventory,
               Trammel__Adapter__V1__EnrollResponse **ret_enrollment, struct error **err);

/* The placement's inventory, with what is known of its sites by now. -ENOMEM. */
int placement_take_inventory(struct placement *placement, struct error **err);

/* Fills what labs share. */
void lab_init(struct lab *lab, const struct lab_ops *ops, unsigned slots, struct journal *journal,
              const atomic_bool *cancel);

#endif
