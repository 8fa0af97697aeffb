/* Times of requests under a played clock, held against analytic truth: a target that stalls for D seconds in a run of T
 * seconds at a rate, and catches up at another one, has response quantiles that follow from these. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/load/pacer.h"
#include "sdk/base/clock.h"

#define CONNECTIONS 10
#define SERVICE_NS INT64_C(300000) /* of a request that is not stalled */

/* ---- a played target, and a generator that is as exact as the clock */

struct played_connection {
  bool busy;
  int64_t free_ns, done_ns;
  struct shot shot;
};

struct play {
  struct schedule schedule;
  struct tally tally;
  struct pacer pacer;
  struct played_connection connections[CONNECTIONS];
  int64_t stall_ns, stall_end_ns;         /* nothing is answered from the one to the other */
  int64_t own_stall_ns, own_stall_end_ns; /* the generator itself does nothing */
  int64_t now_ns;
};

static void setup_play(struct play *play, double rate, int64_t duration_ns) {
  *play = (struct play){.schedule = {.kind = SCHEDULE_CONSTANT, .rate = rate, .duration_ns = duration_ns},
                        .stall_ns = -1,
                        .own_stall_ns = -1};
  assert_int_equal(tally_init(&play->tally, NULL), 0);
  pacer_begin(&play->pacer, &play->schedule, 0, 1, 0, &play->tally);
}

/* Work that a stall interrupts goes on after it. */
static int64_t done_at(const struct play *play, int64_t sent_ns) {
  int64_t begun_ns = sent_ns;
  if (begun_ns >= play->stall_ns && begun_ns < play->stall_end_ns)
    begun_ns = play->stall_end_ns;
  int64_t done_ns = begun_ns + SERVICE_NS;
  if (begun_ns < play->stall_ns && done_ns > play->stall_ns)
    done_ns += play->stall_end_ns - play->stall_ns;
  return done_ns;
}

static struct played_connection *longest_free(struct play *play) {
  struct played_connection *found = NULL;
  for (int i = 0; i < CONNECTIONS; i++) {
    struct played_connection *next = &play->connections[i];
    if (!next->busy && (!found || next->free_ns < found->free_ns))
      found = next;
  }
  return found;
}

static struct played_connection *next_done(struct play *play) {
  struct played_connection *found = NULL;
  for (int i = 0; i < CONNECTIONS; i++) {
    struct played_connection *next = &play->connections[i];
    if (next->busy && (!found || next->done_ns < found->done_ns))
      found = next;
  }
  return found;
}

static void send_what_is_due(struct play *play) {
  struct played_connection *next;
  while ((next = longest_free(play)) && pacer_take(&play->pacer, play->now_ns, &next->shot)) {
    next->busy = true;
    next->done_ns = done_at(play, play->now_ns);
  }
}

/* To the next moment at which something happens; false when nothing will before `end_ns`. */
static bool advance(struct play *play, int64_t end_ns) {
  const struct played_connection *done = next_done(play);
  int64_t next_ns = longest_free(play) ? pacer_due(&play->pacer) : INT64_MAX;
  if (done && done->done_ns < next_ns)
    next_ns = done->done_ns;
  if (next_ns >= play->own_stall_ns && next_ns < play->own_stall_end_ns)
    next_ns = play->own_stall_end_ns;
  if (next_ns > end_ns)
    return false;
  bool could_send = longest_free(play);
  if (next_ns > play->now_ns)
    play->now_ns = next_ns;
  pacer_notice(&play->pacer, play->now_ns, could_send);
  return true;
}

static void run_play(struct play *play, int64_t end_ns) {
  pacer_notice(&play->pacer, 0, true);
  send_what_is_due(play);
  while (advance(play, end_ns)) {
    struct played_connection *done;
    while ((done = next_done(play)) && done->done_ns <= play->now_ns) {
      pacer_completed(&play->pacer, &done->shot, play->now_ns, 200);
      done->busy = false;
      done->free_ns = play->now_ns;
    }
    send_what_is_due(play);
  }
  for (int i = 0; i < CONNECTIONS; i++)
    if (play->connections[i].busy)
      pacer_censored(&play->pacer, &play->connections[i].shot, end_ns);
  pacer_end(&play->pacer, end_ns);
}

