/* The directories of runs: <state>/runs/<run id>/. Private to the journal and to the cleanup; state_directory() is in
 * journal.h.
 *
 * Who makes a run's directory holds a shared lock on <state>/runs until the run's journal is locked; the cleanup looks
 * for journals that nobody holds under an exclusive one. So it never takes a run that is about to start for a crashed
 * one. */
#ifndef TRAMMEL_HOST_ENGINE_STATE_H
#define TRAMMEL_HOST_ENGINE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"

#define RUN_ID_SIZE 40
#define JOURNAL_FILE "journal.jsonl"

/* The most stale runs one cleanup takes on; each needs a descriptor. */
#define STATE_RUNS_MAX 512

/* <state>/runs. A heap string; NULL without memory. */
char *runs_directory(const char *state_directory);

/* Makes the directory of a run with an empty journal, open for appending and locked. `*ret_directory` is a heap string.
 */
int run_directory_create(const char *state_directory, const char *run_id, char **ret_directory, int *ret_journal,
                         struct error **err);

/* Removes a run's directory with everything in it; links are not followed. An absent one is fine. */
int run_directory_remove(const char *state_directory, const char *run_id, struct error **err);

/* Removes <state>/runs and <state> when they are empty. */
void state_directory_remove_empty(const char *state_directory);

/* A run that nobody runs any more. */
struct stale_run {
  char id[RUN_ID_SIZE];
  int journal; /* open for reading and locked; -1 when the run has none */
};

/* The stale runs in the order of their ids, and how many runs are alive. A missing state directory has none. */
int state_stale_runs(const char *state_directory, struct stale_run **ret_runs, size_t *ret_count, unsigned *ret_busy,
                     struct error **err);
void stale_runs_free(struct stale_run *runs, size_t count);

#endif
