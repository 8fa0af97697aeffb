/* Calls over a socket pair, both sides in one process. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <pthread.h>

#include "host/rpc/core/rpc.h"
#include "sdk/base/clock.h"

enum { BLOCK = 64 * 1024, FLOOD = 200, GRPC_OK = 0, GRPC_CANCELLED = 1, GRPC_DEADLINE = 4, GRPC_UNAVAILABLE = 14 };

static atomic_uint flooded;
static atomic_bool saw_cancel;

static int echo(struct rpc_call *call) {
  uint8_t *data;
  size_t length;
  int r;
  while ((r = rpc_receive(call, NULL, &data, &length)) == 1) {
    r = rpc_send(call, data, length);
    free(data);
    if (r < 0)
      return GRPC_CANCELLED;
  }
  return GRPC_OK;
}

static int wait_for_cancel(struct rpc_call *call) {
  int64_t end = clock_monotonic_ns() + 20 * NS_PER_SECOND;
  while (clock_monotonic_ns() < end && !atomic_load(rpc_call_cancelled(call)))
    (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  atomic_store(&saw_cancel, atomic_load(rpc_call_cancelled(call)));
  return GRPC_CANCELLED;
}

static int flood(struct rpc_call *call) {
  char *block = calloc(1, BLOCK);
  int r = block ? 0 : -ENOMEM;
  for (unsigned i = 0; r == 0 && i < FLOOD; i++) {
    r = rpc_send(call, block, BLOCK);
    atomic_fetch_add(&flooded, r == 0);
  }
  free(block);
  return r == 0 ? GRPC_OK : GRPC_CANCELLED;
}

static int tell_deadline(struct rpc_call *call) {
  int64_t left_ms = (rpc_call_deadline(call) - clock_monotonic_ns()) / NS_PER_MS;
  return rpc_send(call, &left_ms, sizeof left_ms) < 0 ? GRPC_CANCELLED : GRPC_OK;
}

static int count_down(struct rpc_call *call) {
  int r = rpc_send(call, "two", 3);
  if (r == 0)
    r = rpc_send(call, "one", 3);
  rpc_send_last(call, "zero", 4);
  return r < 0 ? GRPC_CANCELLED : GRPC_OK;
}

static int only_last(struct rpc_call *call) {
  rpc_send_last(call, "last", 4);
  return GRPC_OK;
}

/* The header's value, or "none". */
static int tell_header(struct rpc_call *call) {
  char *value = NULL;
  int r = rpc_call_header(call, "authorization", &value);
  const char *text = r == 1 ? value : r == 0 ? "none" : "wrong";
  rpc_call_set_context(call, text);
  r = rpc_send(call, rpc_call_context(call), strlen(text));
  free(value);
  return r < 0 ? GRPC_CANCELLED : GRPC_OK;
}

static int serve(void *ctx, struct rpc_call *call, const char *method, char **ret_text) {
  (void)ctx;
  if (strcmp(method, "/test/Echo") == 0)
    return echo(call);
  if (strcmp(method, "/test/Wait") == 0)
    return wait_for_cancel(call);
  if (strcmp(method, "/test/Flood") == 0)
    return flood(call);
  if (strcmp(method, "/test/Deadline") == 0)
    return tell_deadline(call);
  if (strcmp(method, "/test/CountDown") == 0)
    return count_down(call);
  if (strcmp(method, "/test/OnlyLast") == 0)
    return only_last(call);
  if (strcmp(method, "/test/Header") == 0)
    return tell_header(call);
  *ret_text = strdup("no such method");
  return 12;
}

struct fixture {
  struct rpc_channel *channel;
  pthread_t server;
  int fd; /* of the server */
};

static void *serve_all(void *context) {
  static const struct rpc_service service = {.serve = serve};
  struct error *err = NULL;
  if (rpc_serve(*(int *)context, &service, &err) < 0)
    abort();
  return NULL;
}

/* Without a call, or a word of HTTP/2 at all. */
static void a_connection_without_calls_is_ended(void **state) {
  static const struct rpc_service service = {.serve = serve, .idle_ms = 100};
  int pair[2];
  (void)state;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
  assert_int_equal(rpc_serve(pair[1], &service, NULL), 0);
  (void)close(pair[0]);
}

