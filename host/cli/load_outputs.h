/* Where the result of a load run goes, and in which formats. */
#ifndef TRAMMEL_HOST_CLI_LOAD_OUTPUTS_H
#define TRAMMEL_HOST_CLI_LOAD_OUTPUTS_H

#include "host/cli/outputs.h"
#include "host/report/load_report.h"

#define LOAD_OUTPUTS_OPTION                                                                                            \
  {                                                                                                                    \
    "output", 'o', "FORMAT[=FILE]", 0,                                                                                 \
        "text (the default), json, html (a page with charts), csv, prometheus, fortio (as fortio keeps its results), " \
        "hdr (an interval log of HdrHistogram), or smp (a PerformanceTestResult of Service Mesh Performance); to "     \
        "standard output or a file; may be repeated",                                                                  \
        6                                                                                                              \
  }

enum load_format {
  LOAD_FORMAT_TEXT,
  LOAD_FORMAT_JSON,
  LOAD_FORMAT_HTML,
  LOAD_FORMAT_CSV,
  LOAD_FORMAT_PROMETHEUS,
  LOAD_FORMAT_FORTIO,
  LOAD_FORMAT_HDR,
  LOAD_FORMAT_SMP,
};

/* As outputs_add() and outputs_write(). */
void load_outputs_add(const struct argp_state *state, struct outputs *outputs, char *text);
int load_outputs_write(struct outputs *outputs, const struct load_report *reports, size_t count, struct error **err);

/* Ends the program with a usage error when a format is not for so many results. */
void load_outputs_check(const struct argp_state *state, const struct outputs *outputs, size_t count);

/* One of the formats: 0 or -errno. `count` is 1 where load_outputs_check() wants that. */
int load_outputs_print(enum load_format format, const struct load_report *reports, size_t count, FILE *out);
/* A JSON value and a newline; takes it. -ENOMEM when it is NULL. */
int load_outputs_print_json(json_t *json, FILE *out);

/* Whether it is what a series of runs is written in, and that JSON (NULL: not asked): one format, text or JSON, to
 * standard output. */
bool load_outputs_of_series(const struct outputs *outputs, bool *ret_json);

#endif
