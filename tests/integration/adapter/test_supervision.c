/* Whatever an adapter does in its child, the host stays up, another adapter is not affected, and a call that failed
 * says what is known of its effects. Prints what was counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "host/adapter/placement.h"
#include "host/runner/sanitized.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/clock.h"
#include "tests/support/command.h"

#define PB(name) Trammel__Adapter__V1__##name

/* Sanitizers make a start several times as long. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define CRASHES 100
#else
#define CRASHES 1000
#endif

#define QUICK ((struct placement_backoff){NS_PER_MS / 10, NS_PER_MS})

/* ---- adapters */

struct fixture {
  struct registry *registry;
  struct adapter_entry probe, bystander; /* confined */
  struct adapter_http http;
};

static int transport(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                     const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                     unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err) {
  (void)ctx;
  (void)user;
  (void)endpoint;
  (void)method;
  (void)path;
  (void)content_type;
  (void)body;
  (void)body_length;
  (void)deadline_ns;
  (void)err;
  *ret_status = 200;
  *ret_body = strdup("");
  *ret_body_length = 0;
  return *ret_body ? 0 : -ENOMEM;
}

static struct adapter_entry confined(const struct registry *registry, const char *id) {
  _cleanup_error_ struct error *err = NULL;
  const struct adapter_entry *entry = registry_find(registry, id, &err);
  struct adapter_entry copy = {.confined = true};
  if (!entry)
    fail_msg("%s", error_message(err));
  else
    copy = *entry;
  copy.confined = true;
  return copy;
}

static int scan(void **state) {
  static struct fixture fixture;
  char probes[4096], shipped[4096];
  const char *build = getenv("TRAMMEL_BUILD_DIR");
  _cleanup_error_ struct error *err = NULL;
  (void)snprintf(probes, sizeof probes, "%s/tests/probe-adapter", build);
  (void)snprintf(shipped, sizeof shipped, "%s/lib/trammel/adapters", build);
  if (registry_scan((const struct adapter_directory[]){{.path = probes}, {.path = shipped}, {0}},
                    &(struct registry_options){0}, &fixture.registry, &err) < 0)
    fail_msg("%s", error_message(err));
  fixture.probe = confined(fixture.registry, "probe");
  fixture.bystander = confined(fixture.registry, "reference");
  fixture.http.request = transport;
  *state = &fixture;
  return 0;
}

static int forget(void **state) {
  registry_destroy(((struct fixture *)*state)->registry);
  return 0;
}

static struct placement *place(const struct fixture *fixture, const struct placement_backoff *backoff) {
  struct placement *placement = NULL;
  _cleanup_error_ struct error *err = NULL;
  if (child_placement_create(&fixture->probe, "{}", &fixture->http, backoff, NULL, &placement, &err) < 0)
    fail_msg("%s", error_message(err));
  return placement;
}

static int call(struct placement *placement, const char *method, const char *argument,
                const struct call_options *options, struct error **err) {
  PB(InvokeRequest) request = TRAMMEL__ADAPTER__V1__INVOKE_REQUEST__INIT;
  _cleanup_free_ uint8_t *data = NULL, *answer = NULL;
  size_t length = 0, answer_length = 0;
  request.operation = (char *)(uintptr_t)argument;
  int r = message_pack(&request.base, &data, &length, err);
  const struct placed_call wanted = {.method = method, .request = data, .length = length};
  return r < 0 ? r : placement->call(placement, &wanted, options, &answer, &answer_length, err);
}

static void assert_answers(struct placement *placement) {
  _cleanup_error_ struct error *err = NULL;
  const struct call_options options = {0};
  if (call(placement, "Echo", "hello", &options, &err) < 0)
    fail_msg("the next call is not answered: %s", error_message(err));
}

/* ---- another adapter, called all the time */

struct bystander {
  struct instance *instance;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool stop;
  unsigned answered, failed;
  int64_t slowest_ns;
  char why[256];
};

