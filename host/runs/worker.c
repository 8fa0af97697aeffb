/* The thread that starts the processes of runs, reads what they say, and sees them end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/runs/arguments.h"
#include "host/runs/internal.h"
#include "sdk/base/clock.h"

/* How long a run that a client cancelled has to remove what it made, before it is killed; what it leaves then is the
 * journal's. */
#define CANCEL_GRACE_NS (60 * NS_PER_SECOND)
#define READ_BYTES 65536
#define POLL_MS 500 /* when a deadline is near enough to be looked at */

/* ---- what a process says */

/* Only what a run may say of itself. */
static bool is_event(const json_t *event) {
  static const char *const types[] = {"planned", "caseStarted", "caseEnded"};
  const char *type = json_string_value(json_object_get(event, "type"));
  for (size_t i = 0; type && i < sizeof(types) / sizeof(*types); i++)
    if (strcmp(type, types[i]) == 0)
      return true;
  return false;
}

/* What cannot be kept ends the run: it would be told and then be lost. */
static void break_run(struct runs *runs, struct run *run, const char *why) {
  if (run->broken)
    return;
  runs->options.log(runs->options.ctx, run->id, why);
  (void)snprintf(run->message, sizeof(run->message), "%s", why);
  run->broken = true;
}

/* A line of what a run says; NULL when it is none. */
static json_t *event_of(struct runs *runs, struct run *run, const char *line, size_t length) {
  json_t *event = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
  if (is_event(event))
    return event;
  json_decref(event);
  break_run(runs, run, "the run's process told of something that is no event");
  return NULL;
}

static void record(struct runs *runs, struct run *run, json_t *events) {
  _cleanup_error_ struct error *err = NULL;
  if (json_array_size(events) == 0 || run->broken)
    json_decref(events);
  else if (run->event_count + json_array_size(events) > RUN_EVENTS_MAX) {
    json_decref(events);
    break_run(runs, run, "the run has more events than a run may have");
  } else if (run_record(runs, run, events, &err) < 0) {
    break_run(runs, run, error_message(err));
  }
}

static void take_lines(struct runs *runs, struct run *run) {
  const char *end;
  json_t *events = json_array();
  while (run->arriving.length > 0 && (end = memchr(run->arriving.data, '\n', run->arriving.length))) {
    size_t length = (size_t)(end - run->arriving.data);
    json_t *event = event_of(runs, run, run->arriving.data, length);
    if (event)
      (void)json_array_append_new(events, event);
    strbuf_consume(&run->arriving, length + 1);
    if (json_array_size(events) == STORE_PAGE_MAX) {
      record(runs, run, events);
      events = json_array();
    }
  }
  if (run->arriving.length > RUN_EVENT_MAX || strbuf_failed(&run->arriving)) {
    strbuf_clear(&run->arriving);
    break_run(runs, run, "an event of the run is larger than an event may be");
  }
  record(runs, run, events);
}

/* Appends what there is, one piece of it; whether there may be more. */
static bool read_some(int fd, struct strbuf *into) {
  char data[READ_BYTES];
  ssize_t n = read(fd, data, sizeof(data));
  if (n > 0)
    strbuf_append(into, data, (size_t)n);
  return n > 0 || (n < 0 && errno == EINTR);
}

static bool read_events(struct runs *runs, struct run *run) {
  bool more = read_some(run->process.events, &run->arriving);
  take_lines(runs, run);
  return more;
}

static bool read_sayings(struct run *run) {
  bool more = read_some(run->process.says, &run->said);
  if (run->said.length > RUN_MESSAGE_MAX)
    strbuf_consume(&run->said, run->said.length - RUN_MESSAGE_MAX);
  return more;
}

/* The end of what it said, as text: a character that was cut, and what is none, become "?". */
static void keep_message(struct run *run) {
  size_t length = run->said.length;
  if (run->broken)
    return;
  while (length > 0 && run->said.data[length - 1] == '\n')
    length--;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)run->said.data[i];
    run->message[i] = (c < 0x20 && c != '\n' && c != '\t') || c >= 0x7f ? '?' : (char)c;
  }
  run->message[length] = '\0';
}

