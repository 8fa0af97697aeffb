#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/arena.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

static void an_array_grows_and_keeps_what_it_holds(void **state) {
  _cleanup_free_ int *array = NULL;
  size_t capacity = 0;

  (void)state;
  for (int i = 0; i < 1000; i++) {
    assert_int_equal(array_reserve((void **)&array, &capacity, (size_t)i, sizeof(*array)), 0);
    assert_true(capacity > (size_t)i);
    array[i] = i;
  }
  for (int i = 0; i < 1000; i++)
    assert_int_equal(array[i], i);
}

static void an_array_that_cannot_grow_stays_as_it_was(void **state) {
  size_t capacity = SIZE_MAX / 4;
  void *array = &capacity;

  (void)state;
  assert_int_equal(array_reserve(&array, &capacity, capacity, 16), -ENOMEM);
  assert_ptr_equal(array, &capacity);
  assert_true(capacity == SIZE_MAX / 4);
}

static void take_leaves_nothing_behind(void **state) {
  char *text = strdup("x");
  char *taken = take(text);

  (void)state;
  assert_null(text);
  assert_string_equal(taken, "x");
  free(taken);
}

static void arena_memory_is_zeroed_and_aligned(void **state) {
  static const size_t sizes[] = {0, 1, 3, 15, 16, 17, 1000, 1023, 1024, 1025, 5000, 100000, 2000000};
  _cleanup_arena_ struct arena *arena = arena_create(0);
  unsigned char *previous = NULL;

  (void)state;
  for (size_t round = 0; round < 50; round++)
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
      unsigned char *memory = arena_alloc(arena, sizes[i]);

      assert_non_null(memory);
      assert_ptr_not_equal(memory, previous);
      assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
      for (size_t at = 0; at < sizes[i]; at++)
        if (memory[at] != 0)
          fail_msg("byte %zu of %zu is not zero", at, sizes[i]);
      memset(memory, 0xaa, sizes[i]);
      previous = memory;
    }
}

static void an_arena_hands_out_its_limit_and_no_more(void **state) {
  _cleanup_arena_ struct arena *arena = arena_create(112);

  (void)state;
  assert_null(arena_alloc(arena, 113));
  assert_non_null(arena_alloc(arena, 64));
  assert_null(arena_alloc(arena, 49));
  assert_null(arena_printf(arena, "%049d", 1));
  assert_non_null(arena_alloc(arena, 48));
  assert_null(arena_alloc(arena, 1));
  assert_null(arena_strdup(arena, ""));
  assert_null(arena_alloc(arena, 0));
}

/* A million values of one byte take 16 MB, and a large one takes a block of its own. */
static void an_arena_limits_what_is_used_and_not_what_was_asked_for(void **state) {
  _cleanup_arena_ struct arena *arena = arena_create(4096), *large = arena_create(1 << 16);
  size_t count = 0;

  (void)state;
  while (count <= 4096 && arena_alloc(arena, 1))
    count++;
  assert_int_equal(count, 4096 / _Alignof(max_align_t) + 1); /* the last one needs no padding */
  assert_null(arena_alloc(large, 1 << 16));
  assert_non_null(arena_alloc(large, (1 << 16) - 64));
}

static void texts_in_an_arena_lie_side_by_side(void **state) {
  _cleanup_arena_ struct arena *arena = arena_create(4096);
  size_t length = 0;

  (void)state;
  while (length <= 4096 && arena_strdup(arena, "x"))
    length += 2;
  assert_int_equal(length, 4096);
}

static void arena_sizes_that_overflow_are_refused(void **state) {
  _cleanup_arena_ struct arena *arena = arena_create(0);

  (void)state;
  assert_non_null(arena_alloc(arena, 10));
  assert_null(arena_alloc(arena, SIZE_MAX));
  assert_null(arena_alloc(arena, SIZE_MAX - 20));
  assert_null(arena_array(arena, SIZE_MAX / 2, 3));
  assert_null(arena_strndup(arena, "x", SIZE_MAX));
  assert_non_null(arena_array(arena, 3, 5));
}

static void an_array_in_an_arena_grows_within_the_limit(void **state) {
  _cleanup_arena_ struct arena *arena = arena_create(100000);
  int *array = NULL;
  size_t capacity = 0, count = 0;

  (void)state;
  while (arena_reserve(arena, (void **)&array, &capacity, count, sizeof(*array)) == 0) {
    array[count] = (int)count;
    count++;
    assert_in_range(count, 1, capacity);
  }
  assert_in_range(count, 1000, 100000 / sizeof(*array));
  assert_int_equal(capacity, count);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(array[i], (int)i);
  capacity = count = SIZE_MAX / 2 + 1;
  assert_int_equal(arena_reserve(arena, (void **)&array, &capacity, count, 1), -ENOMEM);
}

