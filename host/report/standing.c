#include "host/report/standing.h"

enum standing run_standing(const struct run_result *run) {
  switch (run_exit_code(run)) {
  case 0:
    break;
  case 1:
    return STANDING_BROKEN;
  default:
    return STANDING_UNJUDGED;
  }
  unsigned proved;
  unsigned total;
  run_requirements(run, &proved, &total);
  return run_totals(run).skipped == 0 && proved == total ? STANDING_HOLDS : STANDING_PART;
}

unsigned run_required(const struct run_result *run) {
  struct run_totals totals = run_totals(run);
  return totals.passed + totals.failed + totals.skipped + totals.error;
}

void run_requirements(const struct run_result *run, unsigned *ret_proved, unsigned *ret_total) {
  *ret_proved = 0;
  *ret_total = 0;
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++) {
    unsigned proved = 0;
    unsigned total = 0;
    (void)run_capability(run, group, &proved, &total);
    *ret_proved += proved;
    *ret_total += total;
  }
}