/* ---- beginning and end */

static int words_of(const struct runs *runs, const struct run *run, json_t **ret_words) {
  _cleanup_free_ char *report = run_report_path(runs, run->id);
  if (!report)
    return -ENOMEM;
  json_t *words = json_pack("[s, s, s, s, s, s+]", runs->program, "conformance", "run", "--quiet",
                            "--events=" PROCESS_EVENTS, "--output=json=", report);
  if (!words || spec_words(run->spec, words) < 0) {
    json_decref(words);
    return -ENOMEM;
  }
  *ret_words = words;
  return 0;
}

static void begin(struct runs *runs, struct run *run) {
  _cleanup_error_ struct error *err = NULL;
  json_auto_t *words = NULL;
  int r = words_of(runs, run, &words);
  if (r == 0)
    r = run_begin(runs, run, &err);
  if (r == 0)
    r = process_start(runs->program, words, runs->state, true, &run->process, &err);
  if (r == 0)
    return;
  (void)snprintf(run->message, sizeof(run->message), "%s", err ? error_message(err) : "no memory");
  runs->options.log(runs->options.ctx, run->id, run->message);
  run_end(runs, run, RUN_ENDED, 4); /* an internal error, docs/exit-codes.md */
}

static void end(struct runs *runs, struct run *run) {
  while (read_events(runs, run))
    continue;
  while (read_sayings(run))
    continue;
  int code = process_take_end(&run->process);
  if (run->broken && code == 0)
    code = 4; /* an internal error, docs/exit-codes.md: not all of it was kept */
  keep_message(run);
  run_end(runs, run, runs->stopping ? RUN_INTERRUPTED : run->asked ? RUN_CANCELLED : RUN_ENDED, code);
}

static unsigned running(const struct runs *runs, const char *mesh) {
  const struct run *run;
  unsigned count = 0;
  TAILQ_FOREACH(run, &runs->list, next)
  count += run->process.pid > 0 && (!mesh || strcmp(run->mesh, mesh) == 0);
  return count;
}

/* The oldest first, as far as the limits let them. */
static void begin_some(struct runs *runs) {
  struct run *run;
  TAILQ_FOREACH_REVERSE(run, &runs->list, run_list, next) {
    if (run->state != RUN_QUEUED || run->ending)
      continue;
    if (runs->stopping || run->asked) {
      (void)snprintf(run->message, sizeof(run->message), "it had not begun");
      run_end(runs, run, runs->stopping ? RUN_INTERRUPTED : RUN_CANCELLED, 0);
    } else if (running(runs, NULL) < runs->limits.at_once && running(runs, run->mesh) < runs->limits.at_once_per_mesh) {
      begin(runs, run);
    }
  }
}

/* Ends that could not be kept: again. */
static void retry_some(struct runs *runs) {
  struct run *run;
  TAILQ_FOREACH(run, &runs->list, next)
  if (run->ending && clock_monotonic_ns() >= run->retry_ns)
    run_retry(runs, run);
}

/* Those that are over and that nobody looks at are in the store alone. Only here a run goes out of the list, so that
 * the others may let the lock go while they are at one. */
static void sweep(struct runs *runs) {
  struct run *run, *after;
  for (run = TAILQ_FIRST(&runs->list); run; run = after) {
    after = TAILQ_NEXT(run, next);
    if (!run_is_over(run) || run->watchers > 0)
      continue;
    TAILQ_REMOVE(&runs->list, run, next);
    runs->live--;
    run_free(run);
  }
}

