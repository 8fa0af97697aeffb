/* Where the result of a load run goes, and in which formats. */
#ifndef TRAMMEL_HOST_CLI_LOAD_OUTPUTS_H
#define TRAMMEL_HOST_CLI_LOAD_OUTPUTS_H

#include "host/cli/outputs.h"
#include "host/report/load_report.h"

#define LOAD_OUTPUTS_OPTION                                                                                            \
  {                                                                                                                    \
    "output", 'o', "FORMAT[=FILE]", 0,                                                                                 \
        "text (the default), json, csv, prometheus, fortio (as fortio keeps its results), or hdr (an interval log of " \
        "HdrHistogram); to standard output or a file; may be repeated",                                                \
        6                                                                                                              \
  }

/* As outputs_add() and outputs_write(). */
void load_outputs_add(const struct argp_state *state, struct outputs *outputs, char *text);
int load_outputs_write(struct outputs *outputs, const struct load_report *report, struct error **err);

/* Whether it is what a series of runs is written in, and that JSON (NULL: not asked): one format, text or JSON, to
 * standard output. */
bool load_outputs_of_series(const struct outputs *outputs, bool *ret_json);

#endif
