/* MeshMark by the worked examples of docs/meshmark.md, and what its inputs are out of runs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/report/meshmark_report.h"
#include "load_fixture.h"
#include "sdk/base/memory.h"

static void assert_about(double found, double wanted) {
  if (!(fabs(found - wanted) < 0.05))
    fail_msg("%g is not about %g", found, wanted);
}

static void weights_are_one(void **state) {
  double sum = 0;
  (void)state;
  for (size_t i = 0; i < MESHMARK_CLASSES; i++)
    sum += meshmark_classes[i].weight;
  assert_true(fabs(sum - 1) < 1e-12);
}

static void each_class_is_100_without_a_cost_and_falls_with_it(void **state) {
  static const double direct[MESHMARK_CLASSES] = {2, 10, 1000, 0.001, 0, 0};
  static const double worse[MESHMARK_CLASSES] = {3, 15, 500, 0.006, 500, 64};
  (void)state;
  for (unsigned i = 0; i < MESHMARK_CLASSES; i++) {
    assert_true(meshmark_efficiency((enum meshmark_class)i, direct[i], direct[i]) == 100);
    assert_about(meshmark_efficiency((enum meshmark_class)i, direct[i], worse[i]), 50);
    bool more_is_better = i == MESHMARK_THROUGHPUT;
    assert_true(meshmark_efficiency((enum meshmark_class)i, direct[i], more_is_better ? 1e9 : 0) == 100);
    assert_true(meshmark_efficiency((enum meshmark_class)i, direct[i], more_is_better ? 0 : 1e9) < 0.001);
  }
}

/* The two of docs/meshmark.md. */
static void the_worked_examples_are_right(void **state) {
  (void)state;
  struct meshmark_input inputs[MESHMARK_CLASSES] = {{2, 3, NULL},     {10, 15, NULL}, {20000, 12000, NULL},
                                                    {0, 0.001, NULL}, {0, 500, NULL}, {0, 64, NULL}};
  struct meshmark mark = meshmark_make(inputs);
  assert_about(mark.low, 60);
  assert_true(mark.low == mark.high && mark.told == MESHMARK_CLASSES);
  inputs[MESHMARK_PROCESSOR].missing = inputs[MESHMARK_MEMORY].missing = "not given";
  mark = meshmark_make(inputs);
  assert_about(mark.low, 50);
  assert_about(mark.high, 70);
  assert_int_equal(mark.told, MESHMARK_CLASSES - 2);
}

static void nothing_known_is_anything(void **state) {
  struct meshmark_input inputs[MESHMARK_CLASSES];
  (void)state;
  for (size_t i = 0; i < MESHMARK_CLASSES; i++)
    inputs[i] = (struct meshmark_input){NAN, NAN, "not given"};
  struct meshmark mark = meshmark_make(inputs);
  assert_int_equal(mark.told, 0);
  assert_true(mark.low == 0 && mark.high == 100);
}

/* ---- runs */

enum { OPEN_DIRECT, CLOSED_DIRECT, OPEN_MESH, CLOSED_MESH, FIXTURES };

struct both {
  struct load_fixture fixtures[FIXTURES];
  struct load_report reports[FIXTURES];
  struct meshmark_runs runs;
};

static void init(struct both *both) {
  for (unsigned i = 0; i < FIXTURES; i++) {
    bool closed = i == CLOSED_DIRECT || i == CLOSED_MESH;
    load_fixture_init(&both->fixtures[i], closed ? SCHEDULE_CLOSED : SCHEDULE_CONSTANT, i < OPEN_MESH ? 1 : 2);
    both->reports[i] = both->fixtures[i].report;
  }
  both->fixtures[CLOSED_DIRECT].result.tally.completed *= 4;
  both->runs = (struct meshmark_runs){.direct = both->reports,
                                      .mesh = both->reports + OPEN_MESH,
                                      .direct_count = 2,
                                      .mesh_count = 2,
                                      .processor_s = 12,
                                      .memory_mib = 64};
}

static void finish(struct both *both) {
  for (unsigned i = 0; i < FIXTURES; i++)
    load_fixture_finish(&both->fixtures[i]);
}

static void runs_tell_all_classes(void **state) {
  struct both both;
  (void)state;
  init(&both);
  struct meshmark mark = meshmark_of_runs(&both.runs);
  assert_int_equal(mark.told, MESHMARK_CLASSES);
  assert_about(mark.inputs[MESHMARK_MEDIAN].direct, 1.5);
  assert_about(mark.inputs[MESHMARK_MEDIAN].mesh, 3);
  assert_about(mark.efficiencies[MESHMARK_MEDIAN], 100 / 2.5);
  assert_about(mark.efficiencies[MESHMARK_THROUGHPUT], 25);
  assert_about(mark.efficiencies[MESHMARK_RELIABILITY], 100);
  assert_about(mark.inputs[MESHMARK_PROCESSOR].mesh, 500); /* 12 s for 24,000 requests */
  assert_about(mark.efficiencies[MESHMARK_MEMORY], 50);
  finish(&both);
}

