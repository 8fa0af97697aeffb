/* Which backend a request goes to: a pure choice. */
#ifndef TRAMMEL_REFERENCE_MESH_SPLIT_H
#define TRAMMEL_REFERENCE_MESH_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "plugins/reference/mesh/fault.h"
#include "plugins/reference/mesh/model.h"

enum {
  SPLIT_NONE = -1,
  SPLIT_REST = -2, /* the root service's own workloads; only a fault says so */
};

/* The backend's weight as it counts. */
uint32_t backend_weight(const struct backend *backend, struct fault_set faults);

/* The index of one of `count` usable backends, chosen by `random` (uniform over 64 bits) in proportion to the weights;
 * SPLIT_NONE when they sum to 0. */
int split_choose(const uint32_t *weights, size_t count, struct fault_set faults, uint64_t random);

enum split_scope {
  SPLIT_APPLIES,
  SPLIT_ROOT,    /* the root service's own workloads take it */
  SPLIT_DROPPED, /* nobody does */
};

struct head;

/* Whether a split is for a request, or for a TCP connection where `request` is NULL. */
enum split_scope split_scope(const struct split *split, const struct head *request, struct fault_set faults);

#endif
