/* A feed whose server no longer has what came after its list (410), over TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/watch/feed.h"
#include "sdk/base/clock.h"
#include "sdk/kube/object.h"
#include "tests/integration/watch/watch_fixture.h"
#include "tests/support/command.h"

#define TIMEOUT_S 60
#define MAPS                                                                                                           \
  "{\"resources\":[{\"name\":\"configmaps\",\"kind\":\"ConfigMap\",\"namespaced\":true,\"verbs\":[\"list\"]}]}"
#define EXPIRED                                                                                                        \
  "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"message\":\"too old resource version: 1\"}}\n"
#define BOOKMARK                                                                                                       \
  "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{\"resourceVersion\":\"98\"}}}\n"
#define ITEM(name) "{\"metadata\":{\"namespace\":\"demo\",\"name\":\"" name "\"}}"

/* A server that forgets: the first watches, of so many lists, end with 410. It outlives its test, whose end its threads
 * do not know of. */
struct forgetful {
  unsigned gone;
  bool in_stream; /* 410 comes as an event, else as the answer */
  bool bookmark;  /* before that event */
  atomic_uint lists;
  atomic_llong listed_ns[8];
};

static void answer(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct forgetful *server = ctx;
  unsigned lists = atomic_load(&server->lists);
  char body[400];

  if (strcmp(request->path, "/api/v1") == 0) {
    fake_reply(connection, 200, NULL, MAPS);
  } else if (!strstr(request->path, "watch=true")) {
    if (lists < 8)
      atomic_store(&server->listed_ns[lists], clock_monotonic_ns());
    atomic_store(&server->lists, lists + 1);
    (void)snprintf(body, sizeof(body), "{\"metadata\":{\"resourceVersion\":\"%u\"},\"items\":[%s]}", 10 * (lists + 1),
                   lists == 0 ? ITEM("a") "," ITEM("b") : ITEM("b") "," ITEM("c"));
    fake_reply(connection, 200, NULL, body);
  } else if (lists <= server->gone && !server->in_stream) {
    fake_reply(connection, 410, NULL, "{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":410}");
  } else {
    fake_stream_start(connection);
    if (server->bookmark)
      fake_stream_send(connection, BOOKMARK);
    fake_stream_send(connection, lists <= server->gone ? EXPIRED
                                                       : "{\"type\":\"ADDED\",\"object\":{\"kind\":\"ConfigMap\","
                                                         "\"metadata\":{\"namespace\":\"demo\",\"name\":\"d\","
                                                         "\"resourceVersion\":\"99\"}}}\n");
    if (lists <= server->gone)
      fake_stream_end(connection);
    else
      fake_hang(connection);
  }
}

/* What a feed said, as words. */
struct heard {
  pthread_mutex_t lock;
  char words[400];
  unsigned behind, failures;
  struct forgetful *server;
  unsigned lists; /* that are waited for */
};

static void on_event(void *ctx, enum feed_event event, json_t *object) {
  static const char *const words[] = {
      [FEED_OBJECT] = "", [FEED_GONE] = "-", [FEED_BEGINS] = "(", [FEED_LISTED] = ")", [FEED_ABSENT] = "absent"};
  struct heard *heard = ctx;

  (void)pthread_mutex_lock(&heard->lock);
  size_t length = strlen(heard->words);
  (void)snprintf(heard->words + length, sizeof(heard->words) - length, "%s%s ", words[event],
                 object ? kube_object_name(object) : "");
  (void)pthread_mutex_unlock(&heard->lock);
}

static void on_failure(void *ctx, const char *why) {
  struct heard *heard = ctx;

  (void)why;
  (void)pthread_mutex_lock(&heard->lock);
  heard->failures++;
  (void)pthread_mutex_unlock(&heard->lock);
}

static void on_behind(void *ctx) {
  struct heard *heard = ctx;

  (void)pthread_mutex_lock(&heard->lock);
  heard->behind++;
  (void)pthread_mutex_unlock(&heard->lock);
}

static bool has_all(void *ctx) {
  struct heard *heard = ctx;

  (void)pthread_mutex_lock(&heard->lock);
  bool all = strstr(heard->words, "d ") != NULL;
  (void)pthread_mutex_unlock(&heard->lock);
  return all;
}

static bool has_lists(void *ctx) {
  const struct heard *heard = ctx;

  return atomic_load(&heard->server->lists) >= heard->lists;
}

static void follow(struct kube_fixture *f, struct heard *heard, bool (*until)(void *ctx)) {
  struct cluster *cluster = watch_cluster(f, answer, heard->server);
  atomic_bool cancel = false;
  struct feed *feed = NULL;
  const struct feed_options options = {.cluster = cluster,
                                       .kind = "ConfigMap",
                                       .versions = {"v1"},
                                       .cancel = &cancel,
                                       .event = on_event,
                                       .failed = on_failure,
                                       .behind = on_behind,
                                       .ctx = heard};

  assert_int_equal(feed_start(&options, &feed, NULL), 0);
  wait_until(until, heard, TIMEOUT_S, "the feed has followed");
  atomic_store(&cancel, true);
  feed_join(feed);
  cluster_close(cluster);
}

static void what_was_forgotten_is_listed_again(void **state) {
  static struct forgetful servers[] = {{.gone = 1}, {.gone = 1, .in_stream = true}};
  for (unsigned i = 0; i < 2; i++) {
    struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER, .server = &servers[i]};
    follow(*state, &heard, has_all);
    assert_string_equal(heard.words, "( a b ) ( b c ) d ");
    assert_int_equal(heard.behind, 1);
    assert_int_equal(heard.failures, 0);
  }
}

/* Each list is a burden for a server that has too much to bear already, whatever it says before it forgets. */
static void a_server_that_forgets_each_time_is_given_time(void **state) {
  static struct forgetful servers[] = {{.gone = 1000}, {.gone = 1000, .in_stream = true, .bookmark = true}};
  for (unsigned i = 0; i < 2; i++) {
    struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER, .server = &servers[i], .lists = 4};
    follow(*state, &heard, has_lists);
    for (unsigned j = 1; j < 4; j++)
      assert_true(atomic_load(&servers[i].listed_ns[j]) - atomic_load(&servers[i].listed_ns[j - 1]) >=
                  FEED_PAUSE_LEAST_NS << (j - 1));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_forgotten_is_listed_again),
      cmocka_unit_test(a_server_that_forgets_each_time_is_given_time),
  };
  return cmocka_run_group_tests_name("feed", tests, kube_fixture_setup, kube_fixture_teardown);
}
