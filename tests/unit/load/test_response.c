/* Responses, cut at every byte and damaged in every way that has a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/load/response.h"

static const char with_length[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
static const char chunked[] = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n";
static const char interim[] = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
static const char to_the_end[] = "HTTP/1.1 200 OK\r\n\r\nas long as it is";
static const char closing[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
static const char of_head[] = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";

struct taken {
  struct response response;
  int result;
  enum load_error error;
};

/* In pieces of `piece` bytes; `closed`: and then the connection. */
static struct taken take_all(const char *text, size_t length, size_t piece, bool head, bool closed) {
  struct taken taken = {.result = 0};
  response_begin(&taken.response, head);
  for (size_t at = 0; at < length && taken.result == 0; at += piece)
    taken.result = response_take(&taken.response, text + at, piece < length - at ? piece : length - at, &taken.error);
  if (taken.result == 0 && closed)
    taken.result = response_take(&taken.response, "", 0, &taken.error);
  return taken;
}

static void assert_answer(const char *text, bool head, bool closed, unsigned status, bool kept) {
  size_t length = strlen(text);
  for (size_t piece = 1; piece <= length; piece++) {
    struct taken taken = take_all(text, length, piece, head, closed);
    assert_int_equal(taken.result, 0);
    assert_true(taken.response.done);
    assert_int_equal(taken.response.status, status);
    assert_int_equal(taken.response.kept, kept);
  }
}

static void answers_are_whole_however_they_come(void **state) {
  (void)state;
  assert_answer(with_length, false, false, 200, true);
  assert_answer(chunked, false, false, 404, true);
  assert_answer(interim, false, false, 204, true);
  assert_answer(to_the_end, false, true, 200, false);
  assert_answer(closing, false, false, 200, false);
  assert_answer(of_head, true, false, 200, true);
  assert_answer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false, false, 200, false);
}

static void an_answer_that_is_cut_is_none(void **state) {
  static const char *const texts[] = {with_length, chunked, interim, closing};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
    for (size_t length = 0; length < strlen(texts[i]); length++) {
      struct taken taken = take_all(texts[i], length, length + 1, false, true);
      assert_int_equal(taken.result, 1);
      assert_int_equal(taken.error, LOAD_ERROR_CLOSED);
      assert_false(taken.response.done);
    }
}

static void assert_broken(const char *text, enum load_error error) {
  struct taken taken = take_all(text, strlen(text), 7, false, false);
  assert_int_equal(taken.result, 1);
  assert_int_equal(taken.error, error);
}

static void what_is_no_answer_is_malformed(void **state) {
  (void)state;
  assert_broken("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", LOAD_ERROR_MALFORMED);
  assert_broken("HTTP/1.1 twohundred OK\r\n\r\n", LOAD_ERROR_MALFORMED);
  assert_broken("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", LOAD_ERROR_MALFORMED);
  assert_broken("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", LOAD_ERROR_MALFORMED);
  assert_broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", LOAD_ERROR_MALFORMED);
  assert_broken("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n", LOAD_ERROR_MALFORMED);
  assert_broken("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", LOAD_ERROR_MALFORMED);
}

static void headers_without_an_end_are_too_long(void **state) {
  struct response response;
  enum load_error error;
  int result;
  unsigned lines = 0;
  (void)state;
  response_begin(&response, false);
  result = response_take(&response, "HTTP/1.1 200 OK\r\n", 17, &error);
  while (result == 0 && lines++ < 100000)
    result = response_take(&response, "X-More: and more\r\n", 18, &error);
  assert_int_equal(result, 1);
  assert_int_equal(error, LOAD_ERROR_TOO_LONG);
}

static void a_connection_carries_one_answer_after_the_other(void **state) {
  struct response response;
  enum load_error error;
  (void)state;
  for (int i = 0; i < 3; i++) {
    response_begin(&response, false);
    assert_int_equal(response_take(&response, with_length, strlen(with_length), &error), 0);
    assert_true(response.done);
  }
  assert_int_equal(response_take(&response, "x", 1, &error), 1);
  assert_int_equal(error, LOAD_ERROR_MALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_are_whole_however_they_come),
      cmocka_unit_test(an_answer_that_is_cut_is_none),
      cmocka_unit_test(what_is_no_answer_is_malformed),
      cmocka_unit_test(headers_without_an_end_are_too_long),
      cmocka_unit_test(a_connection_carries_one_answer_after_the_other),
  };
  return cmocka_run_group_tests_name("response", tests, NULL, NULL);
}