static void arena_copies_are_strings(void **state) {
  _cleanup_arena_ struct arena *arena = arena_create(0);

  (void)state;
  assert_string_equal(arena_strdup(arena, "text"), "text");
  assert_string_equal(arena_strndup(arena, "text", 2), "te");
  assert_string_equal(arena_printf(arena, "%s-%d", "a", 5), "a-5");
  assert_null(arena_strdup(arena, NULL));
  arena_destroy(NULL);
}

static void a_buffer_is_always_a_string(void **state) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;

  (void)state;
  assert_string_equal(strbuf_text(&buffer), "");
  strbuf_puts(&buffer, "ab");
  strbuf_putc(&buffer, 'c');
  strbuf_printf(&buffer, "%d", 12345);
  strbuf_append(&buffer, NULL, 0);
  assert_string_equal(strbuf_text(&buffer), "abc12345");
  assert_int_equal(buffer.length, 8);
  strbuf_consume(&buffer, 3);
  assert_string_equal(strbuf_text(&buffer), "12345");
  strbuf_consume(&buffer, 99);
  assert_string_equal(strbuf_text(&buffer), "");
  for (size_t i = 0; i < 10000; i++)
    strbuf_printf(&buffer, "%04zu", i);
  assert_int_equal(buffer.length, 40000);
  assert_memory_equal(buffer.data + 39996, "9999", 5);
  strbuf_clear(&buffer);
  assert_string_equal(strbuf_text(&buffer), "");
}

static void a_failed_append_is_remembered(void **state) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;

  (void)state;
  strbuf_puts(&buffer, "kept");
  strbuf_append(&buffer, "x", SIZE_MAX);
  assert_true(strbuf_failed(&buffer));
  strbuf_puts(&buffer, "ignored");
  assert_string_equal(strbuf_text(&buffer), "kept");
  assert_null(strbuf_steal(&buffer));
  assert_false(strbuf_failed(&buffer));
}

static void stealing_leaves_an_empty_buffer(void **state) {
  struct strbuf buffer = STRBUF_INIT;
  char *text;

  (void)state;
  text = strbuf_steal(&buffer);
  assert_string_equal(text, "");
  free(text);
  strbuf_puts(&buffer, "x");
  text = strbuf_steal(&buffer);
  assert_string_equal(text, "x");
  assert_null(buffer.data);
  free(text);
}

static void a_file_is_read_within_a_limit(void **state) {
  enum { SIZE = 100000 };
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  _cleanup_strbuf_ struct strbuf small = STRBUF_INIT;
  FILE *file = tmpfile();

  (void)state;
  assert_non_null(file);
  for (int i = 0; i < SIZE; i++)
    (void)fputc(i % 251, file);
  assert_int_equal(fflush(file), 0);
  assert_int_equal(strbuf_read_file(&buffer, fileno(file), SIZE), 0);
  assert_int_equal(buffer.length, SIZE);
  for (int i = 0; i < SIZE; i++)
    assert_int_equal((unsigned char)buffer.data[i], i % 251);
  assert_int_equal(strbuf_read_file(&buffer, fileno(file), SIZE), 0); /* there is no more */
  assert_int_equal(buffer.length, SIZE);
  assert_int_equal(strbuf_read_file(&small, fileno(file), SIZE - 1), -EFBIG);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(strbuf_read_file(&small, -1, SIZE), -EBADF);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_array_grows_and_keeps_what_it_holds),
      cmocka_unit_test(an_array_that_cannot_grow_stays_as_it_was),
      cmocka_unit_test(take_leaves_nothing_behind),
      cmocka_unit_test(arena_memory_is_zeroed_and_aligned),
      cmocka_unit_test(an_arena_hands_out_its_limit_and_no_more),
      cmocka_unit_test(an_arena_limits_what_is_used_and_not_what_was_asked_for),
      cmocka_unit_test(texts_in_an_arena_lie_side_by_side),
      cmocka_unit_test(arena_sizes_that_overflow_are_refused),
      cmocka_unit_test(an_array_in_an_arena_grows_within_the_limit),
      cmocka_unit_test(arena_copies_are_strings),
      cmocka_unit_test(a_buffer_is_always_a_string),
      cmocka_unit_test(a_failed_append_is_remembered),
      cmocka_unit_test(stealing_leaves_an_empty_buffer),
      cmocka_unit_test(a_file_is_read_within_a_limit),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