/* ---- against the formulas */

static double quantile_ms(const struct histogram *histogram, double quantile) {
  return (double)histogram_quantile(histogram, quantile) / (double)NS_PER_MS;
}

static void assert_about(const char *what, double actual, double expected, double tolerance) {
  if (fabs(actual - expected) > tolerance)
    fail_msg("%s is %g, and should be %g +- %g", what, actual, expected, tolerance);
}

static void assert_all_accounted_for(const struct play *play, uint64_t scheduled) {
  assert_int_equal(play->tally.scheduled, scheduled);
  assert_int_equal(play->tally.completed + play->tally.failed + play->tally.censored, scheduled);
}

/* Response quantile L_q = D - (1 - q) a T with a = 1 - rate / drain rate, for 1 - q < D / (a T). */
static void a_stall_shows_in_responses_and_not_in_services(void **state) {
  const double rate = 1000, stall_ms = 500, run_ms = 10000;
  const double a = 1 - rate / (CONNECTIONS * 1e9 / (double)SERVICE_NS);
  static const double quantiles[] = {0.96, 0.975, 0.99, 0.999};
  struct play play;
  (void)state;
  setup_play(&play, rate, 10 * NS_PER_SECOND);
  play.stall_ns = 3 * NS_PER_SECOND;
  play.stall_end_ns = play.stall_ns + 500 * NS_PER_MS;
  run_play(&play, 20 * NS_PER_SECOND);
  assert_all_accounted_for(&play, 10000);
  assert_int_equal(play.tally.completed, 10000);
  for (size_t i = 0; i < ARRAY_COUNT(quantiles); i++)
    assert_about("a response quantile", quantile_ms(play.tally.response, quantiles[i]),
                 stall_ms - (1 - quantiles[i]) * a * run_ms, 1.5);
  double mean_ms = histogram_mean(play.tally.response) / (double)NS_PER_MS;
  assert_about("the mean response", mean_ms, 0.3 + stall_ms * stall_ms / (2 * a * run_ms), 0.3);
  assert_about("the longest response", quantile_ms(play.tally.response, 1), stall_ms, 1.5);
  assert_int_equal(play.tally.sent_in_time, 10000);
  assert_int_equal(play.tally.ended_in_time, 10000);
  assert_true(quantile_ms(play.tally.service, 0.99) < 1); /* ten of 10,000 met the stall */
  assert_int_equal(histogram_max(play.tally.lag), 0);
  assert_about("the longest wait", quantile_ms(play.tally.wait, 1), stall_ms - CONNECTIONS,
               1.5); /* the next one after those that met it */
  tally_finish(&play.tally);
}

static void without_a_stall_responses_are_services(void **state) {
  struct play play;
  (void)state;
  setup_play(&play, 1000, 2 * NS_PER_SECOND);
  run_play(&play, 10 * NS_PER_SECOND);
  assert_all_accounted_for(&play, 2000);
  assert_int_equal(histogram_max(play.tally.response), SERVICE_NS);
  assert_int_equal(histogram_min(play.tally.response), SERVICE_NS);
  assert_int_equal(histogram_max(play.tally.service), SERVICE_NS);
  assert_int_equal(histogram_max(play.tally.wait), 0);
  tally_finish(&play.tally);
}

/* Requests that are due when the target has stalled for good are there at the end, with their age. */
static void a_stall_that_crosses_the_end_is_accounted_for(void **state) {
  struct play play;
  (void)state;
  setup_play(&play, 1000, 2 * NS_PER_SECOND);
  play.stall_ns = 1500 * NS_PER_MS;
  play.stall_end_ns = 100 * NS_PER_SECOND;
  run_play(&play, 3 * NS_PER_SECOND);
  assert_all_accounted_for(&play, 2000);
  assert_in_range(play.tally.completed, 1499, 1501);
  assert_int_equal(play.tally.ended_in_time, play.tally.completed);
  assert_int_equal(play.tally.sent_in_time, play.tally.completed + CONNECTIONS);
  assert_about("the oldest one's age in ms", (double)play.tally.oldest_censored_ns / (double)NS_PER_MS, 1500, 1);
  tally_finish(&play.tally);
}

