/* Whether two sets say the same. */
#ifndef TRAMMEL_TESTS_SMI_COMPARE_H
#define TRAMMEL_TESTS_SMI_COMPARE_H

#include "sdk/smi/model.h"

enum comparison {
  COMPARE_EXACTLY = 0,
  COMPARE_PROPORTIONS = 1, /* weights of one split may all be multiples of the other's */
  COMPARE_PORTS = 2,       /* synthesised TCPRoutes may differ in name and place, but not in what they say */
};

/* Where two sets differ, apart from positions and the versions written in, or NULL. In `arena`. `how` is a sum of the
 * above. */
const char *set_difference(struct arena *arena, const struct smi_set *a, const struct smi_set *b, unsigned how);

#endif
