/* The stream of a watch, in any pieces. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/transport/kube/watch_decoder.h"

#define STREAM                                                                                                         \
  "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"1\"}}}\n\r\n"                                   \
  "{\"type\":\"NEWER_THAN_THIS\",\"object\":{}}\n"                                                                     \
  "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"22\"}}}\n"                                   \
  "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"old\"}}\n"

struct seen {
  char text[512];
  int result;
};

static int note(const struct watch_event *event, void *ctx, struct error **err) {
  struct seen *seen = ctx;
  size_t length = strlen(seen->text);

  (void)snprintf(seen->text + length, sizeof(seen->text) - length, "%d %s %u %s;", (int)event->kind,
                 event->version ? event->version : "-", event->code, event->message);
  return seen->result ? error_set(err, -seen->result, "as the test says") : 0;
}

static int feed(const char *text, size_t piece, size_t most, struct seen *seen, struct error **err) {
  struct watch_decoder decoder = {.event_max = most};
  size_t length = strlen(text);
  int r = 0;

  for (size_t at = 0; r == 0 && at < length; at += piece)
    r = watch_decoder_feed(&decoder, text + at, piece < length - at ? piece : length - at, note, seen, err);
  watch_decoder_finish(&decoder);
  return r;
}

static void test_any_pieces(void **state) {
  (void)state;
  for (size_t piece = 1; piece <= sizeof(STREAM); piece++) {
    struct seen seen = {0};
    assert_int_equal(feed(STREAM, piece, 1000, &seen, NULL), 0);
    assert_string_equal(seen.text, "1 1 0 ;4 22 0 ;0 - 410 old;");
  }
}

static void test_a_line_without_its_end_is_no_event(void **state) {
  struct seen seen = {0};

  (void)state;
  assert_int_equal(
      feed("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"1\"}}}", 7, 1000, &seen, NULL), 0);
  assert_string_equal(seen.text, "");
}

static void test_a_long_line(void **state) {
  struct seen seen = {0};

  (void)state;
  assert_int_equal(feed("0123456789\n", 3, 10, &seen, NULL), -EIO);
  assert_int_equal(feed("0123456789a\n", 3, 10, &seen, NULL), -EFBIG);
  assert_int_equal(feed("0123456789a", 100, 10, &seen, NULL), -EFBIG);
}

static void test_what_is_no_event(void **state) {
  static const char *const bad[] = {"x\n",
                                    "[]\n",
                                    "{}\n",
                                    "{\"type\":1,\"object\":{}}\n",
                                    "{\"type\":\"ADDED\"}\n",
                                    "{\"type\":\"ADDED\",\"object\":[]}\n",
                                    "{\"type\":\"ADDED\",\"object\":{}}\n",
                                    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"\"}}}\n"};

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    _cleanup_error_ struct error *err = NULL;
    struct seen seen = {0};
    assert_int_equal(feed(bad[i], 100, 1000, &seen, &err), -EIO);
    assert_string_equal(seen.text, "");
    assert_non_null(strstr(error_message(err), "watch stream"));
  }
}

static void test_a_reader_ends_it(void **state) {
  struct seen seen = {.result = -EDOM};

  (void)state;
  assert_int_equal(feed(STREAM, 1000, 1000, &seen, NULL), -EDOM);
  assert_string_equal(seen.text, "1 1 0 ;");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_any_pieces),       cmocka_unit_test(test_a_line_without_its_end_is_no_event),
      cmocka_unit_test(test_a_long_line),      cmocka_unit_test(test_what_is_no_event),
      cmocka_unit_test(test_a_reader_ends_it),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
