/* The search against targets whose capacity is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/perf/search.h"
#include "sdk/base/memory.h"

/* Takes all rates up to `capacity`. */
static struct search run(struct search search, double capacity) {
  for (double rate; (rate = search_next(&search)) > 0;) {
    assert_true(rate >= search.least && rate <= search.most);
    search_tell(&search, rate, rate <= capacity);
  }
  return search;
}

static void the_capacity_is_between_the_two(void **state) {
  static const double capacities[] = {0.5, 7, 99.9, 100, 100.1, 1234, 987654};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(capacities); i++) {
    struct search found =
        run((struct search){.from = 100, .least = 0.1, .most = 1e7, .precision = 0.02}, capacities[i]);
    assert_true(found.good > 0 && found.good <= capacities[i] && found.bad > capacities[i]);
    assert_true(found.bad <= found.good * 1.02);
    assert_true(found.steps < 32);
  }
}

static void it_ends_at_what_may_be_tried(void **state) {
  (void)state;
  struct search found = run((struct search){.from = 100, .least = 10, .most = 300, .precision = 0.05}, 1e9);
  assert_true(found.good == 300 && found.bad == 0);
  found = run((struct search){.from = 100, .least = 10, .most = 300, .precision = 0.05}, 1);
  assert_true(found.good == 0 && found.bad == 10);
  found = run((struct search){.from = 5, .least = 5, .most = 5, .precision = 0.05}, 5);
  assert_true(found.good == 5 && found.steps == 1);
}

/* A target that contradicts itself must not have it go on for ever, nor say that more is good than was bad. */
static void a_target_of_moods_comes_to_an_end(void **state) {
  struct search search = {.from = 100, .least = 0.1, .most = 1e7, .precision = 0.001};
  unsigned mood = 1;
  (void)state;
  for (double rate; (rate = search_next(&search)) > 0;) {
    mood = mood * 1103515245 + 12345;
    search_tell(&search, rate, mood >> 31);
    assert_true(search.bad == 0 || search.good < search.bad);
  }
  assert_true(search.steps <= SEARCH_STEPS_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_capacity_is_between_the_two),
      cmocka_unit_test(it_ends_at_what_may_be_tried),
      cmocka_unit_test(a_target_of_moods_comes_to_an_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
