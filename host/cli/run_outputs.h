/* Where a conformance run's report goes, and in which formats. */
#ifndef TRAMMEL_HOST_CLI_RUN_OUTPUTS_H
#define TRAMMEL_HOST_CLI_RUN_OUTPUTS_H

#include "host/cli/outputs.h"
#include "host/report/report.h"

/* As outputs_add() and outputs_write(). */
void run_outputs_add(const struct argp_state *state, struct outputs *outputs, char *text);
int run_outputs_write(struct outputs *outputs, const struct run_result *run, bool colour, struct error **err);

#endif
