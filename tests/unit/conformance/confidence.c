#include "tests/unit/conformance/confidence.h"

#include "host/conformance/binomial.h"

/* Halvings that leave nothing of a double's digits. */
#define STEPS 60

double confidence_lower(uint64_t n, uint64_t k, double doubt) {
  double low = 0;
  double high = (double)k / (double)n;
  for (int i = 0; k > 0 && i < STEPS; i++) {
    double middle = (low + high) / 2;
    if (binomial_upper(n, k, middle) <= doubt)
      low = middle;
    else
      high = middle;
  }
  return low;
}

double confidence_upper(uint64_t n, uint64_t k, double doubt) {
  return 1 - confidence_lower(n, n - k, doubt);
}
