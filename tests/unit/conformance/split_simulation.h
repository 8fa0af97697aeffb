/* Measures how often the verdict on a split is wrong, by splits that are drawn at random. Every number is the same each
 * time: the seeds are fixed. */
#ifndef TRAMMEL_TESTS_SPLIT_SIMULATION_H
#define TRAMMEL_TESTS_SPLIT_SIMULATION_H

#include <stddef.h>
#include <stdint.h>

#define SIMULATION_TRIALS 100000
#define SIMULATION_BACKENDS_MAX 5

/* Where the seeds of each kind of simulation begin. */
#define SIMULATION_SEED_FAIR 1
#define SIMULATION_SEED_SHIFT 101
#define SIMULATION_SEED_COMPARISON 201
#define SIMULATION_SEED_LEAK 301

/* Of a bound: how likely it is that it does not hold. */
#define SIMULATION_DOUBT 0.001

struct weighting {
  size_t backends;
  uint32_t weights[SIMULATION_BACKENDS_MAX];
};

/* Two, three and five backends. */
extern const struct weighting simulation_weightings[];
extern const size_t simulation_weighting_count;

/* The requests that a run sends for it. */
uint64_t simulation_requests(const struct weighting *weighting);

/* Verdicts on SIMULATION_TRIALS fair splits. */
struct fair_result {
  unsigned at_hundredth; /* failed at an alpha of 0.01, … */
  unsigned at_thousandth;
  unsigned at_run; /* SPLIT_ALPHA */
  double computed; /* at most this often at SPLIT_ALPHA, from the probabilities of all counts */
};
struct fair_result simulate_fair(const struct weighting *weighting, uint64_t seed);

/* What a mesh does that does not share by the weights. */
struct shift {
  size_t share; /* is off by `by`, and the others make it up: in proportion, or `other` alone */
  size_t other; /* SIMULATION_IN_PROPORTION */
  double by;
};
#define SIMULATION_IN_PROPORTION SIZE_MAX

/* The shift of one share by SPLIT_SHIFT that is the hardest to find with that many requests, and the probability that
 * the test of this share finds it. */
struct shift simulation_hardest(const struct weighting *weighting, uint64_t requests, double *ret_power);

/* How many of SIMULATION_TRIALS such splits are found; `ret_by_multinomial` (may be NULL): by the multinomial test at
 * the same level. */
unsigned simulate_shift(const struct weighting *weighting, const struct shift *shift, uint64_t requests, uint64_t seed,
                        unsigned *ret_by_multinomial);

/* How many of SIMULATION_TRIALS checks with zero tolerance, of so many requests, find a leak of this share. */
unsigned simulate_leak(double leak, uint64_t requests, uint64_t seed);

#endif
