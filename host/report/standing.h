/* How a run stands as a whole, in one word. Pure functions. */
#ifndef TRAMMEL_HOST_REPORT_STANDING_H
#define TRAMMEL_HOST_REPORT_STANDING_H

#include "host/conformance/result.h"

/* Where several are true the larger one stands; it goes with run_exit_code(): 0, 0, 3, 1. */
enum standing {
  STANDING_HOLDS = 1, /* every requirement that the suite has cases for is proved */
  STANDING_PART,      /* all that was tested holds; something was skipped or left out */
  STANDING_UNJUDGED,  /* some cases could not be judged, the run ended early, or nothing ran */
  STANDING_BROKEN,    /* a requirement is broken */
};
enum standing run_standing(const struct run_result *run);

/* Required cases of the run, by column: informative ones do not count. */
unsigned run_required(const struct run_result *run);

/* Requirements over all groups: proved, and all that the suite has cases for. */
void run_requirements(const struct run_result *run, unsigned *ret_proved, unsigned *ret_total);

#endif
