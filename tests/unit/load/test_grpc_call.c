/* What a target answers to a call of gRPC, in pieces of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/load/grpc_call.h"
#include "sdk/base/memory.h"

static void take_all(struct grpc_call *call, const void *data, size_t length, size_t piece) {
  for (size_t at = 0; at < length; at += piece)
    grpc_call_take(call, (const uint8_t *)data + at, length - at < piece ? length - at : piece);
}

static void set_status(struct grpc_call *call, const char *name, const char *value) {
  grpc_call_field(call, (const uint8_t *)name, strlen(name), (const uint8_t *)value, strlen(value));
}

static void messages_are_counted_however_they_come(void **state) {
  static const char bytes[] = "\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\1x";
  (void)state;
  for (size_t piece = 1; piece < sizeof(bytes); piece++) {
    struct grpc_call call = {0};
    take_all(&call, bytes, sizeof(bytes) - 1, piece);
    set_status(&call, "grpc-status", "0");
    assert_true(grpc_call_end(&call, 200));
    assert_int_equal(call.messages, 3);
    assert_int_equal(call.status, GRPC_STATUS_OK);
  }
}

static void what_is_cut_or_compressed_is_none(void **state) {
  static const char cut[] = "\0\0\0\0\3ab", prefix[] = "\0\0\0", compressed[] = "\1\0\0\0\1x";
  (void)state;
  struct grpc_call call = {.has_status = true};
  take_all(&call, cut, sizeof(cut) - 1, 2);
  assert_false(grpc_call_end(&call, 200));
  call = (struct grpc_call){.has_status = true};
  take_all(&call, prefix, sizeof(prefix), 4);
  assert_false(grpc_call_end(&call, 200));
  call = (struct grpc_call){.has_status = true};
  take_all(&call, compressed, sizeof(compressed) - 1, 6);
  assert_false(grpc_call_end(&call, 200));
}

static void a_status_is_a_number_that_has_a_name(void **state) {
  static const struct {
    const char *text, *name;
  } statuses[] = {{"0", "OK"},
                  {"4", "DEADLINE_EXCEEDED"},
                  {"14", "UNAVAILABLE"},
                  {"16", "UNAUTHENTICATED"},
                  {"17", "OTHER"},
                  {"", "OTHER"},
                  {"-1", "OTHER"},
                  {"1x", "OTHER"},
                  {"x", "OTHER"},
                  {"016", "UNAUTHENTICATED"},
                  {"4294967296", "OTHER"}};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
    struct grpc_call call = {0};
    set_status(&call, "grpc-message", "5");
    set_status(&call, "grpc-status", statuses[i].text);
    assert_true(grpc_call_end(&call, 200));
    assert_string_equal(grpc_status_name(call.status), statuses[i].name);
  }
}

static void what_is_on_the_way_has_a_status_by_that_of_http(void **state) {
  static const struct {
    unsigned http;
    const char *name;
  } statuses[] = {{400, "INTERNAL"},    {401, "UNAUTHENTICATED"}, {403, "PERMISSION_DENIED"}, {404, "UNIMPLEMENTED"},
                  {429, "UNAVAILABLE"}, {503, "UNAVAILABLE"},     {500, "UNKNOWN"},           {302, "UNKNOWN"}};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
    struct grpc_call call = {0};
    assert_true(grpc_call_end(&call, statuses[i].http));
    assert_string_equal(grpc_status_name(call.status), statuses[i].name);
  }
  struct grpc_call call = {0};
  assert_false(grpc_call_end(&call, 200));
  set_status(&call, "grpc-status", "5");
  assert_true(grpc_call_end(&call, 503));
  assert_string_equal(grpc_status_name(call.status), "NOT_FOUND");
}

static bool serves(const char *bytes, size_t length) {
  struct grpc_call call = {.has_status = true};
  take_all(&call, bytes, length, 3);
  return grpc_call_end(&call, 200) && grpc_call_serves(&call);
}

static void only_one_answer_says_that_it_serves(void **state) {
  (void)state;
  assert_true(serves("\0\0\0\0\2\x08\1", 7));
  assert_false(serves("\0\0\0\0\2\x08\2", 7));
  assert_false(serves("\0\0\0\0\0", 5));
  assert_false(serves("\0\0\0\0\3\x08\1x", 8));
  assert_false(serves("", 0));
  assert_false(serves("\0\0\0\0\2\x08\1\0\0\0\0\2\x08\1", 14));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_are_counted_however_they_come),
      cmocka_unit_test(what_is_cut_or_compressed_is_none),
      cmocka_unit_test(a_status_is_a_number_that_has_a_name),
      cmocka_unit_test(what_is_on_the_way_has_a_status_by_that_of_http),
      cmocka_unit_test(only_one_answer_says_that_it_serves),
  };
  return cmocka_run_group_tests_name("grpc_call", tests, NULL, NULL);
}
