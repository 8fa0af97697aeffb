/* The highest rate that is still good, by bisection: where to look next, from what was found. Pure functions. */
#ifndef TRAMMEL_HOST_PERF_SEARCH_H
#define TRAMMEL_HOST_PERF_SEARCH_H

#include <stdbool.h>

#define SEARCH_STEPS_MAX 64
#define SEARCH_PRECISION_MIN 0.001

/* Rates are requests per second. */
struct search {
  double from;        /* where it begins */
  double least, most; /* none below or above is tried */
  double precision;   /* it ends when `bad` is at most this share above `good`: 0.05 */
  double good;        /* the highest that was good and below all that were not; 0: none yet */
  double bad;         /* the lowest that was not; 0: none yet */
  unsigned steps;
};

/* The next one to try; 0: it has ended. Doubles until one is not good, halves until one is, and then bisects by the
 * geometric middle. */
double search_next(const struct search *search);
/* What came of it. One that is good again above one that was not does not count. */
void search_tell(struct search *search, double rate, bool good);

#endif
