/* Datagrams in a stream: however the stream's bytes arrive, the same datagrams come out, and nothing comes after what
 * can be none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/mesh/frame.h"
#include "plugins/reference/mesh/limits.h"

/* Reads `bytes` in pieces of `step`, and writes each datagram with a bar after it. Whether all could be read. */
static bool read_all(const char *bytes, size_t size, size_t step, struct strbuf *out) {
  struct frame_reader reader = {0};
  bool good = true;
  for (size_t at = 0; good && at < size; at += step) {
    const char *data = bytes + at, *datagram;
    size_t length = size - at < step ? size - at : step, datagram_size;
    enum frame frame;
    while ((frame = frame_next(&reader, &data, &length, &datagram, &datagram_size)) == FRAME_DATAGRAM) {
      strbuf_append(out, datagram, datagram_size);
      strbuf_putc(out, '|');
    }
    good = frame == FRAME_MORE;
    if (good)
      assert_int_equal(length, 0);
  }
  frame_reader_finish(&reader);
  return good;
}

static void assert_reads(const char *bytes, size_t size, bool good, const char *expected) {
  for (size_t step = 1; step <= size; step++) {
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    assert_int_equal(read_all(bytes, size, step, &out), good);
    assert_string_equal(strbuf_text(&out), expected);
  }
}

static void test_pieces_do_not_matter(void **state) {
  (void)state;
  assert_reads("\0\3one\0\0\0\1x\0\0\0\5three", 19, true, "one||x||three|");
  assert_reads("\0\0", 2, true, "|");
}

static void test_what_is_not_whole_is_not_there(void **state) {
  (void)state;
  assert_reads("\0", 1, true, "");
  assert_reads("\0\3on", 4, true, "");
  assert_reads("\0\1x\0\2y", 6, true, "x|");
}

static void test_the_longest_and_one_more(void **state) {
  (void)state;
  size_t size = FRAME_HEAD + LIMIT_DATAGRAM;
  unsigned char *bytes = calloc(1, size);
  assert_non_null(bytes);
  for (size_t step = 1000; step <= 2 * size; step *= 2) {
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    bytes[0] = LIMIT_DATAGRAM >> 8;
    bytes[1] = LIMIT_DATAGRAM & 255;
    assert_true(read_all((const char *)bytes, size, step, &out));
    assert_int_equal(out.length, LIMIT_DATAGRAM + 1);
    bytes[1]++;
    assert_false(read_all((const char *)bytes, size, step, &out));
  }
  free(bytes);
  assert_reads("\0\2ok\xff\xffwhatever", 14, false, "ok|");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pieces_do_not_matter),
      cmocka_unit_test(test_what_is_not_whole_is_not_there),
      cmocka_unit_test(test_the_longest_and_one_more),
  };
  return cmocka_run_group_tests_name("refmesh_frame", tests, NULL, NULL);
}
