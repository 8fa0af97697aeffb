/* Requests counted per pair of workloads, at the inbound side. */
#ifndef TRAMMEL_REFERENCE_MESH_METRICS_H
#define TRAMMEL_REFERENCE_MESH_METRICS_H

#include <jansson.h>
#include <stdint.h>

struct metrics;
struct pair;

struct workload_name {
  const char *namespace;
  const char *name;
};

struct metrics *metrics_create(void);
void metrics_destroy(struct metrics *metrics);

/* The counters of a pair; they live until either workload is forgotten. NULL past the limit or without memory. */
struct pair *metrics_pair(struct metrics *metrics, const struct workload_name *source,
                          const struct workload_name *destination);

/* Changes when pairs are forgotten. */
uint64_t metrics_generation(const struct metrics *metrics);

/* Counts a request that was answered with `status`, or not at all (0). */
void pair_count(struct pair *pair, unsigned status, int64_t latency_ns);

/* Forgets the pairs of a workload. Pointers to them are no longer valid. */
void metrics_forget(struct metrics *metrics, const struct workload_name *workload);

/* The body of GET /v1/metrics: a new reference; NULL without memory. */
json_t *metrics_to_json(const struct metrics *metrics);

#endif