static int setup(void **state) {
  static struct fixture fixture;
  int pair[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
  fixture.fd = pair[1];
  assert_int_equal(rpc_channel_create(pair[0], &fixture.channel, NULL), 0);
  assert_int_equal(pthread_create(&fixture.server, NULL, serve_all, &fixture.fd), 0);
  *state = &fixture;
  return 0;
}

/* The server ends with the connection. */
static int teardown(void **state) {
  struct fixture *fixture = *state;
  rpc_channel_destroy(fixture->channel);
  assert_int_equal(pthread_join(fixture->server, NULL), 0);
  return 0;
}

static struct rpc_call *start(const struct fixture *fixture, const char *method, int64_t timeout_ms, const char *text) {
  struct rpc_call *call = NULL;
  assert_int_equal(rpc_call_start(fixture->channel, method, clock_monotonic_ns() + timeout_ms * NS_PER_MS, text,
                                  strlen(text), &call),
                   0);
  return call;
}

static void assert_received(struct rpc_call *call, const char *text) {
  uint8_t *data = NULL;
  size_t length = 0;
  assert_int_equal(rpc_receive(call, NULL, &data, &length), 1);
  assert_int_equal(length, strlen(text));
  assert_memory_equal(data, text, length);
  free(data);
}

static void assert_ends(struct rpc_call *call, int code, const char *text) {
  struct rpc_status status;
  rpc_call_finish(call, &status);
  assert_int_equal(status.code, code);
  if (text)
    assert_string_equal(status.text, text);
  free(status.text);
}

static void assert_no_more(struct rpc_call *call) {
  uint8_t *data;
  size_t length;
  assert_int_equal(rpc_receive(call, NULL, &data, &length), 0);
}

static void messages_come_back_in_order(void **state) {
  struct rpc_call *call = start(*state, "/test/Echo", 20000, "first");
  assert_received(call, "first");
  for (int i = 0; i < 100; i++) {
    char text[16];
    (void)snprintf(text, sizeof text, "%d", i);
    assert_int_equal(rpc_send(call, text, strlen(text)), 0);
    assert_received(call, text);
  }
  assert_int_equal(rpc_send(call, "", 0), 0);
  assert_received(call, "");
  rpc_call_destroy(call);
}

static void a_last_message_comes_after_the_others(void **state) {
  struct rpc_call *call = start(*state, "/test/CountDown", 20000, "");
  assert_received(call, "two");
  assert_received(call, "one");
  assert_received(call, "zero");
  assert_no_more(call);
  assert_ends(call, GRPC_OK, NULL);
  rpc_call_destroy(call);
}

static void a_last_message_may_be_the_only_one(void **state) {
  struct rpc_call *call = start(*state, "/test/OnlyLast", 20000, "");
  assert_received(call, "last");
  assert_no_more(call);
  assert_ends(call, GRPC_OK, NULL);
  rpc_call_destroy(call);
}

static void each_call_carries_the_channels_authorization(void **state) {
  const struct fixture *fixture = *state;
  static const char *const values[] = {NULL, "Bearer one", "Bearer two", NULL};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    assert_int_equal(rpc_channel_authorize(fixture->channel, values[i]), 0);
    struct rpc_call *call = start(*state, "/test/Header", 20000, "");
    assert_received(call, values[i] ? values[i] : "none");
    assert_no_more(call);
    assert_ends(call, GRPC_OK, NULL);
    rpc_call_destroy(call);
  }
}

static void a_status_has_its_text(void **state) {
  struct rpc_call *call = start(*state, "/test/Nothing", 20000, "");
  assert_no_more(call);
  assert_ends(call, 12, "no such method");
  rpc_call_destroy(call);
}