static void describe(struct bystander *bystander) {
  PB(DescribeRequest) request = TRAMMEL__ADAPTER__V1__DESCRIBE_REQUEST__INIT;
  ProtobufCMessage *response = NULL;
  _cleanup_error_ struct error *err = NULL;
  int64_t began = clock_monotonic_ns();
  int r = instance_call(bystander->instance, "Describe", &request.base,
                        &trammel__adapter__v1__describe_response__descriptor, NULL, &response, &err);
  int64_t took = clock_monotonic_ns() - began;
  pthread_mutex_lock(&bystander->lock);
  if (r == 0) {
    bystander->answered++;
    protobuf_c_message_free_unpacked(response, NULL);
  } else {
    bystander->failed++;
    (void)snprintf(bystander->why, sizeof bystander->why, "%s", error_message(err));
  }
  if (took > bystander->slowest_ns)
    bystander->slowest_ns = took;
  pthread_mutex_unlock(&bystander->lock);
}

static bool stopped_soon(struct bystander *bystander) {
  struct timespec until;
  (void)clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 10 * NS_PER_MS;
  until.tv_sec += until.tv_nsec / NS_PER_SECOND;
  until.tv_nsec %= NS_PER_SECOND;
  pthread_mutex_lock(&bystander->lock);
  if (!bystander->stop)
    (void)pthread_cond_timedwait(&bystander->changed, &bystander->lock, &until);
  bool stop = bystander->stop;
  pthread_mutex_unlock(&bystander->lock);
  return stop;
}

static void *stand_by(void *context) {
  do
    describe(context);
  while (!stopped_soon(context));
  return NULL;
}

