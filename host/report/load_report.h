/* The result of a load run, for people and for programs. Durations are milliseconds. */
#ifndef TRAMMEL_HOST_REPORT_LOAD_REPORT_H
#define TRAMMEL_HOST_REPORT_LOAD_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "host/load/run.h"

/* What was run. */
struct load_report {
  const char *version; /* of Trammel */
  const char *url, *method;
  const char *protocol;  /* "http/1.1", "h2": as ALPN has it */
  unsigned streams;      /* of a connection */
  bool secure, insecure; /* over TLS; without asking who the target is */
  const struct load_options *options;
  const struct load_result *result;
};

/* docs/schema/load-result.json. NULL without memory. */
json_t *load_report_json(const struct load_report *report);
/* An interval log of HdrHistogram (version 1.3), in nanoseconds: a line for each block of the run's timeline. -ENOMEM.
 */
int load_report_hdr(const struct load_report *report, FILE *out);
void load_report_text(const struct load_report *report, FILE *out);

#endif
