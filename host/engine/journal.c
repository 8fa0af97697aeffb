#include "host/engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "host/engine/cluster.h"
#include "host/engine/proc.h"
#include "host/engine/record.h"
#include "host/engine/state.h"
#include "sdk/base/clock.h"

struct journal {
  pthread_mutex_t lock;
  int fd;
  off_t length;
  bool directories_synced;
  json_t *open; /* what was created and not removed yet: "object ID", "process PID" */
  char run_id[RUN_ID_SIZE];
  char *state; /* the state directory */
  char *directory;
};

/* Sortable by time, and unique among runs that start in the same microsecond. */
static int make_run_id(char ret_id[RUN_ID_SIZE], struct error **err) {
  int64_t now_ns = clock_realtime_ns();
  time_t now = (time_t)(now_ns / NS_PER_SECOND);
  struct tm utc;
  uint32_t salt;
  char second[24];

  if (!gmtime_r(&now, &utc) || strftime(second, sizeof(second), "%Y%m%dT%H%M%S", &utc) == 0)
    return error_set(err, EOVERFLOW, "the clock shows no usable time");
  if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
    return error_set(err, errno, "reading random bytes: %s", strerror(errno));
  (void)snprintf(ret_id, RUN_ID_SIZE, "%.15s.%06uZ-%08x", second, (unsigned)(now_ns / 1000 % 1000000), salt);
  return 0;
}

/* Takes back what a failed write left, so that the next record starts a line of its own. */
static int append(struct journal *journal, const char *data, size_t length, struct error **err) {
  size_t done = 0;

  while (done < length) {
    ssize_t n = write(journal->fd, data + done, length - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      int code = errno;
      if (done > 0 && ftruncate(journal->fd, journal->length) < 0)
        return error_set(err, code, "writing %s/" JOURNAL_FILE ": %s; a torn line could not be taken back",
                         journal->directory, strerror(code));
      return error_set(err, code, "writing %s/" JOURNAL_FILE ": %s", journal->directory, strerror(code));
    }
    done += (size_t)n;
  }
  journal->length += (off_t)length;
  return 0;
}

