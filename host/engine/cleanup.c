/* journal_cleanup(): what is left of crashed runs goes. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#include "host/engine/cleaner.h"
#include "host/engine/journal.h"
#include "host/engine/proc.h"
#include "host/engine/record.h"
#include "host/engine/state.h"
#include "sdk/base/clock.h"

#define TERM_GRACE_NS (2 * NS_PER_SECOND)
#define KILL_GRACE_NS (2 * NS_PER_SECOND)

struct cleanup {
  const char *state;
  bool dry_run;
  void (*report)(void *ctx, const char *line);
  void *ctx;
  struct cleanup_summary summary;
};

/* A process that is left, held by its pidfd: the pid cannot come to mean another one. */
struct leftover {
  pid_t pid;
  int pidfd;
  const char *name;
};

/* What the journal of one run says. Texts live in the arena. */
struct history {
  struct arena *arena;
  const char *run_id;
  const char *boot;
  struct record *records;
  size_t count;
  size_t capacity;
  unsigned damaged; /* lines that could not be read, apart from a torn last one */
};

__attribute__((format(printf, 3, 4))) static void say(const struct cleanup *cleanup, const char *run_id,
                                                      const char *format, ...) {
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  va_list args;

  if (!cleanup->report)
    return;
  strbuf_printf(&line, "run %s: ", run_id);
  va_start(args, format);
  strbuf_vprintf(&line, format, args);
  va_end(args);
  if (!strbuf_failed(&line))
    cleanup->report(cleanup->ctx, strbuf_text(&line));
}

/* A last line without newline is a write that the crash cut off: what it announces was not begun. */
static int parse(struct history *history, const char *text, size_t length) {
  const char *end = text + length;

  for (const char *line = text, *newline; (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
    int r = array_reserve((void **)&history->records, &history->capacity, history->count, sizeof(*history->records));
    if (r == 0)
      r = record_read(history->arena, line, (size_t)(newline - line), &history->records[history->count], NULL);
    if (r == -ENOMEM)
      return r;
    if (r == -EINVAL)
      history->damaged++;
    else
      history->count++;
  }
  return 0;
}

static int read_history(const struct stale_run *run, struct history *history) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

  if (run->journal < 0)
    return 0;
  int r = strbuf_read_file(&text, run->journal, RECORD_JOURNAL_MAX);
  if (r == 0)
    r = parse(history, strbuf_text(&text), text.length);
  for (size_t i = 0; i < history->count && !history->boot; i++)
    history->boot = history->records[i].boot;
  return r;
}

struct leftovers {
  struct leftover *items;
  size_t count;
  size_t capacity;
};

static void leftovers_finish(struct leftovers *list) {
  for (size_t i = 0; i < list->count; i++)
    (void)close(list->items[i].pidfd);
  free(list->items);
}

static bool have(const struct leftovers *list, pid_t pid) {
  for (size_t i = 0; i < list->count; i++)
    if (list->items[i].pid == pid)
      return true;
  return false;
}

/* Takes hold of `pid` and only then looks whether it is the process that is meant: started at `start`, or when that is
 * 0 carrying the run's mark. */
static int hold(struct leftovers *list, pid_t pid, const char *name, uint64_t start, const char *run_id) {
  uint64_t now_start;

  if (have(list, pid) || pid == getpid())
    return 0;
  int r = array_reserve((void **)&list->items, &list->capacity, list->count, sizeof(*list->items));
  if (r < 0)
    return r;
  int pidfd = pidfd_open(pid, 0);
  if (pidfd < 0)
    return errno == ESRCH ? 0 : -errno;
  bool meant = process_start_time(pid, &now_start) == 0 &&
               (start > 0 ? now_start == start : process_has_variable(pid, JOURNAL_RUN_VARIABLE, run_id));
  if (meant)
    list->items[list->count++] = (struct leftover){.pid = pid, .pidfd = pidfd, .name = name};
  else
    (void)close(pidfd);
  return 0;
}

/* Every process of this user that carries the run's mark: those that were intended, and what the run's processes
 * started. */
static int hold_marked(struct leftovers *list, const char *run_id) {
  DIR *proc = opendir("/proc");
  const struct dirent *entry;
  int r = 0;

  if (!proc)
    return -errno;
  while (r == 0 && (entry = readdir(proc))) {
    char *end;
    long pid = strtol(entry->d_name, &end, 10);
    if (*end == '\0' && pid > 0 && process_has_variable((pid_t)pid, JOURNAL_RUN_VARIABLE, run_id))
      r = hold(list, (pid_t)pid, "a process with the run's mark", 0, run_id);
  }
  (void)closedir(proc);
  return r;
}

