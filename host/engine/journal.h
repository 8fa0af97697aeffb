/* The journal of a run: what was created, written and synced before it is created, so that a crash at any point leaves nothing behind that
 * `trammel cleanup` can't remove. One directory per run, <state>/runs/<run>/, with journal.jsonl and the logs of the run's processes;
 * the running program holds a lock on it. Thread-safe. */
#ifndef TRAMMEL_HOST_ENGINE_JOURNAL_H
#define TRAMMEL_HOST_ENGINE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sdk/base/error.h"

struct journal;

/* The state directory: $TRAMMEL_STATE_DIR, else $XDG_STATE_HOME/trammel, else ~/.local/state/trammel. A heap string. */
int state_directory(char **ret_path, struct error **err);

/* Starts the journal of a new run. */
int journal_create(const char *state_directory, struct journal **ret_journal, struct error **err);

const char *journal_run_id(const struct journal *journal);    /* unique, sortable by time */
const char *journal_directory(const struct journal *journal); /* for logs and other files of the run */

/* Before a process is started, and after: the start time tells it from a later process with the same pid. */
int journal_process_intended(struct journal *journal, const char *name, struct error **err);
int journal_process_started(struct journal *journal, const char *name, pid_t pid, struct error **err);
int journal_process_ended(struct journal *journal, pid_t pid, struct error **err);

/* Before an object is created on a mesh that outlives the run: how to remove it again. */
int journal_object_intended(struct journal *journal, const char *id, const char *delete_method, const char *delete_url,
                            struct error **err);
int journal_object_removed(struct journal *journal, const char *id, struct error **err);

/* Ends the run: everything was removed, so the directory goes, and the state directories when they are empty. NULL is fine. */
void journal_finish(struct journal *journal);
/* Gives up without removing anything: what is left is for `trammel cleanup`. */
void journal_abandon(struct journal *journal);

/* What a cleanup found and did. */
struct cleanup_summary {
  unsigned runs;      /* crashed runs found */
  unsigned busy;      /* runs of programs that are still alive: left alone */
  unsigned processes; /* ended */
  unsigned objects;   /* removed */
  unsigned failed;    /* could not be removed; their runs are kept */
};

/* Removes what crashed runs left. `report` gets a line per thing done (NULL: silent). */
int journal_cleanup(const char *state_directory, bool dry_run, void (*report)(void *ctx, const char *line), void *ctx,
                    struct cleanup_summary *ret_summary, struct error **err);

#endif