/* Asks those that are to end, once, and kills those that had their time. */
static void press(struct runs *runs) {
  struct run *run;
  TAILQ_FOREACH(run, &runs->list, next) {
    bool wanted = runs->stopping || run->asked || run->broken;
    if (run->process.pid == 0 || !wanted)
      continue;
    int64_t grace_ns = runs->stopping ? runs->grace_ns : CANCEL_GRACE_NS;
    if (run->kill_ns == 0)
      (void)kill(run->process.pid, SIGTERM);
    int64_t kill_ns = clock_in_ns(grace_ns);
    if (run->kill_ns == 0 || run->kill_ns > kill_ns)
      run->kill_ns = kill_ns;
    if (clock_monotonic_ns() >= run->kill_ns)
      (void)kill(-run->process.pid, SIGKILL);
  }
}

/* ---- waiting */

#define FDS_MAX (1 + 3 * RUNS_QUEUED_MAX)

/* What there is to wait for; the number of it, and how long. */
static nfds_t collect(struct runs *runs, struct pollfd fds[FDS_MAX], int *ret_wait_ms) {
  const struct run *run;
  nfds_t count = 0;
  *ret_wait_ms = -1;
  fds[count++] = (struct pollfd){.fd = runs->wake, .events = POLLIN};
  TAILQ_FOREACH(run, &runs->list, next) {
    const int own[] = {run->process.events, run->process.says, run->process.ended};
    if (run->process.pid > 0 || run->ending)
      *ret_wait_ms = POLL_MS;
    for (size_t i = 0; run->process.pid > 0 && i < 3 && count < FDS_MAX; i++)
      fds[count++] = (struct pollfd){.fd = own[i], .events = POLLIN};
  }
  return count;
}

static bool is_ready(int fd, const struct pollfd *fds, nfds_t count) {
  for (nfds_t i = 1; i < count; i++)
    if (fds[i].fd == fd)
      return fds[i].revents != 0;
  return false;
}

/* A pipe whose other end is closed is not asked again: the end of the process follows. */
static void read_on(struct runs *runs, struct run *run, const struct pollfd *fds, nfds_t count) {
  if (run->process.events >= 0 && is_ready(run->process.events, fds, count) && !read_events(runs, run)) {
    close_p(&run->process.events);
    run->process.events = -1;
  }
  if (run->process.says >= 0 && is_ready(run->process.says, fds, count) && !read_sayings(run)) {
    close_p(&run->process.says);
    run->process.says = -1;
  }
}

static void take_what_came(struct runs *runs, const struct pollfd *fds, nfds_t count) {
  struct run *run;
  eventfd_t value;
  if (fds[0].revents)
    (void)eventfd_read(runs->wake, &value);
  TAILQ_FOREACH(run, &runs->list, next) {
    if (run->process.pid == 0)
      continue;
    bool ended = is_ready(run->process.ended, fds, count);
    read_on(runs, run, fds, count);
    if (ended)
      end(runs, run);
  }
}

/* How long until the store is looked through for what is too old. */
static int until_prune_ms(const struct runs *runs) {
  int64_t left_ns = runs->prune_ns - clock_monotonic_ns();
  return left_ns <= 0 ? 0 : (int)(left_ns / NS_PER_MS) + 1;
}

void *runs_work(void *context) {
  struct runs *runs = context;
  struct pollfd fds[FDS_MAX];
  int wait_ms = 0;
  pthread_mutex_lock(&runs->lock);
  while (!runs->over) {
    begin_some(runs);
    press(runs);
    retry_some(runs);
    sweep(runs);
    if (until_prune_ms(runs) == 0 && !runs->stopping)
      runs_prune(runs);
    nfds_t count = collect(runs, fds, &wait_ms);
    runs->over = runs->stopping && count == 1;
    if (runs->over)
      break;
    if (wait_ms < 0)
      wait_ms = until_prune_ms(runs);
    pthread_mutex_unlock(&runs->lock);
    if (poll(fds, count, wait_ms) < 0)
      count = 0;
    pthread_mutex_lock(&runs->lock);
    if (count > 0)
      take_what_came(runs, fds, count);
  }
  pthread_cond_broadcast(&runs->changed);
  pthread_mutex_unlock(&runs->lock);
  return NULL;
}