/* Goes through the history from its end: a pid that ended may have been given to another process of the run later. */
static int hold_recorded(struct leftovers *list, const struct history *history) {
  json_auto_t *ended = json_object();
  char key[24];
  int r = ended ? 0 : -ENOMEM;

  for (size_t i = history->count; r == 0 && i-- > 0;) {
    const struct record *record = &history->records[i];
    (void)snprintf(key, sizeof(key), "%lld", (long long)record->pid);
    if (record->kind == RECORD_PROCESS_ENDED)
      r = json_object_set_new(ended, key, json_true()) < 0 ? -ENOMEM : 0;
    else if (record->kind == RECORD_PROCESS_STARTED && json_object_del(ended, key) < 0)
      r = hold(list, (pid_t)record->pid, record->name, record->start, history->run_id);
  }
  return r;
}

/* Whether a process may carry the run's mark: each is announced before it is started. */
static bool announces_process(const struct history *history) {
  bool announced = history->damaged > 0;

  for (size_t i = 0; !announced && i < history->count; i++)
    announced = history->records[i].kind == RECORD_PROCESS_INTENDED;
  return announced;
}

static int find_leftovers(const struct history *history, struct leftovers *list) {
  char boot[BOOT_ID_SIZE];

  int r = boot_id(boot, NULL);
  if (r < 0)
    return r;
  if (history->boot && strcmp(history->boot, boot) != 0)
    return 0; /* the machine was started anew since */
  r = hold_recorded(list, history);
  return r == 0 && announces_process(history) ? hold_marked(list, history->run_id) : r;
}

static void signal_all(const struct leftovers *list, int signal) {
  for (size_t i = 0; i < list->count; i++)
    (void)pidfd_send_signal(list->items[i].pidfd, signal, NULL, 0);
}

static bool is_gone(const struct leftover *process, int64_t deadline_ns) {
  struct pollfd wait = {.fd = process->pidfd, .events = POLLIN};
  int64_t left_ns;
  int n;

  do {
    left_ns = deadline_ns - clock_monotonic_ns();
    n = poll(&wait, 1, left_ns > 0 ? (int)(left_ns / NS_PER_MS) + 1 : 0);
  } while (n < 0 && errno == EINTR);
  return n > 0;
}

static bool all_gone(const struct leftovers *list, int64_t grace_ns) {
  int64_t deadline_ns = clock_monotonic_ns() + grace_ns;
  bool all = true;

  for (size_t i = 0; i < list->count; i++)
    all = is_gone(&list->items[i], deadline_ns) && all;
  return all;
}

static unsigned end_processes(struct cleanup *cleanup, const struct history *history) {
  _cleanup_(leftovers_finish) struct leftovers list = {0};
  unsigned failed = 0;

  int r = find_leftovers(history, &list);
  if (r < 0) {
    say(cleanup, history->run_id, "looking for its processes: %s", strerror(-r));
    return 1;
  }
  if (!cleanup->dry_run && list.count > 0) {
    signal_all(&list, SIGTERM);
    if (!all_gone(&list, TERM_GRACE_NS)) {
      signal_all(&list, SIGKILL);
      (void)all_gone(&list, KILL_GRACE_NS);
    }
  }
  for (size_t i = 0; i < list.count; i++) {
    const struct leftover *process = &list.items[i];
    bool gone = cleanup->dry_run || is_gone(process, 0);
    failed += !gone;
    cleanup->summary.processes += gone;
    say(cleanup, history->run_id, "%s %s (pid %d)",
        cleanup->dry_run ? "would end"
        : gone           ? "ended"
                         : "could not end",
        process->name, (int)process->pid);
  }
  return failed;
}

/* The length of a URL up to its path. */
static size_t server_length(const char *url) {
  const char *scheme_end = strstr(url, "://");
  size_t before = scheme_end ? (size_t)(scheme_end - url) + strlen("://") : 0;

  return before + strcspn(url + before, "/?#");
}

/* Whether two URLs lead to the same server; one that cannot be reached is tried once, not for each object. */
static bool same_server(const char *a, const char *b) {
  size_t length = server_length(a);

  return length == server_length(b) && memcmp(a, b, length) == 0;
}

