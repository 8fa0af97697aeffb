/* The options that choose a suite and cases of it, shared by the conformance commands. */
#ifndef TRAMMEL_HOST_CLI_SUITE_OPTIONS_H
#define TRAMMEL_HOST_CLI_SUITE_OPTIONS_H

#include <argp.h>

#include "host/cli/list.h"
#include "host/conformance/plan.h"

struct suite_options {
  const char *name; /* of a built-in suite; NULL: smi */
  struct list directories;
  const char *filter;
  struct list cases;
  struct list groups;
  struct list requirements;
  struct list versions;
};

/* A child argp; its input is a struct suite_options. */
extern const struct argp suite_options_argp;

void suite_options_finish(struct suite_options *options);

/* Loads the suite, printing diagnostics to standard error. 0, -EINVAL for broken cases, -ENOENT
 * when --case names one that is not there, or an error for people. */
int suite_options_load(const struct suite_options *options, struct suite **ret_suite, struct error **err);

/* The selection the options make; borrows from them. */
struct selection suite_options_selection(const struct suite_options *options);

#endif
