/* The exact tests behind split verdicts. Pure functions; docs/statistics.md says why these. */
#ifndef TRAMMEL_HOST_CONFORMANCE_STATISTICS_H
#define TRAMMEL_HOST_CONFORMANCE_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#define SPLIT_ALPHA 1e-6 /* chance that a fair split is failed, per check */
#define SPLIT_POWER 0.999
#define SPLIT_SHIFT 0.05 /* the shift of one share that is found with that power */
#define SPLIT_LEAK 0.01  /* the leak to a backend that must get nothing that is found with that power */

#define SPLIT_REQUESTS_MAX 1000000 /* no sample size is larger */

/* Requests needed so that the exact test at `alpha` finds a shift of `shift` in any one share of `probabilities` with
 * at least `power`. A shift to below 0 or above 1 cannot happen and is not asked for. 0 when all probabilities are 0.
 */
uint64_t split_sample_size(const double *probabilities, size_t n, double alpha, double power, double shift);

/* Requests needed so that a leak of `leak` shows at least once with `power`. */
uint64_t leak_sample_size(double leak, double power);

/* Requests needed to see who gets anything: a leak of SPLIT_LEAK to one of `probabilities` that is 0 shows with
 * SPLIT_POWER, where none is 0 a loss of SPLIT_SHIFT; and under a fair split any other one gets nothing with a chance
 * of at most SPLIT_ALPHA. */
uint64_t presence_sample_size(const double *probabilities, size_t n);

/* The verdict on a split. */
struct split_verdict {
  int fair;
  double p_value;  /* of the shares among the backends with weight, corrected for their number */
  size_t worst;    /* the backend without weight that got most; else the one whose share is the least likely */
  uint64_t strays; /* requests that went to a backend of weight 0, or nowhere known */
};
/* `counts[i]` requests went to a backend of weight `weights[i]`; `unknown` to none of them. Zero tolerance for strays.
 * With more than two weighted backends each share is tested by the exact binomial at alpha divided by their number
 * (Bonferroni), so the chance to fail a fair split stays at most `alpha`. */
void split_judge(const uint64_t *counts, const uint32_t *weights, size_t n, uint64_t unknown, double alpha,
                 struct split_verdict *ret_verdict);

#endif
