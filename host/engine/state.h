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

/* The most stale runs held at a time: each needs a descriptor. And the most runs, alive or not, in a state directory.
 */
#define STATE_RUNS_MAX 512
#define STATE_NAMES_MAX (1u << 20)

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

/* The first STATE_RUNS_MAX stale runs after the one with the id `after` ("": from the start), in the order of their
 * ids, and how many runs that are alive were passed on the way. A missing state directory has none. */
int state_stale_runs(const char *state_directory, const char *after, struct stale_run **ret_runs, size_t *ret_count,
                     unsigned *ret_busy, struct error **err);
void stale_runs_free(struct stale_run *runs, size_t count);

#endif
