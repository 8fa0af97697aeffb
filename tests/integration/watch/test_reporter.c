/* Events on a server that takes them, and on one that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/watch/reporter.h"
#include "tests/integration/watch/watch_fixture.h"
#include "tests/support/command.h"

#define TIMEOUT_S 60
#define LONG_NAME 250

struct events {
  unsigned status;
  atomic_uint count;
  char path[8192]; /* of the last one; read when all have come */
};

static void answer(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct events *events = ctx;

  (void)snprintf(events->path, sizeof(events->path), "%s", request->path);
  fake_reply(connection, events->status, NULL,
             events->status == 200 ? "{\"kind\":\"Event\"}"
                                   : "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no Events here\"}");
  atomic_fetch_add(&events->count, 1);
}

struct telling {
  struct events events;
  struct said said;
  struct counters counters;
  atomic_bool cancel;
  unsigned wanted;
};

static bool has_come(void *ctx) {
  struct telling *telling = ctx;

  return atomic_load(&telling->events.count) >= telling->wanted;
}

static void tell(struct kube_fixture *f, struct telling *telling, const char *key, unsigned times) {
  struct cluster *cluster = watch_cluster(f, answer, &telling->events);
  struct reporter *reporter = NULL;
  const struct reporter_options options = {.cluster = cluster,
                                           .manager = "trammel-watch/test",
                                           .counters = &telling->counters,
                                           .cancel = &telling->cancel,
                                           .said = said_note,
                                           .ctx = &telling->said};

  atomic_store(&telling->counters.leading, true);
  assert_int_equal(reporter_start(&options, &reporter, NULL), 0);
  for (unsigned i = 0; i < times; i++)
    reporter_tell(reporter, &(struct report){.key = key, .reason = "Invalid", .message = "wrong", .warning = true});
  telling->wanted = times;
  wait_until(has_come, telling, TIMEOUT_S, "the Events came");
  atomic_store(&telling->cancel, true);
  reporter_join(reporter);
  cluster_close(cluster);
}

static void an_event_that_is_refused_is_said(void **state) {
  static struct telling telling = {.events = {.status = 403}, .said = {.lock = PTHREAD_MUTEX_INITIALIZER}};
  tell(*state, &telling, "TrafficTarget/demo/t", 3);
  assert_int_equal(said_count(&telling.said), 1); /* not each of thousands */
  assert_non_null(strstr(telling.said.last, "Invalid on TrafficTarget demo/t"));
  assert_non_null(strstr(telling.said.last, "events"));
  assert_int_equal(atomic_load(&telling.counters.events), 0);
}

/* A server refuses a name with '-' or '.' beside a '.', which is where a long one may be cut. */
static void a_name_is_cut_at_a_letter(void **state) {
  static struct telling telling = {.events = {.status = 200}, .said = {.lock = PTHREAD_MUTEX_INITIALIZER}};
  char key[LONG_NAME + 40];
  int length = snprintf(key, sizeof(key), "TrafficTarget/demo/");
  memset(key + length, 'a', LONG_NAME);
  memset(key + length + 196, '-', 2);
  memset(key + length + 198, '.', 2);
  key[length + LONG_NAME] = '\0';
  tell(*state, &telling, key, 1);
  char *name = strstr(telling.events.path, "/events/");
  assert_non_null(name);
  assert_int_equal(strspn(name + strlen("/events/"), "a"), 196);
  assert_int_equal(name[strlen("/events/") + 196], '.');
  assert_true(strchr("0123456789abcdef", name[strlen("/events/") + 197]) != NULL);
  assert_int_equal(said_count(&telling.said), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_event_that_is_refused_is_said),
      cmocka_unit_test(a_name_is_cut_at_a_letter),
  };
  return cmocka_run_group_tests_name("reporter", tests, kube_fixture_setup, kube_fixture_teardown);
}
