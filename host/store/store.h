/* What a host keeps of its runs: the runs, their events, results and reports, in SQLite (a file of its own) or in
 * PostgreSQL (shared by hosts), with the same behaviour. What a function here has written is on the disk when it
 * returns 0, and not there at all when it returns an error, but for one: -EINPROGRESS, when the server was lost at the
 * very moment of the commit, says that it may be either.
 *
 * Every function may be called from any thread; one writes at a time, STORE_READERS_MAX read beside it. A call waits at
 * most some seconds for others' locks (-EBUSY) and for a lost server to come back (-ECONNREFUSED). Other errors that
 * all of them have: -ENOSPC and -EROFS (a full and a read-only disk), -EBADMSG (a corrupt file, which is left alone),
 * -EINVAL (text that is no UTF-8 or beyond a limit), -ENOMEM, -EIO. Errors tell no password. */
#ifndef TRAMMEL_HOST_STORE_STORE_H
#define TRAMMEL_HOST_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "sdk/base/error.h"

#define STORE_READERS_MAX 4
#define STORE_NAME_MAX ((size_t)256)        /* bytes of an id, a mesh, a suite, a case, a user */
#define STORE_TEXT_MAX ((size_t)1 << 20)    /* bytes of a summary, a command, an event, a result's detail */
#define STORE_REPORT_MAX ((size_t)64 << 20) /* bytes of a report before it is compressed */
#define STORE_EVENTS_MAX 1000000            /* of a run */
#define STORE_PAGE_MAX 1000                 /* rows of one answer */

struct store;

/* `location` is "sqlite:PATH", "postgres://…" (or postgresql://…, as libpq reads it: TLS by its sslmode, sslrootcert
 * and so on), or a directory, made if need be, in which the file is "trammel.db". The schema is brought to this
 * program's version; a SQLite file is copied before to PATH.version-N.SECONDS, which stays. A newer schema is refused
 * (-EPROTO).
 *
 * `owner` is what this host is called among those that share the store (1 to 64 bytes of letters, digits, '.', '_',
 * '-'). While it has the store open no other may be it (-EBUSY). Runs that it had running before are marked as
 * interrupted, and a SQLite file that it had not closed is checked first. NULL: a reader, that may write but no run
 * of its own. `*ret_interrupted` (may be NULL) is how many runs were marked. */
int store_open(const char *location, const char *owner, struct store **ret_store, uint64_t *ret_interrupted,
               struct error **err);
/* NULL: it was opened without. */
const char *store_owner(const struct store *store);
/* No other call may be under way. NULL is fine. */
void store_close(struct store *store);

enum store_state {
  STORE_QUEUED = 1,
  STORE_RUNNING,
  /* The ends: */
  STORE_FINISHED,    /* came to its end, whatever its verdict */
  STORE_INTERRUPTED, /* its host ended before it did */
  STORE_FAILED,      /* could not be done */
  STORE_CANCELLED,
};
/* "queued", …; NULL for what is no state. */
const char *store_state_name(enum store_state state);
/* 0 or -EINVAL. */
int store_state_parse(const char *name, enum store_state *ret_state);

/* Strings are never NULL in what is read, and NULL is "" in what is written. */
struct store_run {
  char *id;   /* unique */
  char *kind; /* "conformance", "performance", "translate" */
  char *mesh;
  char *subject; /* the suite or the profile */
  char *who;     /* asked for it */
  char *command; /* that repeats it: a command line, or what its host takes (host/runs/arguments.h) */
  char *summary; /* JSON, once it has ended */
  char *owner;   /* the host */
  enum store_state state;
  uint64_t seed;
  int64_t created_ns; /* CLOCK_REALTIME, as all of these; 0 when it was not yet */
  int64_t started_ns;
  int64_t finished_ns;
  uint64_t event_count; /* the last event's sequence number */
};
/* What it points to, not `run`. */
void store_run_finish(struct store_run *run);
void store_runs_free(struct store_run *runs, size_t count);

