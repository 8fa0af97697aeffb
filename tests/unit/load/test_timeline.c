/* A run in blocks: nothing is lost, each value is in the block of its time, and memory has an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/load/histogram_layout.h"
#include "host/load/timeline.h"
#include "sdk/base/clock.h"

/* Of second s: s + 1 values, from 1000 s on, so that a block tells which seconds are in it. */
static void record_second(struct timeline *timeline, int64_t s) {
  for (int64_t i = 0; i <= s % 7; i++)
    timeline_record(timeline, s * NS_PER_SECOND + i, s * 1000 + i);
}

static uint64_t count_of(int64_t begin_s, int64_t end_s) {
  uint64_t count = 0;
  for (int64_t s = begin_s; s < end_s; s++)
    count += (uint64_t)(s % 7) + 1;
  return count;
}

static void assert_blocks(const struct timeline *timeline, int64_t seconds, int64_t block_s) {
  assert_int_equal(timeline_check(timeline), 0);
  assert_int_equal(timeline_block_s(timeline), block_s);
  assert_int_equal(timeline_count(timeline), (seconds + block_s - 1) / block_s);
  for (size_t i = 0; i < timeline_count(timeline); i++) {
    int64_t begin_s = (int64_t)i * block_s, end_s = begin_s + block_s < seconds ? begin_s + block_s : seconds;
    _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
    timeline_read(timeline, i, histogram);
    assert_int_equal(histogram_count(histogram), count_of(begin_s, end_s));
    assert_int_equal(histogram_min(histogram), begin_s * 1000);
    assert_int_equal(histogram_max(histogram), (end_s - 1) * 1000 + (end_s - 1) % 7);
  }
}

static struct timeline *play(int64_t seconds) {
  struct timeline *timeline = timeline_create();
  for (int64_t s = 0; s < seconds; s++)
    record_second(timeline, s);
  timeline_end(timeline);
  return timeline;
}

static void blocks_are_folded_in_pairs_when_they_are_many(void **state) {
  static const struct {
    int64_t seconds, block_s;
  } runs[] = {{1, 1},   {10, 1},  {255, 1},  {256, 1},  {257, 2},  {300, 2},  {511, 2},  {512, 2},
              {513, 4}, {600, 4}, {1023, 4}, {1024, 4}, {1025, 8}, {2048, 8}, {5000, 32}};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(runs); i++) {
    _cleanup_(timeline_destroy_p) struct timeline *timeline = play(runs[i].seconds);
    assert_blocks(timeline, runs[i].seconds, runs[i].block_s);
  }
}

/* Bucket for bucket, against one histogram of all. */
static void nothing_is_lost(void **state) {
  _cleanup_(timeline_destroy_p) struct timeline *timeline = timeline_create();
  _cleanup_(histogram_destroy_p) struct histogram *all = histogram_create(), *sum = histogram_create();
  struct chance {
    uint64_t x;
  } chance = {7};
  (void)state;
  for (int64_t at_ns = 0; at_ns < 700 * NS_PER_SECOND; at_ns += NS_PER_SECOND / 50) {
    chance.x = chance.x * UINT64_C(6364136223846793005) + 1442695040888963407;
    int64_t value = (int64_t)(chance.x >> (20 + chance.x % 40));
    histogram_record(all, value);
    timeline_record(timeline, at_ns, value);
  }
  timeline_end(timeline);
  for (size_t i = 0; i < timeline_count(timeline); i++)
    timeline_read(timeline, i, sum);
  assert_memory_equal(all, sum, sizeof(*all));
}

static void seconds_without_anything_have_their_place(void **state) {
  _cleanup_(timeline_destroy_p) struct timeline *timeline = timeline_create();
  _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
  (void)state;
  timeline_record(timeline, 0, 5);
  timeline_record(timeline, 9 * NS_PER_SECOND, 7);
  timeline_end(timeline);
  assert_int_equal(timeline_count(timeline), 10);
  timeline_read(timeline, 4, histogram);
  assert_int_equal(histogram_count(histogram), 0);
  assert_int_equal(histogram_max(histogram), 0);
}

static void those_of_threads_are_added_whatever_their_lengths(void **state) {
  static const int64_t seconds[] = {600, 10, 300, 0};
  _cleanup_(timeline_destroy_p) struct timeline *sum = timeline_create();
  uint64_t expected = 0, found = 0;
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(seconds); i++) {
    _cleanup_(timeline_destroy_p) struct timeline *part = play(seconds[ARRAY_COUNT(seconds) - 1 - i]);
    timeline_add(sum, part);
    expected += count_of(0, seconds[i]);
  }
  assert_int_equal(timeline_check(sum), 0);
  assert_int_equal(timeline_block_s(sum), 4);
  assert_int_equal(timeline_count(sum), 150);
  for (size_t i = 0; i < timeline_count(sum); i++) {
    _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
    timeline_read(sum, i, histogram);
    found += histogram_count(histogram);
    assert_int_equal(histogram_min(histogram), (int64_t)i * 4000);
  }
  assert_int_equal(found, expected);
}

/* Parts of 3 s, one behind the other: no block has more than is in one second, until there are too many blocks. */
static void a_later_one_is_behind_the_earlier(void **state) {
  enum { PARTS = 100, PART_S = 3 };
  _cleanup_(timeline_destroy_p) struct timeline *sum = timeline_create(), *part = play(PART_S);
  (void)state;
  for (int64_t i = 0; i < PARTS; i++) {
    timeline_add_later(sum, part, i * PART_S * NS_PER_SECOND);
    assert_int_equal(timeline_block_s(sum), (i + 1) * PART_S > TIMELINE_BLOCKS_MAX ? 2 : 1);
  }
  assert_int_equal(timeline_check(sum), 0);
  assert_int_equal(timeline_count(sum), PARTS * PART_S / 2);
  for (size_t i = 0; i < timeline_count(sum); i++) {
    _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
    uint64_t expected = 0;
    for (int64_t s = (int64_t)i * 2; s < (int64_t)i * 2 + 2; s++)
      expected += count_of(s % PART_S, s % PART_S + 1);
    timeline_read(sum, i, histogram);
    assert_int_equal(histogram_count(histogram), expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_folded_in_pairs_when_they_are_many),
      cmocka_unit_test(nothing_is_lost),
      cmocka_unit_test(seconds_without_anything_have_their_place),
      cmocka_unit_test(those_of_threads_are_added_whatever_their_lengths),
      cmocka_unit_test(a_later_one_is_behind_the_earlier),
  };
  return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
