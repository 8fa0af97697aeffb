/* The journal of a run: what will be created, written before it is created, so that a crash at any point leaves nothing
 * behind that `trammel cleanup` can't remove. One directory per run, <state>/runs/<run>/, with journal.jsonl (a JSON
 * object a line) and the logs of the run's processes; the running program holds a lock (flock) on it, by which a live
 * run is told from a crashed one. Thread-safe.
 *
 * Objects are synced to the disk before they are created: they outlive this machine. Processes are only written: what a
 * power cut takes from the journal it takes from the process table, too. */
#ifndef TRAMMEL_HOST_ENGINE_JOURNAL_H
#define TRAMMEL_HOST_ENGINE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sdk/base/error.h"

struct journal;

/* The state directory: $TRAMMEL_STATE_DIR, else $XDG_STATE_HOME/trammel, else ~/.local/state/trammel. A heap string. */
int state_directory(char **ret_path, struct error **err);

/* Starts the journal of a new run, and makes the directories it needs (mode 0700). */
int journal_create(const char *state_directory, struct journal **ret_journal, struct error **err);

const char *journal_run_id(const struct journal *journal);    /* unique, sortable by time */
const char *journal_directory(const struct journal *journal); /* for logs and other files of the run */

/* Before a process is started, and after: the start time tells it from a later process with the same pid. The process
 * has to be started with JOURNAL_RUN_VARIABLE=<run id> in its environment; that finds it, and what it started itself,
 * after a crash between the two. */
#define JOURNAL_RUN_VARIABLE "TRAMMEL_RUN"
int journal_process_intended(struct journal *journal, const char *name, struct error **err);
int journal_process_started(struct journal *journal, const char *name, pid_t pid, struct error **err);
int journal_process_ended(struct journal *journal, pid_t pid, struct error **err);

/* Before an object is created on a mesh that outlives the run: how to remove it again. `id` stands for this very URL.
 * `delete_url` is kept in a file that only the user can read. */
int journal_object_intended(struct journal *journal, const char *id, const char *delete_method, const char *delete_url,
                            struct error **err);
/* The same for an object whose removal takes more than a request. */
struct journal_object {
  const char *id;
  const char *delete_method;
  const char *delete_url;
  /* NULL, or the JSON form (identity.h) of how it is told from what others made: its `look` is a URL, and `delete_url`
   * may have IDENTITY_PLACE in it. What is there is looked at before it is removed. */
  const char *identity;
  const char *token_file; /* whose token the requests need; NULL: none. The token itself is never written down */
};
int journal_object_intended_as(struct journal *journal, const struct journal_object *object, struct error **err);

/* The same before an object is created on a Kubernetes cluster; `id` stands for this very object on this very server.
 */
struct cluster;
struct cluster_place;
int journal_cluster_object_intended(struct journal *journal, const char *id, const struct cluster *cluster,
                                    const struct cluster_place *place, struct error **err);

/* After either was removed. */
int journal_object_removed(struct journal *journal, const char *id, struct error **err);

/* Ends the run. When everything was removed the directory goes, and the state directories when they are empty;
 * otherwise what is left stays for `trammel cleanup`. Returns how many objects and processes that is. NULL is fine. */
size_t journal_finish(struct journal *journal);

/* What a cleanup found and did. */
struct cleanup_summary {
  unsigned runs;      /* crashed runs found */
  unsigned busy;      /* runs of programs that are still alive: left alone */
  unsigned processes; /* ended */
  unsigned objects;   /* removed */
  unsigned failed;    /* could not be removed; their runs are kept */
};

/* Removes what crashed runs left: ends processes (only those whose pid, start time and boot are what was recorded, or
 * that carry the run's mark), deletes objects last created first, then removes the run's directory, and the state
 * directories when they are empty. `report` gets a line per thing done, or with `dry_run` per thing to do (NULL:
 * silent). Can be repeated; runs whose things could not all be removed are kept for that. 0 also when something failed
 * (`ret_summary->failed` says); an error when the state directory cannot be read. */
int journal_cleanup(const char *state_directory, bool dry_run, void (*report)(void *ctx, const char *line), void *ctx,
                    struct cleanup_summary *ret_summary, struct error **err);

#endif
