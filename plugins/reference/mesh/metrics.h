/* Requests counted at both proxies: by the caller's as it got its answers, by the server's as it gave them. What is
 * kept is a series for each way that requests took; all that is asked for is summed up from these. */
#ifndef TRAMMEL_REFERENCE_MESH_METRICS_H
#define TRAMMEL_REFERENCE_MESH_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/reference/mesh/fault.h"
#include "plugins/reference/mesh/histogram.h"

struct metrics;

struct workload_name {
  const char *namespace;
  const char *name;
};

/* Which requests a series counts. Texts that say nothing are "". */
struct series_key {
  bool client;                      /* counted at the caller's proxy, else at the server's */
  struct workload_name source;      /* "": a caller without identity */
  struct workload_name destination; /* "": nobody was found to take it */
  /* Client only: the service that was called, and, where a split chose, which one and the backend it chose. */
  struct workload_name service;
  const char *split;
  const char *backend;
};

struct totals {
  uint64_t requests, failures;
  struct histogram latency;
};

void totals_add(struct totals *sum, const struct totals *totals);

struct series {
  struct series_key key;
  struct totals totals;
};

struct metrics *metrics_create(struct fault_set faults);
void metrics_destroy(struct metrics *metrics);

/* The series of a key, made when there is none; it lives until its source or destination is forgotten. NULL past the
 * limit or without memory. */
struct series *metrics_series(struct metrics *metrics, const struct series_key *key);

/* Changes when series are forgotten. */
uint64_t metrics_generation(const struct metrics *metrics);

/* Counts a request that was answered with `status`, or not at all (0). */
void metrics_count(const struct metrics *metrics, struct series *series, unsigned status, int64_t latency_ns);

/* Forgets the series of a workload. Pointers to them are no longer valid. */
void metrics_forget(struct metrics *metrics, const struct workload_name *workload);

size_t metrics_size(const struct metrics *metrics);
const struct series *metrics_at(const struct metrics *metrics, size_t i);

#endif
