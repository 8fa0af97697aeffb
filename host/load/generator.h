/* One thread of a run: its connections, its part of the schedule, its tally. Generators share nothing while they run.
 */
#ifndef TRAMMEL_HOST_LOAD_GENERATOR_H
#define TRAMMEL_HOST_LOAD_GENERATOR_H

#include <stdatomic.h>

#include "host/load/pacer.h"
#include "host/load/target.h"

struct generator_options {
  const struct target *target;     /* resolved */
  const struct schedule *schedule; /* over the warm-up and the measured time */
  unsigned worker, workers;
  unsigned connections;
  int64_t warm_up_ns;
  int64_t connect_timeout_ns, timeout_ns; /* of a connection; of a request */
  int64_t drain_ns;                       /* how long the end waits for what is on its way */
  const atomic_bool *cancel;              /* NULL: never */
};

struct generator;

int generator_create(const struct generator_options *options, struct generator **ret_generator, struct error **err);
void generator_destroy(struct generator *generator);
DEFINE_CLEANUP(struct generator *, generator_destroy);

/* Makes the connections, as far as they can be made in their time: one that can't is tried again for a request. */
void generator_connect(struct generator *generator);
/* Runs from `start_ns` (monotonic) to the end, on one thread. Errors of requests are counted; -errno when the generator
 * itself can't go on. */
int generator_run(struct generator *generator, int64_t start_ns, struct error **err);

/* Borrowed; complete once it has run. */
const struct tally *generator_tally(const struct generator *generator);

#endif
