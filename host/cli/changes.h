/* What became of each object of a rollout, for people and as JSON: what `apply` and `delete` print. */
#ifndef TRAMMEL_HOST_CLI_CHANGES_H
#define TRAMMEL_HOST_CLI_CHANGES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "host/cli/command.h"
#include "host/engine/rollout.h"

struct changes {
  const char *removed; /* what a removal is called: "pruned" */
  const char *adapter; /* its id */
  bool dry_run;
  bool json;
  bool lines;   /* with `json`: each object on a line of its own, as it goes */
  json_t *list; /* of all objects, with `json`; zero at first */
  bool failed;  /* memory ran out */
};

/* For rollout.told, with a struct changes: a line on standard output, or with `json` one more object for
 * changes_finish(). */
void changes_tell(void *ctx, const struct rollout_step *step);

/* A text that came from outside, without anything that could steer a terminal. */
void changes_print_safe(const char *text, FILE *out);

/* "Kind namespace/name", without anything that could steer a terminal. */
void changes_print_place(const struct cluster_place *place, FILE *out);

/* Writes what there is to say at the end: a line with the counts, or with `json` all of it. 0; -ENOMEM, -ENOSPC. */
int changes_finish(struct changes *changes, const struct rollout_summary *summary, struct error **err);

/* The exit code of a rollout that ended with `r`. */
enum exit_code changes_exit_code(int r, const struct rollout_summary *summary);

/* Tells on standard error what a summary means for people: objects that were not begun, namespaces that could not be
 * searched. */
void changes_explain(int r, const struct rollout_summary *summary);

#endif