/* Statuses of 5xx, failed and censored requests are lost, and those of 4xx that are the target's own are not. */
static void what_has_no_good_answer_is_lost(void **state) {
  struct both both;
  (void)state;
  init(&both);
  struct tally *tally = &both.fixtures[OPEN_MESH].result.tally;
  tally->statuses[503] += 60;
  tally->statuses[404] = 1000;
  both.fixtures[CLOSED_DIRECT].result.tally.statuses[404] = 1;
  struct meshmark mark = meshmark_of_runs(&both.runs);
  assert_true(fabs(mark.inputs[MESHMARK_RELIABILITY].direct - 14.0 / 12009) < 1e-9);
  assert_true(fabs(mark.inputs[MESHMARK_RELIABILITY].mesh - 74.0 / 12009) < 1e-9);
  assert_about(mark.efficiencies[MESHMARK_RELIABILITY], 100 * (1 - 60.0 / 12009 / 0.01));
  finish(&both);
}

static void refuse_all(struct both *both, int status) {
  for (unsigned i = OPEN_MESH; i < FIXTURES; i++) {
    struct tally *tally = &both->fixtures[i].result.tally;
    tally->statuses[200] = tally->statuses[503] = 0;
    tally->statuses[status] = tally->completed;
  }
}

static void assert_untold(const struct meshmark *mark, enum meshmark_class class, const char *why) {
  assert_true(isnan(mark->efficiencies[class]));
  if (!strstr(mark->inputs[class].missing, why))
    fail_msg("'%s' is not '%s'", mark->inputs[class].missing, why);
}

static void what_is_missing_is_told_by_its_reason(void **state) {
  struct both both;
  (void)state;
  init(&both);
  both.runs.processor_s = both.runs.memory_mib = NAN;
  both.runs.mesh_count = 1;
  struct meshmark mark = meshmark_of_runs(&both.runs);
  assert_untold(&mark, MESHMARK_PROCESSOR, "--mesh-processor");
  assert_untold(&mark, MESHMARK_MEMORY, "--mesh-memory");
  assert_untold(&mark, MESHMARK_THROUGHPUT, "closed loop");
  both.fixtures[OPEN_DIRECT].result.doubts = LOAD_DOUBT_LAG;
  mark = meshmark_of_runs(&both.runs);
  assert_untold(&mark, MESHMARK_MEDIAN, "INVALID");
  assert_untold(&mark, MESHMARK_RELIABILITY, "INVALID");
  assert_int_equal(mark.told, 0);
  both.fixtures[OPEN_DIRECT].result.doubts = 0;
  both.fixtures[OPEN_DIRECT].result.target_rate *= 2;
  mark = meshmark_of_runs(&both.runs);
  assert_untold(&mark, MESHMARK_TAIL, "other rates");
  both.fixtures[OPEN_DIRECT].result.target_rate /= 2;
  histogram_clear(both.fixtures[OPEN_MESH].result.tally.response);
  mark = meshmark_of_runs(&both.runs);
  assert_untold(&mark, MESHMARK_TAIL, "too few");
  assert_about(mark.efficiencies[MESHMARK_RELIABILITY], 100);
  finish(&both);
}

/* Refusals are quick. */
static void a_mesh_that_refuses_everything_has_no_mark(void **state) {
  static const int refusals[] = {403, 503};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
    struct both both;
    init(&both);
    refuse_all(&both, refusals[i]);
    struct meshmark mark = meshmark_of_runs(&both.runs);
    assert_about(mark.efficiencies[MESHMARK_THROUGHPUT], 0);
    assert_about(mark.efficiencies[MESHMARK_RELIABILITY], 0);
    assert_untold(&mark, MESHMARK_MEDIAN, "no good answer");
    assert_untold(&mark, MESHMARK_TAIL, "no good answer");
    finish(&both);
  }
}

static void a_call_that_the_mesh_ends_is_lost(void **state) {
  enum { UNAVAILABLE = 14 };
  struct both both;
  (void)state;
  init(&both);
  both.fixtures[OPEN_MESH].result.tally.grpc_statuses[0] = LOAD_FIXTURE_ANSWERED - 60;
  both.fixtures[OPEN_MESH].result.tally.grpc_statuses[UNAVAILABLE] = 60;
  struct meshmark mark = meshmark_of_runs(&both.runs);
  assert_about(mark.efficiencies[MESHMARK_RELIABILITY], 100 * (1 - 60.0 / 12009 / 0.01));
  finish(&both);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_are_one),
      cmocka_unit_test(each_class_is_100_without_a_cost_and_falls_with_it),
      cmocka_unit_test(the_worked_examples_are_right),
      cmocka_unit_test(nothing_known_is_anything),
      cmocka_unit_test(runs_tell_all_classes),
      cmocka_unit_test(what_has_no_good_answer_is_lost),
      cmocka_unit_test(a_mesh_that_refuses_everything_has_no_mark),
      cmocka_unit_test(a_call_that_the_mesh_ends_is_lost),
      cmocka_unit_test(what_is_missing_is_told_by_its_reason),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