static void start_bystander(const struct fixture *fixture, struct bystander *bystander) {
  _cleanup_error_ struct error *err = NULL;
  *bystander = (struct bystander){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  if (instance_create(&fixture->bystander, NULL, NULL, NULL, &bystander->instance, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(pthread_create(&bystander->thread, NULL, stand_by, bystander), 0);
}

static void assert_unaffected(struct bystander *bystander) {
  pthread_mutex_lock(&bystander->lock);
  bystander->stop = true;
  pthread_cond_signal(&bystander->changed);
  pthread_mutex_unlock(&bystander->lock);
  (void)pthread_join(bystander->thread, NULL);
  instance_destroy(bystander->instance);
  print_message("another adapter meanwhile: %u calls answered, %u failed, the slowest took %" PRId64 " ms\n",
                bystander->answered, bystander->failed, bystander->slowest_ns / NS_PER_MS);
  if (bystander->failed > 0)
    fail_msg("another adapter is affected: %s", bystander->why);
  assert_true(bystander->answered > 0);
}

/* ---- each fault */

enum known { NOTHING_SENT, EFFECTS_UNKNOWN };

struct fault {
  const char *what, *method, *argument;
  int64_t deadline_ms; /* 0: none */
  int code;
  const char *why; /* in the error */
  enum known known;
};

static const struct fault faults[] = {
    {"crash", "Crash", "", 0, -EIO, "killed by SIGSEGV", NOTHING_SENT},
    {"crash after a change", "HttpCrash", "control POST /v1/x", 0, -EIO, "killed by SIGSEGV", EFFECTS_UNKNOWN},
    {"crash after a look", "HttpCrash", "control GET /v1/x", 0, -EIO, "killed by SIGSEGV", NOTHING_SENT},
    {"abort", "Abort", "", 0, -EIO, "killed by SIGABRT", NOTHING_SENT},
    {"exit", "Exit", "", 0, -EIO, "exit status 7", NOTHING_SENT},
    {"spin", "Spin", "", 200, -ETIMEDOUT, "did not answer in time", NOTHING_SENT},
    {"hang", "Hang", "", 200, -ETIMEDOUT, "did not answer in time", NOTHING_SENT},
    {"hang after a change", "HttpHang", "control POST /v1/x", 3000, -ETIMEDOUT, "not answer in time", EFFECTS_UNKNOWN},
    {"slow reply", "Slow", "60000", 200, -ETIMEDOUT, "did not answer in time", NOTHING_SENT},
    {"noise on the wire", "Wire", "noise", 5000, -EIO, "", NOTHING_SENT},
    {"a frame too long", "Wire", "frame", 5000, -EIO, "", NOTHING_SENT},
    {"a message too long", "Wire", "message", 5000, -EPROTO, "it sent 0 messages", NOTHING_SENT},
    {"a message much too long", "Wire", "big", 20000, -EIO, "", NOTHING_SENT},
    {"a reset call", "Wire", "reset", 5000, -EIO, "RST_STREAM", NOTHING_SENT},
};

static void assert_told(const struct fault *fault, const struct diagnostics *diagnostics, const char *text) {
  const char *code = fault->known == EFFECTS_UNKNOWN ? "ADAPTER-0011" : "ADAPTER-0010";
  const char *effects =
      fault->known == EFFECTS_UNKNOWN ? "whether the mesh was changed is not known" : "nothing that changes the mesh";
  if (diagnostics_count(diagnostics) != 1 || strcmp(diagnostics_at(diagnostics, 0)->code, code) != 0 ||
      !strstr(diagnostics_at(diagnostics, 0)->summary, effects))
    fail_msg("%s: expected the diagnostic %s with \"%s\", got %zu, the first %s; the error was: %s", fault->what, code,
             effects, diagnostics_count(diagnostics),
             diagnostics_count(diagnostics) ? diagnostics_at(diagnostics, 0)->summary : "none", text);
}

/* The second call of a new child. */
static void suffer(const struct fixture *fixture, const struct fault *fault) {
  struct placement *placement = place(fixture, &QUICK);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_error_ struct error *err = NULL;
  const struct call_options options = {
      .deadline_ns = fault->deadline_ms ? clock_in_ns(fault->deadline_ms * NS_PER_MS) : 0, .diagnostics = diagnostics};
  int r = call(placement, fault->method, fault->argument, &options, &err);
  if (r != fault->code || !strstr(error_message(err), fault->why))
    fail_msg("%s came to %d, expected %d: \"%s\", expected \"%s\"", fault->what, r, fault->code,
             r < 0 ? error_message(err) : "no error", fault->why);
  assert_told(fault, diagnostics, error_message(err));
  assert_answers(placement);
  print_message("%s: %s\n", fault->what, error_message(err));
  placement->destroy(placement);
}

/* The most memory that this process ever had, in MiB. */
static long memory_peak_mib(void) {
  struct rusage usage;
  assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
  return usage.ru_maxrss / 1024;
}

static void every_fault_is_told_and_the_next_call_is_answered(void **state) {
  const struct fixture *fixture = *state;
  static struct bystander bystander; /* its thread outlives a test that fails */
  const size_t count = sizeof faults / sizeof faults[0];
  start_bystander(fixture, &bystander);
  long before = memory_peak_mib();
  for (size_t i = 0; i < count; i++)
    suffer(fixture, &faults[i]);
  print_message("%zu faults, each told, each followed by a call that was answered; memory of the host at most %ld MiB, "
                "%ld before\n",
                count, memory_peak_mib(), before);
  if (!TRAMMEL_SANITIZED)                          /* which keep what was freed */
    assert_true(memory_peak_mib() - before < 128); /* not what was announced */
  assert_unaffected(&bystander);
}

/* An HTTP/2 GOAWAY says that no further call will be taken. */
static void a_child_that_takes_no_more_calls_is_replaced(void **state) {
  const struct fixture *fixture = *state;
  struct placement *placement = place(fixture, &QUICK);
  const struct call_options options = {.deadline_ns = clock_in_ns(10 * NS_PER_SECOND)};
  (void)call(placement, "Wire", "goaway", &options, NULL);
  (void)call(placement, "Echo", "may fail", &options, NULL);
  assert_answers(placement);
  placement->destroy(placement);
}

static void a_slow_reply_within_its_deadline_is_one(void **state) {
  struct placement *placement = place(*state, &QUICK);
  const struct call_options options = {.deadline_ns = clock_in_ns(30 * NS_PER_SECOND)};
  _cleanup_error_ struct error *err = NULL;
  if (call(placement, "Slow", "300", &options, &err) < 0)
    fail_msg("%s", error_message(err));
  if (call(placement, "Oversize", "", &options, &err) != -EPROTO)
    fail_msg("an oversized message: %s", err ? error_message(err) : "taken");
  assert_answers(placement);
  placement->destroy(placement);
}

/* ---- many */

static unsigned open_files(void) {
  unsigned count = 0;
  DIR *all = opendir("/proc/self/fd");
  assert_non_null(all);
  while (readdir(all))
    count++;
  (void)closedir(all);
  return count;
}

static void crash(struct placement *placement, const char *why) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_error_ struct error *err = NULL;
  const struct call_options options = {.diagnostics = diagnostics};
  const struct fault fault = {.what = "crash", .known = NOTHING_SENT};
  if (call(placement, "Crash", "", &options, &err) != -EIO || !strstr(error_message(err), why))
    fail_msg("a crash is told as: %s", err ? error_message(err) : "no error");
  assert_told(&fault, diagnostics, error_message(err));
}

static void the_host_outlives_many_crashes_in_a_row(void **state) {
  const struct fixture *fixture = *state;
  static struct bystander bystander; /* its thread outlives a test that fails */
  start_bystander(fixture, &bystander);
  struct placement *placement = place(fixture, &QUICK);
  crash(placement, "killed by SIGSEGV");
  assert_answers(placement);
  unsigned before = open_files();
  int64_t began = clock_monotonic_ns();
  for (unsigned i = 0; i < CRASHES; i++)
    crash(placement, "killed by SIGSEGV");
  int64_t took = clock_monotonic_ns() - began;
  assert_answers(placement);
  print_message("%d crashes in a row in %" PRId64 " ms, each told; files open before %u, after %u\n", CRASHES,
                took / NS_PER_MS, before, open_files());
  assert_int_equal(open_files(), before);
  placement->destroy(placement);
  assert_unaffected(&bystander);
}

/* The first call after an end waits as long as the back-off says, longer after each further end. */
static void starts_wait_longer_after_each_end(void **state) {
  const struct placement_backoff backoff = {50 * NS_PER_MS, 200 * NS_PER_MS};
  static const int64_t wanted_ms[] = {0, 50, 100, 200, 200};
  struct placement *placement = place(*state, &backoff);
  for (size_t i = 0; i < sizeof wanted_ms / sizeof wanted_ms[0]; i++) {
    int64_t began = clock_monotonic_ns();
    crash(placement, "killed by SIGSEGV");
    int64_t took_ms = (clock_monotonic_ns() - began) / NS_PER_MS;
    if (took_ms < wanted_ms[i])
      fail_msg("start %zu came after %" PRId64 " ms, expected at least %" PRId64, i, took_ms, wanted_ms[i]);
  }
  placement->destroy(placement);
}

static void a_call_whose_deadline_is_before_the_start_fails_at_once(void **state) {
  const struct placement_backoff backoff = {60 * NS_PER_SECOND, 60 * NS_PER_SECOND};
  struct placement *placement = place(*state, &backoff);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_error_ struct error *err = NULL;
  const struct call_options options = {.diagnostics = diagnostics};
  const struct fault fault = {.what = "a call before the start", .known = NOTHING_SENT};
  crash(placement, "killed by SIGSEGV");
  int64_t began = clock_monotonic_ns();
  assert_int_equal(call(placement, "Echo", "", &options, &err), -ETIMEDOUT);
  assert_true(clock_monotonic_ns() - began < 10 * NS_PER_SECOND);
  assert_non_null(strstr(error_message(err), "it is started again in"));
  assert_told(&fault, diagnostics, error_message(err));
  placement->destroy(placement);
}

/* ---- the host is killed */

#define HOSTED 3
#define PIDS_MAX 64

struct processes {
  pid_t pids[PIDS_MAX];
  size_t count;
};

/* State and parent of a process; false when there is none. */
static bool look_at(pid_t pid, char *ret_state, pid_t *ret_parent) {
  char path[64], text[512];
  (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "re");
  if (!file)
    return false;
  size_t n = fread(text, 1, sizeof text - 1, file);
  (void)fclose(file);
  text[n] = '\0';
  const char *rest = strrchr(text, ')');
  return rest && sscanf(rest, ") %c %d", ret_state, ret_parent) == 2;
}

static bool has(const struct processes *processes, pid_t pid) {
  for (size_t i = 0; i < processes->count; i++)
    if (processes->pids[i] == pid)
      return true;
  return false;
}

/* Adds the children of what is in it, until there are no more. */
static void add_descendants(struct processes *processes) {
  size_t before;
  do {
    before = processes->count;
    DIR *all = opendir("/proc");
    assert_non_null(all);
    for (const struct dirent *entry; (entry = readdir(all));) {
      pid_t pid = atoi(entry->d_name), parent = 0;
      char state = 0;
      if (pid > 0 && look_at(pid, &state, &parent) && has(processes, parent) && !has(processes, pid)) {
        assert_true(processes->count < PIDS_MAX);
        processes->pids[processes->count++] = pid;
      }
    }
    (void)closedir(all);
  } while (processes->count > before);
}

static bool none_lives(void *context) {
  const struct processes *processes = context;
  for (size_t i = 0; i < processes->count; i++) {
    char state = 0;
    pid_t parent = 0;
    if (look_at(processes->pids[i], &state, &parent) && state != 'Z' && state != 'X')
      return false;
  }
  return true;
}

static void *spin(void *context) {
  const struct call_options options = {.deadline_ns = clock_in_ns(600 * NS_PER_SECOND)};
  (void)call(context, "Spin", "", &options, NULL);
  return NULL;
}

/* What the test starts as a host of its own: children that idle, and one that never returns. Says so, and waits. */
static int be_host(void) {
  void *state = NULL;
  pthread_t thread;
  (void)scan(&state);
  for (int i = 0; i < HOSTED; i++) {
    struct placement *placement = place(state, &QUICK);
    if (i == 0 && pthread_create(&thread, NULL, spin, placement) != 0)
      return 1;
  }
  if (write(STDOUT_FILENO, "x", 1) != 1)
    return 1;
  for (;;)
    (void)pause();
}

static void a_killed_host_leaves_no_process(void **state) {
  (void)state;
  const char *const argv[] = {"/proc/self/exe", "--host", NULL};
  struct running host = command_start(argv, NULL);
  char byte;
  assert_int_equal(read(host.out, &byte, 1), 1);
  struct processes all = {.pids = {host.pid}, .count = 1};
  add_descendants(&all);
  assert_true(all.count >= 1 + 2 * HOSTED); /* each child is watched by one, see host/runner/supervise.h */
  assert_int_equal(kill(host.pid, SIGKILL), 0);
  wait_until(none_lives, &all, 20, "the end of what a killed host had started");
  print_message("the host was killed; %zu processes that it had started ended\n", all.count - 1);
  struct command_result result;
  command_wait(&host, 20, &result);
  assert_int_equal(result.signal, SIGKILL);
  command_result_finish(&result);
}

/* ---- a start that its caller gives up */

struct given_up {
  struct placement *placement;
  atomic_bool cancel, done;
  struct error *err;
  int result;
};

static void *call_until_cancelled(void *context) {
  struct given_up *given_up = context;
  const struct call_options options = {.cancel = &given_up->cancel};
  given_up->result = call(given_up->placement, "Wait", "", &options, &given_up->err);
  atomic_store(&given_up->done, true);
  return NULL;
}

/* Stops what was started before it can answer, and only then gives the call up. */
static bool stop_and_cancel(void *context) {
  struct given_up *given_up = context;
  struct processes all = {.pids = {getpid()}, .count = 1};
  add_descendants(&all);
  for (size_t i = 1; i < all.count; i++)
    (void)kill(all.pids[i], SIGSTOP);
  if (all.count > 1)
    atomic_store(&given_up->cancel, true);
  return atomic_load(&given_up->done);
}

/* Whether the start was given up; the call itself, when the child was quicker. */
static bool give_up(struct placement *placement) {
  struct given_up given_up = {.placement = placement};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, call_until_cancelled, &given_up), 0);
  wait_until(stop_and_cancel, &given_up, 60, "the end of a call that was cancelled");
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(given_up.result, -ECANCELED);
  bool start = strstr(error_message(given_up.err), "create was cancelled") != NULL;
  error_free(given_up.err);
  return start;
}