static void a_cancel_reaches_who_serves(void **state) {
  atomic_store(&saw_cancel, false);
  struct rpc_call *call = start(*state, "/test/Wait", 20000, "");
  (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  rpc_cancel(call);
  assert_no_more(call);
  assert_ends(call, GRPC_CANCELLED, NULL);
  rpc_call_destroy(call);
  int64_t end = clock_monotonic_ns() + 10 * NS_PER_SECOND;
  while (!atomic_load(&saw_cancel) && clock_monotonic_ns() < end)
    (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  assert_true(atomic_load(&saw_cancel));
}

static void a_deadline_travels_and_ends_the_call(void **state) {
  uint8_t *data = NULL;
  size_t length = 0;
  int64_t left_ms = 0;
  struct rpc_call *call = start(*state, "/test/Deadline", 60000, "");
  assert_int_equal(rpc_receive(call, NULL, &data, &length), 1);
  assert_int_equal(length, sizeof left_ms);
  memcpy(&left_ms, data, sizeof left_ms);
  free(data);
  assert_in_range(left_ms, 30000, 60100);
  rpc_call_destroy(call);

  call = start(*state, "/test/Wait", 50, "");
  assert_no_more(call);
  assert_ends(call, GRPC_DEADLINE, NULL);
  rpc_call_destroy(call);
}

static void who_sends_waits_for_who_reads(void **state) {
  atomic_store(&flooded, 0);
  struct rpc_call *call = start(*state, "/test/Flood", 60000, "");
  (void)nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
  assert_true(atomic_load(&flooded) < FLOOD / 2);
  uint8_t *data;
  size_t length, all = 0;
  while (rpc_receive(call, NULL, &data, &length) == 1) {
    all += length;
    free(data);
  }
  assert_int_equal(all, (size_t)FLOOD * BLOCK);
  assert_ends(call, GRPC_OK, NULL);
  rpc_call_destroy(call);
}

static void a_large_message_passes(void **state) {
  enum { LARGE = 16 << 20 };
  char *large = malloc(LARGE);
  assert_non_null(large);
  for (size_t i = 0; i < LARGE; i++)
    large[i] = (char)(i * 31 >> 3);
  struct rpc_call *call = NULL;
  const struct fixture *fixture = *state;
  assert_int_equal(
      rpc_call_start(fixture->channel, "/test/Echo", clock_monotonic_ns() + 60 * NS_PER_SECOND, large, LARGE, &call),
      0);
  uint8_t *data = NULL;
  size_t length = 0;
  assert_int_equal(rpc_receive(call, NULL, &data, &length), 1);
  assert_int_equal(length, LARGE);
  assert_memory_equal(data, large, LARGE);
  free(data);
  free(large);
  rpc_call_destroy(call);
}

struct caller {
  const struct fixture *fixture;
  bool good;
};

static void *call_often(void *context) {
  struct caller *caller = context;
  caller->good = true;
  for (int i = 0; i < 50; i++) {
    uint8_t *data = NULL;
    size_t length = 0;
    struct rpc_call *call = NULL;
    if (rpc_call_start(caller->fixture->channel, "/test/Echo", clock_monotonic_ns() + 60 * NS_PER_SECOND, &i, sizeof i,
                       &call) < 0)
      abort();
    caller->good = caller->good && rpc_receive(call, NULL, &data, &length) == 1 && length == sizeof i &&
                   memcmp(data, &i, sizeof i) == 0;
    free(data);
    rpc_call_destroy(call);
  }
  return NULL;
}

static void many_call_at_once(void **state) {
  enum { CALLERS = 8 };
  pthread_t threads[CALLERS];
  struct caller callers[CALLERS];
  for (int i = 0; i < CALLERS; i++) {
    callers[i] = (struct caller){.fixture = *state};
    assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
  }
  for (int i = 0; i < CALLERS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(callers[i].good);
  }
}

static void a_side_that_is_gone_ends_the_call(void **state) {
  (void)state;
  int pair[2];
  struct rpc_channel *channel = NULL;
  struct rpc_call *call = NULL;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
  assert_int_equal(rpc_channel_create(pair[0], &channel, NULL), 0);
  assert_int_equal(close(pair[1]), 0);
  assert_int_equal(rpc_call_start(channel, "/test/Echo", clock_monotonic_ns() + 20 * NS_PER_SECOND, "x", 1, &call), 0);
  assert_no_more(call);
  assert_int_equal(rpc_send(call, "y", 1), -ECANCELED);
  assert_ends(call, GRPC_UNAVAILABLE, NULL);
  rpc_call_destroy(call);
  rpc_channel_destroy(channel);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(messages_come_back_in_order, setup, teardown),
      cmocka_unit_test_setup_teardown(a_last_message_comes_after_the_others, setup, teardown),
      cmocka_unit_test_setup_teardown(a_last_message_may_be_the_only_one, setup, teardown),
      cmocka_unit_test_setup_teardown(each_call_carries_the_channels_authorization, setup, teardown),
      cmocka_unit_test_setup_teardown(a_status_has_its_text, setup, teardown),
      cmocka_unit_test_setup_teardown(a_cancel_reaches_who_serves, setup, teardown),
      cmocka_unit_test_setup_teardown(a_deadline_travels_and_ends_the_call, setup, teardown),
      cmocka_unit_test_setup_teardown(who_sends_waits_for_who_reads, setup, teardown),
      cmocka_unit_test_setup_teardown(a_large_message_passes, setup, teardown),
      cmocka_unit_test_setup_teardown(many_call_at_once, setup, teardown),
      cmocka_unit_test(a_side_that_is_gone_ends_the_call),
      cmocka_unit_test(a_connection_without_calls_is_ended),
  };
  return cmocka_run_group_tests_name("rpc core", tests, NULL, NULL);
}