static void a_stall_at_the_start_is_accounted_for(void **state) {
  struct play play;
  (void)state;
  setup_play(&play, 1000, 2 * NS_PER_SECOND);
  play.stall_ns = 0;
  play.stall_end_ns = 400 * NS_PER_MS;
  run_play(&play, 10 * NS_PER_SECOND);
  assert_all_accounted_for(&play, 2000);
  assert_about("the longest response", quantile_ms(play.tally.response, 1), 400.3, 1);
  tally_finish(&play.tally);
}

/* A generator that stops itself is late, and says so: the target has nothing to do with it. */
static void the_generators_own_stall_is_its_own_fault(void **state) {
  struct play play;
  (void)state;
  setup_play(&play, 1000, 2 * NS_PER_SECOND);
  play.own_stall_ns = NS_PER_SECOND;
  play.own_stall_end_ns = NS_PER_SECOND + 200 * NS_PER_MS;
  run_play(&play, 10 * NS_PER_SECOND);
  assert_all_accounted_for(&play, 2000);
  assert_about("the longest lag", quantile_ms(play.tally.lag, 1), 200, 1);
  assert_about("the share that was late", (double)histogram_count_to(play.tally.lag, 0), 2000 - 200, 2);
  tally_finish(&play.tally);
}

static void the_warm_up_is_apart(void **state) {
  struct play play;
  (void)state;
  setup_play(&play, 1000, 3 * NS_PER_SECOND);
  pacer_begin(&play.pacer, &play.schedule, 0, 1, NS_PER_SECOND, &play.tally);
  play.stall_ns = 0; /* all of it during the warm-up */
  play.stall_end_ns = 900 * NS_PER_MS;
  run_play(&play, 10 * NS_PER_SECOND);
  assert_int_equal(play.tally.warm_up, 1000);
  assert_all_accounted_for(&play, 2000);
  assert_int_equal(histogram_count(play.tally.response), 2000);
  assert_int_equal(histogram_count(play.tally.lag), 2000);
  assert_int_equal(histogram_max(play.tally.response), SERVICE_NS);
  tally_finish(&play.tally);
}

static void a_closed_loop_sends_when_a_connection_is_free(void **state) {
  struct play play;
  struct shot shot;
  (void)state;
  setup_play(&play, 1, 2 * NS_PER_SECOND);
  play.schedule.kind = SCHEDULE_CLOSED;
  pacer_begin(&play.pacer, &play.schedule, 0, 1, 0, &play.tally);
  assert_true(pacer_due(&play.pacer) == INT64_MAX);
  pacer_notice(&play.pacer, 5, true);
  assert_true(pacer_take(&play.pacer, 5, &shot));
  assert_int_equal(shot.due_ns, 5);
  pacer_completed(&play.pacer, &shot, 15, 200);
  assert_int_equal(histogram_max(play.tally.service), 10);
  assert_false(pacer_ended(&play.pacer, 2 * NS_PER_SECOND - 1));
  assert_true(pacer_ended(&play.pacer, 2 * NS_PER_SECOND));
  assert_false(pacer_take(&play.pacer, 2 * NS_PER_SECOND, &shot));
  pacer_end(&play.pacer, 2 * NS_PER_SECOND);
  assert_all_accounted_for(&play, 1);
  tally_finish(&play.tally);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_stall_shows_in_responses_and_not_in_services),
      cmocka_unit_test(without_a_stall_responses_are_services),
      cmocka_unit_test(a_stall_that_crosses_the_end_is_accounted_for),
      cmocka_unit_test(a_stall_at_the_start_is_accounted_for),
      cmocka_unit_test(the_generators_own_stall_is_its_own_fault),
      cmocka_unit_test(the_warm_up_is_apart),
      cmocka_unit_test(a_closed_loop_sends_when_a_connection_is_free),
  };
  return cmocka_run_group_tests_name("pacer", tests, NULL, NULL);
}
