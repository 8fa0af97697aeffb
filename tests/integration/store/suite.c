#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/chance.h"
#include "sdk/base/clock.h"
#include "tests/integration/store/suite.h"

#define KILLS 50

static const struct backend *backend;

static int begin(void **state) {
  (void)state;
  backend->begin();
  return 0;
}

static int end(void **state) {
  (void)state;
  backend->end();
  return 0;
}

/* ---- what the tests say */

#define OK(call)                                                                                                       \
  do {                                                                                                                 \
    struct error *err = NULL;                                                                                          \
    if ((call) < 0)                                                                                                    \
      fail_msg("%s: %s", #call, error_message(err));                                                                   \
  } while (0)

#define REFUSED(code, call)                                                                                            \
  do {                                                                                                                 \
    _cleanup_error_ struct error *err = NULL;                                                                          \
    assert_int_equal((call), -(code));                                                                                 \
    assert_int_equal(error_code(err), (code));                                                                         \
    assert_true(error_message(err)[0] != '\0');                                                                        \
  } while (0)

struct store *open_store(const char *location, const char *owner, uint64_t expected_interrupted) {
  struct store *store = NULL;
  uint64_t interrupted = 0;
  OK(store_open(location, owner, &store, &interrupted, &err));
  assert_int_equal(interrupted, expected_interrupted);
  return store;
}

const char *backend_location(void) {
  return backend->location();
}

static struct store *fresh(void) {
  return open_store(backend->location(), OWNER, 0);
}

void add_run(struct store *store, const char *id, const char *mesh) {
  const struct store_run run = {.id = (char *)id,
                                .kind = "conformance",
                                .mesh = (char *)mesh,
                                .subject = "smi",
                                .who = "someone",
                                .command = "trammel conformance run",
                                .seed = UINT64_MAX - 1};
  OK(store_run_add(store, &run, &err));
}

void start_run(struct store *store, const char *id) {
  OK(store_run_start(store, id, &err));
}

uint64_t add_event(struct store *store, const char *id) {
  uint64_t sequence = 0;
  OK(store_event_add(store, id, "{\"event\":\"case\"}", &sequence, &err));
  return sequence;
}

void end_run(struct store *store, const char *id) {
  OK(store_run_end(store, id, STORE_FINISHED, "{\"passed\":1}", NULL, NULL, 0, &err));
}

static void ended_run(struct store *store, const char *id, const char *mesh) {
  add_run(store, id, mesh);
  start_run(store, id);
  end_run(store, id);
}

enum store_state state_of(struct store *store, const char *id) {
  struct store_run run = {0};
  OK(store_run_get(store, id, &run, &err));
  enum store_state state = run.state;
  store_run_finish(&run);
  return state;
}

/* ---- a run's way */

static void a_run_is_kept_with_all_of_it(void **state) {
  (void)state;
  struct store *store = fresh();
  int64_t before_ns = clock_realtime_ns();
  add_run(store, "r1", "mesh-ü");
  assert_int_equal(state_of(store, "r1"), STORE_QUEUED);
  start_run(store, "r1");
  assert_int_equal(add_event(store, "r1"), 1);
  assert_int_equal(add_event(store, "r1"), 2);
  const struct store_result result = {.name = "ACC-01", .verdict = "passed", .detail = "{\"text\":\"naïve \\u0001\"}"};
  OK(store_result_add(store, "r1", &result, &err));
  OK(store_run_end(store, "r1", STORE_FINISHED, "{\"passed\":1}", NULL, "{\"report\":[1,2,3]}", 18, &err));
  store_close(store);

  store = fresh();
  struct store_run run = {0};
  OK(store_run_get(store, "r1", &run, &err));
  assert_string_equal(run.id, "r1");
  assert_string_equal(run.kind, "conformance");
  assert_string_equal(run.mesh, "mesh-ü");
  assert_string_equal(run.subject, "smi");
  assert_string_equal(run.who, "someone");
  assert_string_equal(run.command, "trammel conformance run");
  assert_string_equal(run.summary, "{\"passed\":1}");
  assert_string_equal(run.owner, OWNER);
  assert_int_equal(run.state, STORE_FINISHED);
  assert_true(run.seed == UINT64_MAX - 1);
  assert_int_equal(run.event_count, 2);
  assert_true(run.created_ns >= before_ns && run.started_ns >= run.created_ns && run.finished_ns >= run.started_ns);
  store_run_finish(&run);

  char *report = NULL;
  size_t length = 0;
  OK(store_report_get(store, "r1", &report, &length, &err));
  assert_int_equal(length, 18);
  assert_string_equal(report, "{\"report\":[1,2,3]}");
  free(report);
  struct store_result *results = NULL;
  size_t count = 0;
  OK(store_result_list(store, "r1", NULL, 10, &results, &count, &err));
  assert_int_equal(count, 1);
  assert_string_equal(results[0].name, "ACC-01");
  assert_string_equal(results[0].verdict, "passed");
  assert_string_equal(results[0].detail, result.detail);
  store_results_free(results, count);
  store_close(store);
}

static void assert_event(struct store *store, const char *id, uint64_t sequence, const char *text) {
  struct store_event *events = NULL;
  size_t count = 0;
  OK(store_event_list(store, id, sequence - 1, 1, &events, &count, &err));
  assert_int_equal(count, 1);
  assert_int_equal(events[0].sequence, sequence);
  assert_string_equal(events[0].text, text);
  store_events_free(events, count);
}

static void events_are_added_together_with_what_they_tell_of(void **state) {
  (void)state;
  struct store *store = fresh();
  const struct store_result passed = {.name = "a", .verdict = "passed"}, other = {.name = "b", .verdict = "failed"};
  const struct store_happening all[] = {{"{\"n\":1}", NULL}, {"{\"n\":2}", &passed}, {"{\"n\":3}", &other}};
  const struct store_happening again[] = {{"{\"n\":4}", NULL}, {"{\"n\":5}", &passed}};
  struct store_result *results = NULL;
  size_t count = 0;
  uint64_t last = 0;
  add_run(store, "r1", "m");
  REFUSED(EALREADY, store_events_add(store, "r1", all, 3, &last, &err));
  start_run(store, "r1");
  REFUSED(EINVAL, store_events_add(store, "r1", all, 0, &last, &err));
  OK(store_events_add(store, "r1", all, 3, &last, &err));
  assert_int_equal(last, 3);
  REFUSED(EEXIST, store_events_add(store, "r1", again, 2, &last, &err)); /* all or none */
  assert_int_equal(add_event(store, "r1"), 4);
  assert_event(store, "r1", 3, all[2].text);
  OK(store_result_list(store, "r1", NULL, 10, &results, &count, &err));
  assert_int_equal(count, 2);
  assert_string_equal(results[1].verdict, "failed");
  store_results_free(results, count);
  OK(store_run_end(store, "r1", STORE_CANCELLED, NULL, "{\"end\":true}", NULL, 0, &err));
  assert_event(store, "r1", 5, "{\"end\":true}");
  store_close(store);
}

static void what_was_interrupted_is_completed_once(void **state) {
  (void)state;
  struct store *store = fresh();
  struct store_filter filter = {.owner = OWNER, .state = STORE_INTERRUPTED, .limit = 10};
  struct store_run *runs = NULL, run = {0};
  size_t count = 0;
  ended_run(store, "r0", "m");
  add_run(store, "r1", "m");
  start_run(store, "r1");
  add_event(store, "r1");
  REFUSED(EALREADY, store_run_complete(store, "r1", "{}", "{}", &err));
  store_close(store);

  store = open_store(backend->location(), OWNER, 1);
  OK(store_run_list(store, &filter, &runs, &count, &err));
  assert_int_equal(count, 1);
  assert_string_equal(runs[0].summary, "");
  store_runs_free(runs, count);
  filter.owner = "another";
  OK(store_run_list(store, &filter, &runs, &count, &err));
  assert_int_equal(count, 0);
  store_runs_free(runs, count);
  REFUSED(EINVAL, store_run_complete(store, "r1", "", "{}", &err));
  REFUSED(ENOENT, store_run_complete(store, "r2", "{}", "{}", &err));
  REFUSED(EALREADY, store_run_complete(store, "r0", "{}", "{}", &err));
  OK(store_run_complete(store, "r1", "{\"done\":1}", "{\"end\":true}", &err));
  REFUSED(EALREADY, store_run_complete(store, "r1", "{\"done\":2}", "{}", &err));
  OK(store_run_get(store, "r1", &run, &err));
  assert_string_equal(run.summary, "{\"done\":1}");
  assert_int_equal(run.event_count, 2);
  store_run_finish(&run);
  assert_event(store, "r1", 2, "{\"end\":true}");
  store_close(store);
}

static void a_run_was_made_when_its_host_says(void **state) {
  (void)state;
  struct store *store = fresh();
  const struct store_run run = {.id = "r1", .kind = "conformance", .created_ns = 1234567890123456789};
  struct store_run read = {0};
  OK(store_run_add(store, &run, &err));
  OK(store_run_get(store, "r1", &read, &err));
  assert_true(read.created_ns == run.created_ns);
  store_run_finish(&read);
  store_close(store);
}

static void ids_are_utf_8(void **state) {
  (void)state;
  struct store *store = fresh();
  struct store_run run = {0}, *runs = NULL;
  struct store_event *events = NULL;
  const struct store_filter filter = {.mesh = "\xff", .limit = 1};
  char *report = NULL;
  size_t size = 0;
  REFUSED(EINVAL, store_run_start(store, "\xff", &err));
  REFUSED(EINVAL, store_run_end(store, "\xff", STORE_FINISHED, NULL, NULL, NULL, 0, &err));
  REFUSED(EINVAL, store_run_complete(store, "\xff", "{}", "{}", &err));
  REFUSED(EINVAL, store_run_get(store, "\xff", &run, &err));
  REFUSED(EINVAL, store_report_get(store, "\xff", &report, &size, &err));
  REFUSED(EINVAL, store_event_list(store, "\xff", 0, 1, &events, &size, &err));
  REFUSED(EINVAL, store_run_list(store, &filter, &runs, &size, &err));
  store_close(store);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  struct store *store = fresh();
  struct store_run run = {.id = "r1", .kind = "conformance"};
  const struct store_result result = {.name = "ACC-01", .verdict = "passed"};
  struct store_run read = {0};
  char *report = NULL;
  size_t length = 0;
  uint64_t sequence = 0;
  add_run(store, "r1", "m");
  REFUSED(EEXIST, store_run_add(store, &run, &err));
  REFUSED(EALREADY, store_event_add(store, "r1", "{}", &sequence, &err));
  REFUSED(EALREADY, store_result_add(store, "r1", &result, &err));
  REFUSED(ENOENT, store_run_start(store, "r2", &err));
  REFUSED(ENOENT, store_run_get(store, "r2", &read, &err));
  REFUSED(ENOENT, store_event_add(store, "r2", "{}", &sequence, &err));
  REFUSED(ENOENT, store_result_add(store, "r2", &result, &err));
  REFUSED(ENOENT, store_run_end(store, "r2", STORE_FINISHED, NULL, NULL, NULL, 0, &err));
  start_run(store, "r1");
  REFUSED(EALREADY, store_run_start(store, "r1", &err));
  OK(store_result_add(store, "r1", &result, &err));
  REFUSED(EEXIST, store_result_add(store, "r1", &result, &err));
  REFUSED(EINVAL, store_event_add(store, "r1", "\xff", &sequence, &err));
  REFUSED(EINVAL, store_run_end(store, "r1", STORE_RUNNING, NULL, NULL, NULL, 0, &err));
  REFUSED(E2BIG, store_run_end(store, "r1", STORE_FINISHED, NULL, NULL, "", STORE_REPORT_MAX + 1, &err));
  /* What was refused has no number. */
  assert_int_equal(add_event(store, "r1"), 1);
  end_run(store, "r1");
  REFUSED(EALREADY, store_run_end(store, "r1", STORE_FAILED, NULL, NULL, NULL, 0, &err));
  REFUSED(EALREADY, store_event_add(store, "r1", "{}", &sequence, &err));
  REFUSED(ENOENT, store_report_get(store, "r1", &report, &length, &err));
  char long_name[STORE_NAME_MAX + 2];
  memset(long_name, 'x', sizeof(long_name));
  long_name[sizeof(long_name) - 1] = '\0';
  run.id = long_name;
  REFUSED(EINVAL, store_run_add(store, &run, &err));
  run.id = "";
  REFUSED(EINVAL, store_run_add(store, &run, &err));
  store_close(store);

  store = open_store(backend->location(), NULL, 0);
  run.id = "r3";
  REFUSED(EPERM, store_run_add(store, &run, &err));
  assert_int_equal(state_of(store, "r1"), STORE_FINISHED);
  store_close(store);
  REFUSED(EINVAL, store_open("mysql://secret@host/db", NULL, &store, NULL, &err));
  REFUSED(EINVAL, store_open(backend->location(), "no owner", &store, NULL, &err));
}

static void a_client_goes_on_after_any_event(void **state) {
  (void)state;
  struct store *store = fresh();
  add_run(store, "r1", "m");
  add_run(store, "r2", "m");
  start_run(store, "r1");
  start_run(store, "r2");
  for (unsigned i = 1; i <= 25; i++) {
    assert_int_equal(add_event(store, "r1"), i);
    assert_int_equal(add_event(store, "r2"), i);
  }
  for (uint64_t after = 0; after <= 26; after++) {
    struct store_event *events = NULL;
    size_t count = 0;
    OK(store_event_list(store, "r1", after, 10, &events, &count, &err));
    uint64_t left = after < 25 ? 25 - after : 0;
    assert_int_equal(count, left < 10 ? left : 10);
    for (size_t i = 0; i < count; i++) {
      assert_int_equal(events[i].sequence, after + i + 1);
      assert_string_equal(events[i].text, "{\"event\":\"case\"}");
    }
    store_events_free(events, count);
  }
  store_close(store);
}

/* ---- order and pages */

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_are_in_the_order_of_their_bytes(void **state) {
  (void)state;
  static const char *const given[] = {"b", "a", "B", "A-1", "a b", "A1",  "é", "e",
                                      "Z", "_", "ß", "10",  "9",   "a-b", "ab"};
  const char *sorted[ARRAY_COUNT(given)];
  struct store *store = fresh();
  add_run(store, "r1", "m");
  start_run(store, "r1");
  for (size_t i = 0; i < ARRAY_COUNT(given); i++) {
    const struct store_result result = {.name = (char *)given[i], .verdict = "passed"};
    OK(store_result_add(store, "r1", &result, &err));
    sorted[i] = given[i];
  }
  qsort(sorted, ARRAY_COUNT(sorted), sizeof(sorted[0]), by_bytes);
  char after[STORE_NAME_MAX] = "";
  size_t seen = 0;
  for (;;) {
    struct store_result *results = NULL;
    size_t count = 0;
    OK(store_result_list(store, "r1", seen ? after : NULL, 4, &results, &count, &err));
    for (size_t i = 0; i < count; i++) {
      assert_true(seen < ARRAY_COUNT(sorted));
      assert_string_equal(results[i].name, sorted[seen++]);
    }
    if (count > 0)
      (void)snprintf(after, sizeof(after), "%s", results[count - 1].name);
    store_results_free(results, count);
    if (count < 4)
      break;
  }
  assert_int_equal(seen, ARRAY_COUNT(sorted));
  store_close(store);
}

/* The same moment for several, so that the ids decide. */
static void pages_have_every_run_once_the_latest_first(void **state) {
  (void)state;
  struct store *store = fresh();
  for (int i = 0; i < 30; i++) {
    char id[16];
    (void)snprintf(id, sizeof(id), "%c%d", i % 2 ? 'x' : 'X', i);
    add_run(store, id, i % 3 ? "m" : "n");
  }
  backend->execute("UPDATE runs SET created_ns = 1000 + created_ns % 4;");
  struct store_filter filter = {.limit = 7};
  struct store_run last = {0};
  size_t seen = 0;
  for (size_t count = 7; count == 7;) {
    struct store_run *runs = NULL;
    OK(store_run_list(store, &filter, &runs, &count, &err));
    for (size_t i = 0; i < count; i++, seen++) {
      if (seen > 0)
        assert_true(runs[i].created_ns < last.created_ns ||
                    (runs[i].created_ns == last.created_ns && strcmp(runs[i].id, last.id) < 0));
      store_run_finish(&last);
      last = take(runs[i]);
    }
    store_runs_free(runs, count);
    filter.before_ns = last.created_ns;
    filter.before_id = last.id;
  }
  assert_int_equal(seen, 30);
  store_run_finish(&last);
  struct store_run *runs = NULL;
  size_t count = 0;
  filter = (struct store_filter){.mesh = "n", .kind = "conformance", .state = STORE_QUEUED, .limit = 100};
  OK(store_run_list(store, &filter, &runs, &count, &err));
  assert_int_equal(count, 10);
  store_runs_free(runs, count);
  filter.state = STORE_RUNNING;
  OK(store_run_list(store, &filter, &runs, &count, &err));
  assert_int_equal(count, 0);
  store_runs_free(runs, count);
  filter.limit = 0;
  REFUSED(EINVAL, store_run_list(store, &filter, &runs, &count, &err));
  store_close(store);
}

/* ---- ends */

static void an_owner_finds_its_own_runs_interrupted(void **state) {
  (void)state;
  struct store *store = fresh();
  struct store *second = NULL;
  REFUSED(EBUSY, store_open(backend->location(), OWNER, &second, NULL, &err));
  add_run(store, "queued", "m");
  add_run(store, "running", "m");
  start_run(store, "running");
  ended_run(store, "ended", "m");
  store_close(store);

  store = open_store(backend->location(), "host-b", 0);
  assert_int_equal(state_of(store, "running"), STORE_RUNNING);
  store_close(store);
  store = open_store(backend->location(), OWNER, 2);
  assert_int_equal(state_of(store, "queued"), STORE_INTERRUPTED);
  assert_int_equal(state_of(store, "running"), STORE_INTERRUPTED);
  assert_int_equal(state_of(store, "ended"), STORE_FINISHED);
  store_close(store);
  store_close(open_store(backend->location(), OWNER, 0));
}

/* Adds events for ever, and tells the number of each that has been kept. */
static void write_until_killed(const char *id, int fd) {
  struct store *store = NULL;
  struct store_run run = {.id = (char *)id, .kind = "conformance", .mesh = "m"};
  if (store_open(backend->location(), OWNER, &store, NULL, NULL) < 0 || store_run_add(store, &run, NULL) < 0 ||
      store_run_start(store, id, NULL) < 0)
    _exit(1);
  for (;;) {
    uint64_t sequence = 0;
    if (store_event_add(store, id, "{}", &sequence, NULL) < 0 || write(fd, &sequence, sizeof(sequence)) < 0)
      _exit(1);
  }
}

static uint64_t last_told(int fd) {
  uint64_t told = 0;
  uint64_t sequence = 0;
  while (read(fd, &sequence, sizeof(sequence)) == (ssize_t)sizeof(sequence))
    told = sequence;
  return told;
}

static void what_was_told_is_there_after_a_kill(void **state) {
  (void)state;
  uint64_t told[KILLS];
  struct chance chance = {.state = (uint64_t)clock_realtime_ns()};
  uint64_t events = 0;
  store_close(fresh());
  print_message("seed %llu\n", (unsigned long long)chance.state);
  for (int i = 0; i < KILLS; i++) {
    char id[16];
    int ends[2];
    int status = 0;
    (void)snprintf(id, sizeof(id), "run-%d", i);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
      (void)close(ends[0]);
      write_until_killed(id, ends[1]);
    }
    (void)close(ends[1]);
    struct pollfd first = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&first, 1, 60000), 1);
    (void)usleep((useconds_t)chance_below(&chance, 20000)); /* the moment is what is tested */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    told[i] = last_told(ends[0]);
    (void)close(ends[0]);
    assert_true(told[i] > 0);
    events += told[i];
    store_close(open_store(backend->location(), OWNER, 1));
  }
  struct store *store = fresh();
  for (int i = 0; i < KILLS; i++) {
    char id[16];
    struct store_run run = {0};
    struct store_event *last = NULL;
    size_t count = 0;
    (void)snprintf(id, sizeof(id), "run-%d", i);
    OK(store_run_get(store, id, &run, &err));
    assert_int_equal(run.state, STORE_INTERRUPTED);
    /* One more may have been kept, and not told. */
    assert_true(run.event_count == told[i] || run.event_count == told[i] + 1);
    OK(store_event_list(store, id, told[i] - 1, 10, &last, &count, &err));
    assert_int_equal(count, run.event_count - told[i] + 1);
    store_events_free(last, count);
    store_run_finish(&run);
  }
  store_close(store);
  print_message("%d kills, %llu events told, each there\n", KILLS, (unsigned long long)events);
}

