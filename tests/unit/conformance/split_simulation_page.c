/* Prints the tables of docs/statistics.md: what the simulations measured. tests/docs/statistics.sh puts them there. */
#include <stdio.h>

#include "host/conformance/statistics.h"
#include "tests/unit/conformance/confidence.h"
#include "tests/unit/conformance/split_simulation.h"

#define PERCENT(count) (100.0 * (count) / SIMULATION_TRIALS)

static void print_weights(const struct weighting *weighting) {
  for (size_t i = 0; i < weighting->backends; i++)
    printf("%s%u", i ? ":" : "| ", weighting->weights[i]);
}

static void print_fair(void) {
  puts("Fair splits, 100,000 of each:\n\n"
       "| weights | requests | failed at α = 0.01 | at 0.001 | at 0.000001 | computed for 0.000001, at most |\n"
       "|---|---|---|---|---|---|");
  unsigned failed = 0;
  for (size_t i = 0; i < simulation_weighting_count; i++) {
    const struct weighting *weighting = &simulation_weightings[i];
    struct fair_result result = simulate_fair(weighting, SIMULATION_SEED_FAIR + i);
    print_weights(weighting);
    printf(" | %lu | %.3f%% | %.3f%% | %u | %.3g |\n", (unsigned long)simulation_requests(weighting),
           PERCENT(result.at_hundredth), PERCENT(result.at_thousandth), result.at_run, result.computed);
    failed += result.at_run;
  }
  uint64_t all = simulation_weighting_count * (uint64_t)SIMULATION_TRIALS;
  printf("\nAt the α of a run %u of %lu fair splits failed: at 99.9%% confidence at most one in %.0f.\n", failed,
         (unsigned long)all, 1 / confidence_upper(all, failed, SIMULATION_DOUBT));
}

static void print_power(void) {
  puts("\nSplits of which one share is 5 points off, the hardest one to find, 100,000 of each:\n\n"
       "| weights | requests | share that is off | found | at 99.9% confidence at least | computed |\n"
       "|---|---|---|---|---|---|");
  for (size_t i = 0; i < simulation_weighting_count; i++) {
    const struct weighting *weighting = &simulation_weightings[i];
    uint64_t requests = simulation_requests(weighting);
    double power;
    struct shift shift = simulation_hardest(weighting, requests, &power);
    unsigned found = simulate_shift(weighting, &shift, requests, SIMULATION_SEED_SHIFT + i, NULL);
    print_weights(weighting);
    printf(" | %lu | %u, by %+.0f | %.3f%% | %.3f%% | %.3f%% |\n", (unsigned long)requests,
           weighting->weights[shift.share], 100 * shift.by, PERCENT(found),
           100 * confidence_lower(SIMULATION_TRIALS, found, SIMULATION_DOUBT), 100 * power);
  }
}

static void print_comparison(const struct weighting *weighting, const struct shift *shift, uint64_t requests,
                             const char *what, uint64_t seed) {
  unsigned by_multinomial;
  unsigned found = simulate_shift(weighting, shift, requests, seed, &by_multinomial);
  print_weights(weighting);
  printf(" | %lu | %s | %.2f%% | %.2f%% |\n", (unsigned long)requests, what, PERCENT(found), PERCENT(by_multinomial));
}

/* With two backends it is the same test. Half the requests show a difference that the full number hides. */
static void print_comparisons(void) {
  puts("\nThe same with one multinomial test of all shares at the same α, also with half the requests:\n\n"
       "| weights | requests | off by 5 points | found | by the multinomial test |\n"
       "|---|---|---|---|---|");
  for (size_t i = 0; i < simulation_weighting_count; i++) {
    const struct weighting *weighting = &simulation_weightings[i];
    if (weighting->backends == 2)
      continue;
    uint64_t requests = simulation_requests(weighting);
    double power;
    struct shift one = simulation_hardest(weighting, requests, &power);
    struct shift two = {.share = 0, .other = 1, .by = SPLIT_SHIFT};
    for (uint64_t part = 1; part <= 2; part++) {
      uint64_t seed = SIMULATION_SEED_COMPARISON + 4 * i + 2 * (part - 1);
      print_comparison(weighting, &one, requests / part, "one share, the others in proportion", seed);
      print_comparison(weighting, &two, requests / part, "the first two, from one to the other", seed + 1);
    }
  }
}

static void print_leaks(void) {
  static const double leaks[] = {0.001, 0.01, 0.1};
  static const uint64_t requests[] = {1, 300, 688};
  puts("\nLeaks, 100,000 checks of each in which a single request is a failure:\n\n"
       "| leak | one request | 300 requests | 688 requests |\n"
       "|---|---|---|---|");
  for (size_t i = 0; i < sizeof(leaks) / sizeof(*leaks); i++) {
    printf("| %g%% |", 100 * leaks[i]);
    for (size_t k = 0; k < sizeof(requests) / sizeof(*requests); k++)
      printf(" %.2f%% |", PERCENT(simulate_leak(leaks[i], requests[k], SIMULATION_SEED_LEAK + 3 * i + k)));
    putchar('\n');
  }
  unsigned found = simulate_leak(SPLIT_LEAK, leak_sample_size(SPLIT_LEAK, SPLIT_POWER), SIMULATION_SEED_LEAK + 5);
  printf("\nA leak of 1%% in 688 requests is found in %.3f%%, at 99.9%% confidence at least %.3f%%.\n", PERCENT(found),
         100 * confidence_lower(SIMULATION_TRIALS, found, SIMULATION_DOUBT));
}

int main(void) {
  print_fair();
  print_power();
  print_comparisons();
  print_leaks();
  return fflush(stdout) == 0 ? 0 : 1;
}