/* 1 when the object could not be removed. */
static unsigned clean_object(struct cleanup *cleanup, struct cleaner *cleaner, const char *run_id,
                             const struct record *object, const char **unreachable) {
  _cleanup_error_ struct error *err = NULL;
  int r = 0;

  if (*unreachable && same_server(*unreachable, object->url))
    r = error_set(&err, EHOSTUNREACH, "its server cannot be reached");
  else if (!cleanup->dry_run)
    r = cleaner_remove(cleaner, object, &err);
  if (r == -ECONNREFUSED || r == -ETIMEDOUT)
    *unreachable = object->url;
  if (r < 0) {
    say(cleanup, run_id, "could not remove object %s: %s", object->name, error_message(err));
    return 1;
  }
  cleanup->summary.objects++;
  say(cleanup, run_id, "%s object %s", cleanup->dry_run ? "would remove" : "removed", object->name);
  return 0;
}

/* Goes through the history from its end, so that the last word on an object comes first. */
static unsigned delete_objects(struct cleanup *cleanup, struct cleaner *cleaner, const struct history *history) {
  json_auto_t *settled = json_object();
  const char *unreachable = NULL;
  unsigned failed = 0;

  for (size_t i = history->count; i-- > 0;) {
    const struct record *object = &history->records[i];
    bool intended = object->kind == RECORD_OBJECT_INTENDED || object->kind == RECORD_CLUSTER_OBJECT_INTENDED;
    if ((!intended && object->kind != RECORD_OBJECT_REMOVED) || json_object_get(settled, object->name))
      continue;
    (void)json_object_set_new(settled, object->name, json_true()); /* without memory: it is deleted twice */
    if (intended)
      failed += clean_object(cleanup, cleaner, history->run_id, object, &unreachable);
  }
  return failed;
}

static unsigned clean_history(struct cleanup *cleanup, struct cleaner *cleaner, const struct stale_run *run,
                              struct history *history) {
  int r = read_history(run, history);
  if (r < 0) {
    say(cleanup, run->id, "its journal cannot be read: %s", strerror(-r));
    return 1;
  }
  unsigned failed = end_processes(cleanup, history);
  failed += delete_objects(cleanup, cleaner, history);
  if (history->damaged > 0) {
    say(cleanup, run->id, "%u lines of its journal are damaged: look at it, then remove its directory by hand",
        history->damaged);
    failed++;
  }
  return failed;
}

static int clean_run(struct cleanup *cleanup, struct cleaner *cleaner, const struct stale_run *run,
                     struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct history history = {.arena = arena, .run_id = run->id};
  _cleanup_error_ struct error *why = NULL;

  if (!arena)
    return error_set(err, ENOMEM, "out of memory for a journal");
  cleanup->summary.runs++;
  unsigned failed = clean_history(cleanup, cleaner, run, &history);
  free(history.records);
  if (failed == 0 && !cleanup->dry_run && run_directory_remove(cleanup->state, run->id, &why) < 0) {
    say(cleanup, run->id, "%s", error_message(why));
    failed++;
  } else if (failed == 0) {
    say(cleanup, run->id, "%s its directory", cleanup->dry_run ? "would remove" : "removed");
  }
  cleanup->summary.failed += failed;
  return 0;
}

/* The stale runs after `last`, which becomes the last of them; at most STATE_RUNS_MAX. */
static int clean_batch(struct cleanup *cleanup, struct cleaner *cleaner, char last[RUN_ID_SIZE], size_t *ret_count,
                       struct error **err) {
  struct stale_run *runs = NULL;
  unsigned busy = 0;

  int r = state_stale_runs(cleanup->state, last, &runs, ret_count, &busy, err);
  if (r < 0)
    return r;
  cleanup->summary.busy += busy;
  for (size_t i = 0; r == 0 && i < *ret_count; i++)
    r = clean_run(cleanup, cleaner, &runs[i], err);
  if (*ret_count > 0)
    (void)memcpy(last, runs[*ret_count - 1].id, RUN_ID_SIZE);
  stale_runs_free(runs, *ret_count);
  return r;
}

int journal_cleanup(const char *state_directory, bool dry_run, void (*report)(void *ctx, const char *line), void *ctx,
                    struct cleanup_summary *ret_summary, struct error **err) {
  struct cleanup cleanup = {.state = state_directory, .dry_run = dry_run, .report = report, .ctx = ctx};
  _cleanup_(cleaner_finish) struct cleaner cleaner;
  char last[RUN_ID_SIZE] = "";
  size_t count = STATE_RUNS_MAX;

  int r = cleaner_init(&cleaner, err);
  while (r == 0 && count == STATE_RUNS_MAX) /* of ever later runs: it comes to an end */
    r = clean_batch(&cleanup, &cleaner, last, &count, err);
  if (r < 0)
    return r;
  if (!dry_run)
    state_directory_remove_empty(state_directory);
  *ret_summary = cleanup.summary;
  return 0;
}
