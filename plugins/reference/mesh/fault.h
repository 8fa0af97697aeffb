/* The set of ways in which this mesh was told to be wrong. Each fault is one decision. */
#ifndef TRAMMEL_REFERENCE_MESH_FAULT_H
#define TRAMMEL_REFERENCE_MESH_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "plugins/reference/faults.h"

struct error;

enum fault {
#define X(enumerator, name, requirement, what) FAULT_##enumerator,
  REFERENCE_FAULTS(X)
#undef X
      FAULT_COUNT
};

struct fault_set {
  uint64_t bits[2];
};

_Static_assert(FAULT_COUNT <= 128, "fault_set holds 128 faults");

static inline bool fault_on(struct fault_set set, enum fault fault) {
  return (set.bits[fault / 64] & (UINT64_C(1) << fault % 64)) != 0;
}

/* Switches the fault called `name` on. -EINVAL with the known names otherwise. */
int fault_set_add(struct fault_set *set, const char *name, struct error **err);

const char *fault_name(enum fault fault);

/* One line per fault: name, requirement, what it does; separated by tabs. With `json`, an array of objects. */
void fault_list(FILE *out, bool json);

#endif
