/* Makes the calls of a check in a placement, and finds out from the servers' own records where they arrived. */
#ifndef TRAMMEL_HOST_CONFORMANCE_PROBE_H
#define TRAMMEL_HOST_CONFORMANCE_PROBE_H

#include "host/conformance/suite.h"
#include "host/lab/lab.h"

/* One case's calls in one placement. Used by one thread. */
struct prober {
  const struct placement *placement;
  const struct topology *topology;
  const char *id; /* unique in the run, at most 24 characters; call ids start with it */
  unsigned sequence;
  const atomic_bool *cancel;
  int64_t deadline_ns; /* of the case, CLOCK_MONOTONIC */
};

/* Makes `calls` calls as the check says and waits for them; nothing is looked up in the servers' records.
 * `*ret_outcomes` is a heap array. An error means that the machinery failed (a workload died, cancelled), never that a
 * call did. */
int probe_calls(struct prober *prober, const struct check *check, unsigned calls, struct call_outcome **ret_outcomes,
                struct error **err);

/* What became of one call. */
struct probe_outcome {
  char id[CALL_ID_MAX + 1];
  struct call_outcome call;
  const char *received_by; /* the workload whose record has the call; NULL: none has */
  bool intended;           /* that workload is behind the check's target */
  bool proven;             /* and the answer carried the nonce it issued for this very call */
};

/* Calls once and finds out where the call arrived. */
int probe_call(struct prober *prober, const struct check *check, struct probe_outcome *ret_outcome, struct error **err);

/* Where the calls of a split went. `counts[i]` of them have proof from the workload of check->shares[i]. */
struct probe_shares {
  char id[CALL_ID_MAX + 1];
  uint64_t *counts;   /* heap */
  uint64_t elsewhere; /* proof from a workload that is not among the shares */
  uint64_t unproven;  /* failed, or answered without proof */
  struct call_outcome first_unproven;
};
int probe_shares(struct prober *prober, const struct check *check, unsigned calls, struct probe_shares *ret_shares,
                 struct error **err);
void probe_shares_finish(struct probe_shares *shares);

#endif
