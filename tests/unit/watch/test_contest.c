/* How often what others add is undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/watch/contest.h"

#define SECOND INT64_C(1000000000)
#define START (100000 * SECOND)

/* Undoes it at once for as often as that is allowed; the time then. */
static int64_t fight(struct contest *contest, int64_t now_ns, unsigned rounds) {
  for (unsigned i = 0; i < rounds; i++) {
    assert_true(contest_allows(contest, now_ns));
    contest_note(contest, now_ns);
    now_ns += SECOND;
  }
  assert_false(contest_allows(contest, now_ns));
  return now_ns;
}

static void after_some_rounds_it_rests(void **state) {
  struct contest contest = {0};
  (void)state;
  int64_t now_ns = fight(&contest, START, CONTEST_ROUNDS);
  assert_false(contest_allows(&contest, now_ns + CONTEST_REST_NS - 2 * SECOND));
  now_ns = fight(&contest, now_ns + CONTEST_REST_NS, 1); /* one try, and it rests again */
  (void)fight(&contest, now_ns + CONTEST_REST_NS, 1);
}

static void what_stays_away_is_forgotten(void **state) {
  struct contest contest = {0};
  int64_t now_ns = START;
  (void)state;
  for (unsigned i = 0; i < 4 * CONTEST_ROUNDS; i++) { /* now and then */
    assert_true(contest_allows(&contest, now_ns));
    contest_note(&contest, now_ns);
    now_ns += CONTEST_WITHIN_NS + SECOND;
  }
  now_ns = fight(&contest, now_ns, CONTEST_ROUNDS);
  now_ns = fight(&contest, now_ns + CONTEST_REST_NS, 1);
  (void)fight(&contest, now_ns + CONTEST_REST_NS + CONTEST_WITHIN_NS, CONTEST_ROUNDS); /* it had been over */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(after_some_rounds_it_rests),
                                     cmocka_unit_test(what_stays_away_is_forgotten)};
  return cmocka_run_group_tests_name("contest", tests, NULL, NULL);
}
