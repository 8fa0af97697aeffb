/* How one load becomes several: each target's part by its weight. */
#ifndef TRAMMEL_HOST_PERF_PROFILE_SPLIT_H
#define TRAMMEL_HOST_PERF_PROFILE_SPLIT_H

#include "host/perf/profile.h"

/* Sets the options of `count` loads, whose weights are set, so that together they are `whole`: rates in proportion,
 * connections in whole numbers whose sum is exact, a thread for each at least. `whole->threads` 0: as many as loads.
 * -EINVAL when there are too few connections or threads for that, or a part is out of range. */
int profile_split(struct profile_load *loads, size_t count, const struct load_options *whole, struct error **err);

#endif