/* ---- many at once */

struct watcher {
  struct store *store;
  bool stop;
  uint64_t reads;
};

static void *watch(void *ctx) {
  struct watcher *watcher = ctx;
  uint64_t last = 0;
  do {
    struct store_run run = {0};
    if (store_run_get(watcher->store, "r1", &run, NULL) < 0 || run.event_count < last)
      return "a read failed, or went back";
    last = run.event_count;
    watcher->reads++;
    store_run_finish(&run);
  } while (!__atomic_load_n(&watcher->stop, __ATOMIC_RELAXED));
  return NULL;
}

static void readers_read_beside_the_writer(void **state) {
  (void)state;
  enum { WATCHERS = 8 };
  struct watcher watchers[WATCHERS];
  pthread_t threads[WATCHERS];
  uint64_t reads = 0;
  struct store *store = fresh();
  add_run(store, "r1", "m");
  start_run(store, "r1");
  for (size_t i = 0; i < WATCHERS; i++) {
    watchers[i] = (struct watcher){.store = store};
    assert_int_equal(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
  }
  int64_t begun_ns = clock_monotonic_ns();
  for (unsigned i = 1; i <= 200; i++)
    assert_int_equal(add_event(store, "r1"), i);
  int64_t took_ns = clock_monotonic_ns() - begun_ns;
  for (size_t i = 0; i < WATCHERS; i++) {
    void *wrong = NULL;
    __atomic_store_n(&watchers[i].stop, true, __ATOMIC_RELAXED);
    assert_int_equal(pthread_join(threads[i], &wrong), 0);
    if (wrong)
      fail_msg("%s", (const char *)wrong);
    reads += watchers[i].reads;
  }
  assert_true(reads > 0);
  print_message("200 events beside %llu reads in %lld ms\n", (unsigned long long)reads,
                (long long)(took_ns / NS_PER_MS));
  store_close(store);
}

/* ---- retention */

static void pruning_leaves_the_latest_and_what_runs(void **state) {
  (void)state;
  struct store *store = fresh();
  struct store_run run = {0};
  struct store_event *events = NULL;
  size_t count = 0;
  uint64_t removed = 0;
  add_run(store, "running", "m");
  start_run(store, "running");
  (void)add_event(store, "running");
  for (int i = 0; i < 120; i++) {
    char id[16];
    (void)snprintf(id, sizeof(id), "m%03d", i);
    ended_run(store, id, "m");
  }
  ended_run(store, "n000", "n");
  backend->execute("UPDATE runs SET created_ns = 1 WHERE id = 'running';");
  OK(store_prune(store, &(struct store_keep){0}, &removed, &err));
  assert_int_equal(removed, 0);
  OK(store_prune(store, &(struct store_keep){.count = 3}, &removed, &err));
  assert_int_equal(removed, 117);
  assert_int_equal(state_of(store, "m117"), STORE_FINISHED);
  REFUSED(ENOENT, store_run_get(store, "m116", &run, &err));
  assert_int_equal(state_of(store, "n000"), STORE_FINISHED);
  OK(store_prune(store, &(struct store_keep){.older_than_ns = INT64_MAX}, &removed, &err));
  assert_int_equal(removed, 4);
  assert_int_equal(state_of(store, "running"), STORE_RUNNING);
  OK(store_event_list(store, "running", 0, 10, &events, &count, &err));
  assert_int_equal(count, 1);
  store_events_free(events, count);
  store_close(store);
}

static void a_removed_run_leaves_nothing(void **state) {
  (void)state;
  struct store *store = fresh();
  struct store_event *events = NULL;
  size_t count = 0;
  uint64_t removed = 0;
  add_run(store, "r1", "m");
  start_run(store, "r1");
  (void)add_event(store, "r1");
  OK(store_run_end(store, "r1", STORE_FINISHED, NULL, NULL, "{}", 2, &err));
  OK(store_prune(store, &(struct store_keep){.older_than_ns = INT64_MAX}, &removed, &err));
  assert_int_equal(removed, 1);
  OK(store_event_list(store, "r1", 0, 10, &events, &count, &err));
  assert_int_equal(count, 0);
  store_events_free(events, count);
  add_run(store, "r1", "m"); /* with nothing of the one before in its way */
  start_run(store, "r1");
  assert_int_equal(add_event(store, "r1"), 1);
  OK(store_run_end(store, "r1", STORE_FINISHED, NULL, NULL, "{}", 2, &err));
  store_close(store);
}

/* ---- schemas */

static void an_older_schema_is_brought_to_this_one(void **state) {
  (void)state;
  backend->execute(backend->schema_1);
  backend->execute(
      "INSERT INTO runs VALUES ('old', 'conformance', 'm', 'smi', 'w', 'c', '', 'host-a', 2, 7, 1, 2, 0, 1);"
      "INSERT INTO events VALUES ('old', 1, 3, '{}');");
  struct store *store = open_store(backend->location(), OWNER, 1);
  assert_int_equal(state_of(store, "old"), STORE_INTERRUPTED);
  add_run(store, "new", "m");
  start_run(store, "new");
  OK(store_run_end(store, "new", STORE_FINISHED, NULL, NULL, "{}", 2, &err));
  store_close(store);
}

static void a_newer_schema_is_refused(void **state) {
  (void)state;
  struct store *store = fresh();
  store_close(store);
  backend->execute("INSERT INTO schema_version VALUES (99);");
  REFUSED(EPROTO, store_open(backend->location(), OWNER, &store, NULL, &err));
  REFUSED(EPROTO, store_open(backend->location(), NULL, &store, NULL, &err));
}

int suite_run(const char *name, const struct backend *of) {
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
  const struct CMUnitTest tests[] = {
      TEST(a_run_is_kept_with_all_of_it),
      TEST(events_are_added_together_with_what_they_tell_of),
      TEST(what_was_interrupted_is_completed_once),
      TEST(a_run_was_made_when_its_host_says),
      TEST(ids_are_utf_8),
      TEST(what_cannot_be_is_refused),
      TEST(a_client_goes_on_after_any_event),
      TEST(names_are_in_the_order_of_their_bytes),
      TEST(pages_have_every_run_once_the_latest_first),
      TEST(an_owner_finds_its_own_runs_interrupted),
      TEST(what_was_told_is_there_after_a_kill),
      TEST(readers_read_beside_the_writer),
      TEST(pruning_leaves_the_latest_and_what_runs),
      TEST(a_removed_run_leaves_nothing),
      TEST(users_are_kept),
      TEST(a_login_is_renewed_with_its_latest_secret_only),
      TEST(logins_end_with_what_they_rest_on),
      TEST(the_oldest_logins_make_room),
      TEST(tokens_are_found_by_their_hash),
      TEST(one_key_is_made_at_a_time),
      TEST(an_older_schema_is_brought_to_this_one),
      TEST(a_newer_schema_is_refused),
  };
  backend = of;
  return _cmocka_run_group_tests(name, tests, ARRAY_COUNT(tests), NULL, NULL);
}
