/* Which of several equal programs works: the one that holds a Lease (coordination.k8s.io/v1), by the rules of the
 * leader election of Kubernetes' own controllers. On a thread of its own. */
#ifndef TRAMMEL_HOST_WATCH_LEASE_H
#define TRAMMEL_HOST_WATCH_LEASE_H

#include "host/engine/cluster.h"

/* After this time without a renewal others take it; by then the holder has stopped, at LEASE_DEADLINE_NS after it
 * began its last renewal. */
#define LEASE_DURATION_S 15
#define LEASE_DEADLINE_NS (10 * INT64_C(1000000000))
#define LEASE_PERIOD_NS (2 * INT64_C(1000000000)) /* between renewals, and looks at another's */

struct lease_options {
  struct cluster *cluster;
  const char *ns, *name;
  const char *identity; /* of this program, no other has it */
  const atomic_bool *cancel;
  void (*held)(void *ctx, int64_t until_ns); /* CLOCK_MONOTONIC; with each renewal; 0: it is lost */
  void (*said)(void *ctx, const char *text); /* what people may want to know */
  void *ctx;
};

struct lease;
int lease_start(const struct lease_options *options, struct lease **ret_lease, struct error **err);
/* Waits for its end, after a cancellation, and then gives the Lease up, so that another one need not wait: when nothing
 * is written any more. NULL is fine. */
void lease_join(struct lease *lease);

#endif
