/* The quantiles of latencies that results tell of. */
#ifndef TRAMMEL_HOST_REPORT_LOAD_QUANTILES_H
#define TRAMMEL_HOST_REPORT_LOAD_QUANTILES_H

#define LOAD_QUANTILES 5
#define LOAD_INTERVAL_SEED 1 /* of bootstrap_interval(): the same run has the same intervals in every format */

struct load_quantile {
  const char *name; /* "p50" … */
  double quantile;  /* 0 to 1 */
};
extern const struct load_quantile load_quantiles[LOAD_QUANTILES]; /* upwards */

#endif