/* Adds a queued run of this owner: id, kind, mesh, subject, who, command, seed and created_ns (0: now) are taken from
 * `run`. -EEXIST, -EPERM without an owner. */
int store_run_add(struct store *store, const struct store_run *run, struct error **err);
/* A queued run now runs. -ENOENT, -EALREADY when it isn't queued. */
int store_run_start(struct store *store, const char *id, struct error **err);
/* A queued or running run has ended as `state`, with a summary, a last event and the whole report (each may be NULL).
 * -ENOENT, -EALREADY when it had ended before, -E2BIG. */
int store_run_end(struct store *store, const char *id, enum store_state state, const char *summary, const char *event,
                  const void *report, size_t report_length, struct error **err);
/* What store_open() did not know of a run of this owner that it marked as interrupted: a summary, which is not empty,
 * and a last event. -ENOENT, -EALREADY when it is no such run or has a summary. */
int store_run_complete(struct store *store, const char *id, const char *summary, const char *event, struct error **err);
/* -ENOENT. */
int store_run_get(struct store *store, const char *id, struct store_run *ret_run, struct error **err);

struct store_filter {
  const char *mesh; /* NULL: any, and so on */
  const char *kind;
  const char *owner;
  enum store_state state; /* 0: any */
  /* Where the page before ended: created_ns and id of its last run; NULL: the first page. */
  int64_t before_ns;
  const char *before_id;
  size_t limit; /* 1 to STORE_PAGE_MAX */
};
/* The latest first, those of one moment by their id's bytes, greatest first. Heap array, store_runs_free(). */
int store_run_list(struct store *store, const struct store_filter *filter, struct store_run **ret_runs,
                   size_t *ret_count, struct error **err);
/* Heap, NUL-terminated. -ENOENT when there is no such run or it has none. */
int store_report_get(struct store *store, const char *id, char **ret_report, size_t *ret_length, struct error **err);

struct store_event {
  uint64_t sequence; /* 1, 2, … in its run, without a gap */
  int64_t at_ns;
  char *text; /* JSON */
};
/* Adds an event to a running run. -ENOENT, -EALREADY when it doesn't run, -E2BIG. */
int store_event_add(struct store *store, const char *run, const char *text, uint64_t *ret_sequence, struct error **err);
struct store_result;
struct store_happening {
  const char *text;                  /* of the event */
  const struct store_result *result; /* that it tells of; NULL: none */
};
/* Adds several, in their order, and their results: all or none. `*ret_last` (may be NULL) is the number of the last
 * one. As store_event_add() and store_result_add(). */
int store_events_add(struct store *store, const char *run, const struct store_happening *happenings, size_t count,
                     uint64_t *ret_last, struct error **err);
/* Those after `after` (0: all) in their order, at most `limit` (1 to STORE_PAGE_MAX). None for an unknown run. */
int store_event_list(struct store *store, const char *run, uint64_t after, size_t limit,
                     struct store_event **ret_events, size_t *ret_count, struct error **err);
void store_events_free(struct store_event *events, size_t count);

struct store_result {
  char *name;    /* of the case; unique in its run */
  char *verdict; /* the suite's word: "passed", … */
  char *detail;  /* JSON */
};
/* -ENOENT, -EALREADY when the run doesn't run, -EEXIST. */
int store_result_add(struct store *store, const char *run, const struct store_result *result, struct error **err);
/* Those whose name is after `after` (NULL: all) in the order of their names' bytes. */
int store_result_list(struct store *store, const char *run, const char *after, size_t limit,
                      struct store_result **ret_results, size_t *ret_count, struct error **err);
void store_results_free(struct store_result *results, size_t count);

/* What stays of the ended runs of each mesh and kind: the latest `count` (0: none is too many), and none that was
 * made before `older_than_ns` (0: none is too old). What has not ended always stays. Removes in batches, so that an
 * error leaves some done. */
struct store_keep {
  uint64_t count;
  int64_t older_than_ns;
};
int store_prune(struct store *store, const struct store_keep *keep, uint64_t *ret_removed, struct error **err);

#endif
