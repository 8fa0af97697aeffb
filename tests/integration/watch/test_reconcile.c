/* Translations that fail and that hang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/watch/reconcile.h"
#include "sdk/base/clock.h"
#include "tests/integration/watch/watch_fixture.h"
#include "tests/support/command.h"

#define TIMEOUT_S 60
#define SOON_NS (20 * NS_PER_SECOND)

/* What was said, and whether something was done about an object: on any thread, which a test cannot fail on. */
struct noted {
  struct said said;
  atomic_bool done;
};

/* An adapter, and a cluster that has nothing. */
struct stage {
  struct cluster *cluster;
  struct registry *registry;
  struct instance *instance;
  struct counters counters;
  struct noted noted;
  atomic_bool cancel;
  struct watch_options options;
  int result; /* of watch_run() */
};

static void answer(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  (void)request;
  (void)ctx;
  fake_reply(connection, 404, NULL, "404 page not found\n");
}

static void on_said(void *ctx, const char *text) {
  said_note(&((struct noted *)ctx)->said, text);
}

static void on_told(void *ctx, const struct rollout_step *step) {
  (void)step;
  atomic_store(&((struct noted *)ctx)->done, true);
}

static void stage_open(struct stage *stage, struct kube_fixture *f, json_t *config) {
  const struct registry_options options = {.placement = PLACEMENT_IN_PROCESS};
  _cleanup_error_ struct error *err = NULL;
  char directory[600];

  (void)snprintf(directory, sizeof(directory), "%s/tests/slow-adapter", getenv("TRAMMEL_BUILD_DIR"));
  const struct adapter_directory directories[] = {{.path = directory}, {0}};
  *stage =
      (struct stage){.cluster = watch_cluster(f, answer, NULL), .noted = {.said = {.lock = PTHREAD_MUTEX_INITIALIZER}}};
  assert_int_equal(registry_scan(directories, &options, &stage->registry, NULL), 0);
  assert_int_equal(registry_count(stage->registry), 1);
  if (instance_create(registry_at(stage->registry, 0), config, NULL, NULL, &stage->instance, &err) < 0)
    fail_msg("%s", error_message(err));
  json_decref(config);
  stage->options = (struct watch_options){.cluster = stage->cluster,
                                          .description = registry_at(stage->registry, 0)->description,
                                          .instance = stage->instance,
                                          .counters = &stage->counters,
                                          .cancel = &stage->cancel,
                                          .told = on_told,
                                          .said = on_said,
                                          .ctx = &stage->noted};
}

static void stage_close(struct stage *stage) {
  instance_destroy(stage->instance);
  registry_destroy(stage->registry);
  cluster_close(stage->cluster);
}

/* ---- one that fails */

static void put(struct inbox *inbox, size_t feed, enum feed_event event, const char *name) {
  struct message *message = calloc(1, sizeof(*message));
  char text[600];

  assert_non_null(message);
  *message = (struct message){.event = event, .feed = feed, .came_ns = clock_monotonic_ns()};
  if (name) {
    (void)snprintf(text, sizeof(text), "TrafficTarget/demo/%s", name);
    message->key = strdup(text);
    (void)snprintf(text, sizeof(text),
                   "{\"apiVersion\":\"access.smi-spec.io/v1alpha3\",\"kind\":\"TrafficTarget\",\"metadata\":{\"name\":"
                   "\"%s\",\"namespace\":\"demo\"},\"spec\":{\"destination\":{\"kind\":\"ServiceAccount\",\"name\":"
                   "\"a\",\"namespace\":\"demo\"},\"sources\":[{\"kind\":\"ServiceAccount\",\"name\":\"b\","
                   "\"namespace\":\"demo\"}],\"rules\":[{\"kind\":\"TCPRoute\",\"name\":\"r\"}]}}",
                   name);
    message->text = strdup(text);
    message->api_version = strdup("access.smi-spec.io/v1alpha3");
  }
  inbox_put(inbox, message);
}

