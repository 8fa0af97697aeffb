/* Makes the calls of a check in a placement, and finds out from the servers' own records where each arrived. */
#ifndef TRAMMEL_HOST_CONFORMANCE_PROBE_H
#define TRAMMEL_HOST_CONFORMANCE_PROBE_H

#include "host/conformance/suite.h"
#include "host/lab/lab.h"

/* One case's calls in one placement. Used by one thread. */
struct prober {
  const struct placement *placement;
  const struct topology *topology; /* at most LAB_WORKLOADS_MAX (64) workloads: they are told by bits */
  const char *id;                  /* unique in the run, at most 24 characters; call ids start with it */
  unsigned sequence;
  bool glancing; /* while waiting: glances are numbered apart, because their number depends on time, not on the seed */
  unsigned glances;
  const atomic_bool *cancel;
  int64_t deadline_ns; /* of the case, CLOCK_MONOTONIC */
  /* Of all calls of probe_call() that were answered: how long the longest and the shortest took; 0: none was. */
  int64_t longest_ns;
  int64_t shortest_ns;
};

/* Where one call arrived, by the records of all servers: a bit for each workload of the topology, in its order. */
struct arrival {
  uint64_t receivers; /* has a record of the call */
  uint64_t provers;   /* and the answer carried the nonce that it issued for this very call */
};

/* Calls made at once, and what became of them. */
struct probe {
  char id[CALL_ID_MAX + 1]; /* call i has the id "<id>-<i>" */
  unsigned count;
  struct call_outcome *calls; /* heap */
  struct arrival *arrivals;   /* heap; NULL until probe_trace() */
};
void probe_finish(struct probe *probe);

/* How long a call may take: one that is expected to go through, and one that nobody may answer. */
#define CALL_TIMEOUT_MS 5000
#define REFUSAL_TIMEOUT_MS 1000
/* The same for UDP, where silence is the usual refusal, so that each denied call takes all of it. Long enough for the
 * datagram to be sent a second time; one that a server receives later is in its record when the case ends. */
#define SILENCE_TIMEOUT_MS 250

/* Makes `count` calls as the check says and waits for them. An error means that the machinery failed (a workload died,
 * cancelled), never that a call did. */
int probe_call(struct prober *prober, const struct check *check, unsigned count, unsigned timeout_ms,
               struct probe *ret_probe, struct error **err);

/* Gives calls an id of their own: "<prober's id>.<number>". */
void probe_name(struct prober *prober, char id[static CALL_ID_MAX + 1]);

/* What the check sends and where to, without id, number and connections. The batch borrows `headers`, which has room
 * for CASE_HEADERS_MAX. */
int probe_batch(const struct prober *prober, const struct check *check, struct call_header *headers,
                struct call_batch *ret_batch, struct error **err);

/* Looks the calls up in the records of every server; again when it was done before. */
int probe_trace(struct prober *prober, struct probe *probe, struct error **err);

/* The workloads behind the check's target, as bits: the service's, or the workload itself when the check goes direct.
 */
uint64_t probe_targets(const struct prober *prober, const struct check *check);

/* A workload of namespace main, as a bit; 0 when there is none. */
uint64_t probe_workload(const struct prober *prober, const char *name);

#endif