static int sync_directory(const char *path) {
  _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Syncs the journal's data, and the first time the directories that lead to it. */
static int sync_journal(struct journal *journal, struct error **err) {
  int r = fdatasync(journal->fd) < 0 ? -errno : 0;

  if (r == 0 && !journal->directories_synced) {
    _cleanup_free_ char *runs = runs_directory(journal->state);
    r = runs ? 0 : -ENOMEM;
    if (r == 0)
      r = sync_directory(journal->directory);
    if (r == 0)
      r = sync_directory(runs);
    if (r == 0)
      r = sync_directory(journal->state);
    journal->directories_synced = r == 0;
  }
  return r < 0 ? error_set(err, -r, "syncing %s/" JOURNAL_FILE ": %s", journal->directory, strerror(-r)) : 0;
}

static bool intends_object(const struct record *record) {
  return record->kind == RECORD_OBJECT_INTENDED || record->kind == RECORD_CLUSTER_OBJECT_INTENDED;
}

/* Keeps the account of what there is. */
static int count_in(struct journal *journal, const struct record *record) {
  _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
  bool object = intends_object(record) || record->kind == RECORD_OBJECT_REMOVED;

  if (record->kind == RECORD_RUN || record->kind == RECORD_PROCESS_INTENDED)
    return 0;
  if (object)
    strbuf_printf(&key, "object %s", record->name);
  else
    strbuf_printf(&key, "process %lld", (long long)record->pid);
  if (strbuf_failed(&key))
    return -ENOMEM;
  if (intends_object(record) || record->kind == RECORD_PROCESS_STARTED)
    return json_object_set_new(journal->open, strbuf_text(&key), json_true()) < 0 ? -ENOMEM : 0;
  (void)json_object_del(journal->open, strbuf_text(&key));
  return 0;
}

/* What outlives this machine is synced; nothing else needs it. */
static int put(struct journal *journal, const struct record *record, struct error **err) {
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;

  int r = record_write(record, &line, err);
  if (r < 0)
    return r;
  (void)pthread_mutex_lock(&journal->lock);
  r = append(journal, line.data, line.length, err);
  if (r == 0 && intends_object(record))
    r = sync_journal(journal, err);
  if (r == 0 && count_in(journal, record) < 0)
    r = error_set(err, ENOMEM, "out of memory for a journal record");
  (void)pthread_mutex_unlock(&journal->lock);
  return r;
}

static int put_run(struct journal *journal, struct error **err) {
  char boot[BOOT_ID_SIZE];

  int r = boot_id(boot, err);
  if (r < 0)
    return r;
  return put(journal, &(struct record){.kind = RECORD_RUN, .name = journal->run_id, .boot = boot}, err);
}

static void journal_free(struct journal *journal) {
  if (!journal)
    return;
  if (journal->fd >= 0)
    (void)close(journal->fd);
  (void)pthread_mutex_destroy(&journal->lock);
  json_decref(journal->open);
  free(journal->state);
  free(journal->directory);
  free(journal);
}
DEFINE_CLEANUP(struct journal *, journal_free);

int journal_create(const char *state_directory, struct journal **ret_journal, struct error **err) {
  _cleanup_(journal_free_p) struct journal *journal = calloc(1, sizeof(*journal));

  if (!journal)
    return error_set(err, ENOMEM, "out of memory for a journal");
  journal->fd = -1;
  (void)pthread_mutex_init(&journal->lock, NULL);
  journal->state = strdup(state_directory);
  journal->open = json_object();
  if (!journal->state || !journal->open)
    return error_set(err, ENOMEM, "out of memory for a journal");
  int r = make_run_id(journal->run_id, err);
  if (r == 0)
    r = run_directory_create(journal->state, journal->run_id, &journal->directory, &journal->fd, err);
  if (r < 0)
    return r;
  r = put_run(journal, err);
  if (r < 0) {
    (void)run_directory_remove(journal->state, journal->run_id, NULL);
    return r;
  }
  *ret_journal = take(journal);
  return 0;
}

const char *journal_run_id(const struct journal *journal) {
  return journal->run_id;
}

const char *journal_directory(const struct journal *journal) {
  return journal->directory;
}

int journal_process_intended(struct journal *journal, const char *name, struct error **err) {
  return put(journal, &(struct record){.kind = RECORD_PROCESS_INTENDED, .name = name}, err);
}

int journal_process_started(struct journal *journal, const char *name, pid_t pid, struct error **err) {
  struct record record = {.kind = RECORD_PROCESS_STARTED, .name = name, .pid = pid};

  if (process_start_time(pid, &record.start) < 0)
    return 0; /* it has ended already: nothing to clean up */
  return put(journal, &record, err);
}

int journal_process_ended(struct journal *journal, pid_t pid, struct error **err) {
  return put(journal, &(struct record){.kind = RECORD_PROCESS_ENDED, .pid = pid}, err);
}

int journal_object_intended(struct journal *journal, const char *id, const char *delete_method, const char *delete_url,
                            struct error **err) {
  struct record record = {.kind = RECORD_OBJECT_INTENDED, .name = id, .method = delete_method, .url = delete_url};

  return put(journal, &record, err);
}

int journal_cluster_object_intended(struct journal *journal, const char *id, const struct cluster *cluster,
                                    const struct cluster_place *place, struct error **err) {
  struct record record = {.kind = RECORD_CLUSTER_OBJECT_INTENDED,
                          .name = id,
                          .url = cluster_server(cluster),
                          .kubeconfig = cluster_kubeconfig(cluster),
                          .context = cluster_context(cluster),
                          .api_version = place->api_version,
                          .object_kind = place->kind,
                          .ns = place->ns && *place->ns ? place->ns : NULL,
                          .object_name = place->name};

  return put(journal, &record, err);
}

int journal_object_intended_as(struct journal *journal, const struct journal_object *object, struct error **err) {
  struct record record = {.kind = RECORD_OBJECT_INTENDED,
                          .name = object->id,
                          .method = object->delete_method,
                          .url = object->delete_url,
                          .identity = object->identity,
                          .token_file = object->token_file};

  return put(journal, &record, err);
}

int journal_object_removed(struct journal *journal, const char *id, struct error **err) {
  return put(journal, &(struct record){.kind = RECORD_OBJECT_REMOVED, .name = id}, err);
}

size_t journal_finish(struct journal *journal) {
  if (!journal)
    return 0;
  size_t left = json_object_size(journal->open);
  if (left == 0) {
    (void)run_directory_remove(journal->state, journal->run_id, NULL);
    state_directory_remove_empty(journal->state);
  }
  journal_free(journal);
  return left;
}