static int step(struct reconcile *reconcile) {
  _cleanup_error_ struct error *err = NULL;
  int r = reconcile_step(reconcile, &err);

  if (r < 0)
    fail_msg("%s", error_message(err));
  return r;
}

/* A part never succeeds, since there is nothing before; and there is more of it while it is waited. */
static void after_a_part_that_fails_everything_is_translated(void **state) {
  struct stage stage;
  struct inbox inbox;
  atomic_bool retell = false;
  struct reconcile reconcile = {.options = &stage.options, .inbox = &inbox, .retell = &retell};

  stage_open(&stage, *state, json_pack("{s:i}", "least", 2));
  const struct reporter_options reporting = {.cluster = stage.cluster,
                                             .manager = "test",
                                             .counters = &stage.counters,
                                             .cancel = &stage.cancel,
                                             .said = said_note,
                                             .ctx = &stage.noted.said};
  assert_int_equal(inbox_init(&inbox, NULL), 0);
  assert_int_equal(stock_create(&(struct managers_view){.manager = "test"}, &reconcile.stock, NULL), 0);
  assert_int_equal(reporter_start(&reporting, &reconcile.reporter, NULL), 0);
  reconcile_init(&reconcile);
  for (size_t i = 0; i < follow_count(); i++)
    put(&inbox, i, FEED_LISTED, NULL);
  assert_int_equal(step(&reconcile), 1);
  assert_int_equal(atomic_load(&stage.counters.whole), 1);

  int64_t start_ns = clock_monotonic_ns();
  put(&inbox, 0, FEED_OBJECT, "t");
  (void)step(&reconcile);
  assert_int_equal(said_count(&stage.noted.said), 1);
  put(&inbox, 0, FEED_OBJECT, "u");
  while (atomic_load(&stage.counters.whole) == 1 && clock_monotonic_ns() - start_ns < TIMEOUT_S * NS_PER_SECOND)
    (void)step(&reconcile);
  assert_int_equal(atomic_load(&stage.counters.whole), 2);
  assert_true(clock_monotonic_ns() - start_ns >= WATCH_RETRY_NS);
  assert_int_equal(said_count(&stage.noted.said), 1);
  assert_int_equal(atomic_load(&stage.counters.partial), 0);
  assert_int_equal(stock_count(reconcile.stock).wanted, 2);
  assert_int_equal(reconcile.retry_due_ns, 0);

  atomic_store(&stage.cancel, true);
  reporter_join(reconcile.reporter);
  reconcile_finish(&reconcile);
  stock_destroy(reconcile.stock);
  inbox_finish(&inbox);
  stage_close(&stage);
}

/* ---- one that hangs */

static void *run(void *ctx) {
  struct stage *stage = ctx;
  _cleanup_error_ struct error *err = NULL;

  stage->result = watch_run(&stage->options, &err);
  return NULL;
}

static bool is_there(void *ctx) {
  return access(ctx, F_OK) == 0;
}

static void a_translation_under_way_is_cancelled(void **state) {
  const struct kube_fixture *f = *state;
  struct stage stage;
  pthread_t thread;
  char mark[4096];

  (void)snprintf(mark, sizeof(mark), "%s/mark", f->directory);
  stage_open(&stage, *state, json_pack("{s:b, s:s}", "hang", 1, "mark", mark));
  assert_int_equal(pthread_create(&thread, NULL, run, &stage), 0);
  wait_until(is_there, mark, TIMEOUT_S, "the translation has begun");
  int64_t start_ns = clock_monotonic_ns();
  atomic_store(&stage.cancel, true);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_true(clock_monotonic_ns() - start_ns < SOON_NS);
  assert_int_equal(stage.result, 0);
  assert_false(atomic_load(&stage.noted.done));
  stage_close(&stage);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(after_a_part_that_fails_everything_is_translated),
      cmocka_unit_test(a_translation_under_way_is_cancelled),
  };
  return cmocka_run_group_tests_name("reconcile", tests, kube_fixture_setup, kube_fixture_teardown);
}