static void a_start_that_a_caller_gave_up_makes_no_later_one_wait(void **state) {
  const struct placement_backoff never = {3600 * NS_PER_SECOND, 3600 * NS_PER_SECOND};
  const int64_t end_ns = clock_in_ns(60 * NS_PER_SECOND);
  struct placement *placement = place(*state, &never);
  bool given_up = give_up(placement); /* a call: its child is there already */
  assert_false(given_up);
  while (!given_up && clock_monotonic_ns() < end_ns)
    given_up = give_up(placement);
  assert_true(given_up);
  assert_answers(placement); /* which would be an hour later */
  placement->destroy(placement);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--host") == 0)
    return be_host();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_killed_host_leaves_no_process),
      cmocka_unit_test(every_fault_is_told_and_the_next_call_is_answered),
      cmocka_unit_test(a_child_that_takes_no_more_calls_is_replaced),
      cmocka_unit_test(a_slow_reply_within_its_deadline_is_one),
      cmocka_unit_test(starts_wait_longer_after_each_end),
      cmocka_unit_test(a_call_whose_deadline_is_before_the_start_fails_at_once),
      cmocka_unit_test(a_start_that_a_caller_gave_up_makes_no_later_one_wait),
      cmocka_unit_test(the_host_outlives_many_crashes_in_a_row),
  };
  return cmocka_run_group_tests_name("supervision", tests, scan, forget);
}
