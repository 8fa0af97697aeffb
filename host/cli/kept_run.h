/* What is kept of a conformance run while it goes on, so that it can be gone on with: how it was started, what it is
 * about, and each case's result as a report has it. */
#ifndef TRAMMEL_HOST_CLI_KEPT_RUN_H
#define TRAMMEL_HOST_CLI_KEPT_RUN_H

#include "host/adapter/registry.h"
#include "host/conformance/runner.h"
#include "host/store/results.h"

struct kept_run {
  struct results *results;
  struct run_result *before; /* of a run that is gone on with: what its earlier parts found; NULL: a new run */
  int argc;                  /* then: how it was started */
  char **argv;
  json_t *head;
  bool *done;         /* per job of the plan */
  size_t done_count;  /* cases of `before` that have a result; what could not be judged is done again */
  int64_t spent_ns;   /* on the earlier parts */
  int64_t started_ns; /* this part, CLOCK_MONOTONIC */
  bool empty;         /* a new run of which nothing is kept yet */
  struct runner_listener next;
  struct error *failure; /* why results are no longer kept */
};
/* Leaves what is kept, unless it is nothing. */
void kept_run_finish(struct kept_run *kept);

/* What must be the same in all parts of a run. */
struct run_facts {
  const struct adapter_entry *entry;
  const json_t *config;
  const struct suite *suite;
  const struct plan *plan;
};

/* Opens what is kept of run `id` ("last": the latest). */
int kept_run_open(const char *state_directory, const char *id, struct kept_run *kept, struct error **err);

/* Whether this is still the same run, and which of its cases are done. -EINVAL with everything that differs. */
int kept_run_match(struct kept_run *kept, const struct run_facts *facts, struct error **err);

/* Begins to keep a new run: `run` is described and has no cases yet, `words` are its command line without the first. */
int kept_run_begin(struct kept_run *kept, const char *state_directory, const struct run_result *run,
                   const struct run_facts *facts, int count, const char *const *words, struct error **err);

/* Keeps each case that ends, and tells `next`. */
struct runner_listener kept_run_listener(struct kept_run *kept, const struct runner_listener *next);

/* The whole run: `now` with what was found before, in the plan's order. `*ret_cases` (heap) is what `*ret_whole` points
 * to; the rest is borrowed from both. */
int kept_run_whole(const struct kept_run *kept, const struct plan *plan, const struct run_result *now,
                   struct run_result *ret_whole, struct case_result **ret_cases);

/* Ends keeping: removes the file unless `keep`. Whether the run can be gone on with. */
bool kept_run_end(struct kept_run *kept, bool keep);

#endif
