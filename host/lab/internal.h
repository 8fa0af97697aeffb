/* What the lab and its placements share. */
#ifndef TRAMMEL_HOST_LAB_INTERNAL_H
#define TRAMMEL_HOST_LAB_INTERNAL_H

#include "host/lab/inventory.h"
#include "host/lab/lab.h"
#include "host/lab/worker.h"

/* Of a run's id: what keeps the namespaces of runs apart on a mesh that several use. */
#define RUN_MARK_SIZE 7

struct lab {
  const atomic_bool *cancel;
  struct journal *journal;
  struct block block;
  unsigned slots;
  unsigned workloads;     /* per slot */
  struct worker *workers; /* slot by slot */
  atomic_uint placements; /* counted, to name them */
  atomic_uint replaced;   /* workers that died or hung */
  char run_mark[RUN_MARK_SIZE];
  char mesh_address[ADDRESS_SIZE];
};

static inline struct worker *lab_worker(const struct lab *lab, unsigned slot, size_t number) {
  return &lab->workers[(size_t)slot * lab->workloads + number];
}

#endif
