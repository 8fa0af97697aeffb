/* A profile, run as the command line has it. */
#ifndef TRAMMEL_HOST_CLI_PROFILE_RUN_H
#define TRAMMEL_HOST_CLI_PROFILE_RUN_H

#include "host/cli/outputs.h"
#include "host/perf/profile.h"

/* A profile that can be run. To be finished, also after an error. */
struct profile_input {
  struct profile *profile;
  struct target *targets[PROFILE_TARGETS_MAX]; /* as many as it has loads, or none */
};

/* Reads the profile of a file, "-" is standard input, or one that is saved, and makes its targets. Prints what is wrong
 * with it on standard error; 0, or the exit code. */
int profile_input_read(const char *what, struct profile_input *ret_input);
void profile_input_finish(struct profile_input *input);

/* Runs it, writes what came of it, and with `keep` keeps it; the exit code. */
int profile_run(const char *what, struct outputs *outputs, bool keep, struct error **err);

#endif
