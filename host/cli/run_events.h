/* What happens in a conformance run, told to other programs as it happens: a JSON object a line (docs/trammeld.md). */
#ifndef TRAMMEL_HOST_CLI_RUN_EVENTS_H
#define TRAMMEL_HOST_CLI_RUN_EVENTS_H

#include <stdio.h>

#include "host/conformance/runner.h"
#include "sdk/base/error.h"

struct run_events {
  FILE *out; /* NULL: nobody is told */
  uint64_t seed;
  bool lost; /* one could not be made */
  struct runner_listener next;
};

/* Opens `path`, a file, pipe or device. */
int run_events_open(struct run_events *events, const char *path, struct error **err);
/* Tells, then `next`. */
struct runner_listener run_events_listener(struct run_events *events, uint64_t seed,
                                           const struct runner_listener *next);
/* -EIO when something could not be told. */
int run_events_close(struct run_events *events, struct error **err);

#endif
