/* Results of runs that have not come to their end, kept so that nothing of them is lost: <state>/results/<run
 * id>.jsonl, a JSON object a line. The first says what the run is, each other one is a result, written before the next
 * is begun. Whoever writes a file holds a lock (flock) on it, by which a run that goes on is told from one that was
 * interrupted. A torn last line is one that was not written. Not thread-safe. */
#ifndef TRAMMEL_HOST_STORE_RESULTS_H
#define TRAMMEL_HOST_STORE_RESULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "sdk/base/error.h"

#define RESULTS_ID_SIZE 40
#define RESULTS_BYTES_MAX ((size_t)64 << 20) /* of a file */
#define RESULTS_FILES_MAX 4096               /* looked at in a state directory */
/* What results_prune() leaves: the latest so many, and none that is older. */
#define RESULTS_KEPT_MAX 16
#define RESULTS_KEPT_S (30 * 24 * 3600)

struct results;

/* Begins the file of run `id` with its first line. */
int results_create(const char *state_directory, const char *id, const json_t *head, struct results **ret_results,
                   struct error **err);

/* Opens the file of run `id` to go on with it; "last" is the latest that nobody holds. `*ret_head` and `*ret_list` (an
 * array of the other lines) are new references. -ENOENT, -EBUSY when a program holds it, -EINVAL for what is no such
 * file. */
int results_open(const char *state_directory, const char *id, struct results **ret_results, json_t **ret_head,
                 json_t **ret_list, struct error **err);

const char *results_id(const struct results *results);

/* Adds a line: written when this returns, so that only the machine's own end can lose it. What cannot be written whole
 * is taken back. */
int results_add(struct results *results, const json_t *line, struct error **err);

/* Leaves the file as it is. NULL is fine. */
void results_close(struct results *results);
/* Removes it, and the directory when nothing else is in it. NULL is fine. */
void results_discard(struct results *results);

/* A file as it is listed. */
struct results_entry {
  char id[RESULTS_ID_SIZE];
  bool held;
  int64_t changed_s; /* CLOCK_REALTIME */
  size_t count;      /* lines after the first */
  json_t *head;      /* NULL when it cannot be read */
};
/* All files, the latest first. Heap array. A missing state directory has none. */
int results_list(const char *state_directory, struct results_entry **ret_entries, size_t *ret_count,
                 struct error **err);
void results_list_free(struct results_entry *entries, size_t count);

/* Removes what nobody holds and that has no result, is too old or one too many; with `all` everything that nobody
 * holds. `report` (may be NULL) gets the id of each, `dry_run` only tells. Then the directory, when it is empty. */
int results_prune(const char *state_directory, bool all, bool dry_run, void (*report)(void *ctx, const char *id),
                  void *ctx, struct error **err);

#endif
