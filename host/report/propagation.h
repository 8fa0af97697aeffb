/* How long changes took until they were in force, by API group. Pure functions. */
#ifndef TRAMMEL_HOST_REPORT_PROPAGATION_H
#define TRAMMEL_HOST_REPORT_PROPAGATION_H

#include "host/conformance/result.h"

/* Half decades from 1 ms to 10 s; the last one is open. */
#define PROPAGATION_BUCKETS 10

/* Of the cases of one group that were judged: each counts once, with its slowest step. */
struct propagation {
  unsigned settled;
  unsigned never;                    /* judged without having settled */
  int64_t median_ns, p90_ns, max_ns; /* of the settled ones, by nearest rank; 0 without any */
  unsigned buckets[PROPAGATION_BUCKETS];
};

/* 0 or -ENOMEM. */
int propagation_of(const struct run_result *run, enum smi_group group, struct propagation *ret_propagation);

/* "below 1 ms", "1 to 3 ms", …, "10 s and more". */
const char *propagation_bucket_name(size_t bucket);

#endif
