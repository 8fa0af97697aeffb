/* Kept load results read back: written again they are the same; what is none is refused with its place. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/report/load_kept.h"
#include "load_fixture.h"
#include "sdk/base/memory.h"

static char path[] = "/tmp/load-kept-XXXXXX";

static int make_file(void **state) {
  (void)state;
  int fd = mkstemp(path);
  return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state) {
  (void)state;
  return unlink(path);
}

static json_t *result_of(enum schedule_kind kind) {
  struct load_fixture fixture;
  load_fixture_init(&fixture, kind, 1);
  fixture.report.url = "https://shop.test/é";
  fixture.report.secure = fixture.report.insecure = true;
  fixture.options.schedule.seed = UINT64_MAX;
  fixture.options.schedule.period_ns = 1500000000;
  fixture.options.schedule.rate_step = -5.5;
  fixture.result.doubts = 2 * LOAD_DOUBT_LAST - 1; /* all there are */
  fixture.result.workers = 3;
  fixture.result.losses = calloc(1, sizeof(*fixture.result.losses));
  assert_non_null(fixture.result.losses);
  fixture.result.losses[fixture.result.loss_count++] = (struct load_loss){2, strdup("killed by SIGKILL")};
  fixture.result.problem = strdup("it has no address");
  json_t *json = load_report_json(&fixture.report);
  assert_non_null(json);
  load_fixture_finish(&fixture);
  return json;
}

static void written_again_it_is_the_same(void **state) {
  static const enum schedule_kind kinds[] = {SCHEDULE_CLOSED, SCHEDULE_CONSTANT, SCHEDULE_STEPS, SCHEDULE_POISSON};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
    struct load_kept kept;
    json_t *json = result_of(kinds[i]);
    assert_int_equal(json_dump_file(json, path, 0), 0);
    assert_int_equal(load_kept_read(path, &kept, NULL), 0);
    json_t *again = load_report_json(&kept.report);
    if (!json_equal(json, again))
      fail_msg("%s\nbecame %s", json_dumps(json, 0), json_dumps(again, 0));
    json_decref(again);
    json_decref(json);
    load_kept_finish(&kept);
  }
}

static void no_block_has_more_than_the_run(void **state) {
  struct load_kept kept;
  (void)state;
  json_t *json = result_of(SCHEDULE_CONSTANT);
  assert_int_equal(json_dump_file(json, path, 0), 0);
  assert_int_equal(load_kept_read(path, &kept, NULL), 0);
  const struct tally *tally = &kept.result.tally;
  assert_true(timeline_count(tally->timeline) > 0);
  for (size_t i = 0; i < timeline_count(tally->timeline); i++) {
    _cleanup_(histogram_destroy_p) struct histogram *block = histogram_create();
    timeline_read(tally->timeline, i, block);
    assert_in_range(histogram_min(block), histogram_min(tally->response), histogram_max(tally->response));
    assert_in_range(histogram_max(block), histogram_min(tally->response), histogram_max(tally->response));
  }
  load_kept_finish(&kept);
  json_decref(json);
}

static void assert_refused(const json_t *json, const char *what) {
  struct load_kept kept;
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(json_dump_file(json, path, JSON_ENCODE_ANY), 0);
  assert_int_equal(load_kept_read(path, &kept, &err), -EINVAL);
  if (!strstr(error_message(err), what) || !strstr(error_message(err), path))
    fail_msg("'%s' names neither %s nor %s", error_message(err), path, what);
  load_kept_finish(&kept);
}

static void what_is_no_result_is_refused_with_its_place(void **state) {
  (void)state;
  json_t *json = result_of(SCHEDULE_CONSTANT), *none = json_array();
  assert_refused(none, "trammel.load-result/v1");
  assert_int_equal(json_object_set_new(json, "completed", json_integer(-1)), 0);
  assert_refused(json, "/completed");
  assert_int_equal(json_object_set_new(json, "completed", json_integer(1)), 0);
  json_t *response = json_object_get(json_object_get(json, "latencyMs"), "response");
  assert_int_equal(json_object_set_new(response, "histogram", json_string("HISTFAAA")), 0);
  assert_refused(json, "latencyMs.response.histogram");
  assert_int_equal(json_object_del(json, "latencyMs"), 0);
  assert_refused(json, "latencyMs");
  assert_int_equal(json_object_set_new(json, "format", json_string("trammel.load-result/v9")), 0);
  assert_refused(json, "trammel.load-result/v1");
  json_decref(none);
  json_decref(json);
}

static void what_contradicts_itself_is_refused(void **state) {
  (void)state;
  json_t *json = result_of(SCHEDULE_CONSTANT), *workers = json_object_get(json, "workers");
  assert_int_equal(json_object_set_new(json, "valid", json_true()), 0);
  assert_refused(json, "/valid");
  assert_int_equal(json_object_set_new(json, "valid", json_false()), 0);
  assert_int_equal(json_object_set_new(workers, "count", json_integer(2)), 0);
  assert_refused(json, "/workers/lost/0/worker");
  assert_int_equal(json_object_set_new(workers, "count", json_integer(3)), 0);
  assert_int_equal(json_object_set_new(json, "doubts", json_array()), 0);
  assert_refused(json, "/valid");
  json_decref(json);
}

static void blocks_that_are_none_are_refused(void **state) {
  (void)state;
  json_t *json = result_of(SCHEDULE_CONSTANT);
  json_t *list = json_object_get(json_object_get(json, "blocks"), "histograms");
  assert_int_equal(json_array_set_new(list, 3, json_string("AAAA")), 0);
  assert_refused(json, "blocks.histograms[3]");
  json_decref(json);
}

/* Results of older versions have none of these. */
static void times_that_are_none_are_left_out(void **state) {
  static const char *const times[] = {NULL, "", "yesterday", "9999-12-31T23:59:59Z", "1900-01-01T00:00:00Z"};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
    struct load_kept kept;
    json_t *json = result_of(SCHEDULE_CONSTANT);
    (void)json_object_del(json, "timeoutSeconds");
    if (times[i])
      (void)json_object_set_new(json, "started", json_string(times[i]));
    else
      (void)json_object_del(json, "started");
    assert_int_equal(json_dump_file(json, path, 0), 0);
    assert_int_equal(load_kept_read(path, &kept, NULL), 0);
    assert_int_equal(kept.result.begun_ns, 0);
    json_t *again = load_report_json(&kept.report);
    assert_null(json_object_get(again, "started"));
    json_decref(again);
    load_kept_finish(&kept);
    json_decref(json);
  }
}

static void a_file_that_is_not_there_is_told(void **state) {
  struct load_kept kept;
  _cleanup_error_ struct error *err = NULL;
  (void)state;
  assert_int_equal(load_kept_read("/nowhere/at/all", &kept, &err), -ENOENT);
  assert_non_null(strstr(error_message(err), "/nowhere/at/all"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(written_again_it_is_the_same),
      cmocka_unit_test(what_is_no_result_is_refused_with_its_place),
      cmocka_unit_test(what_contradicts_itself_is_refused),
      cmocka_unit_test(no_block_has_more_than_the_run),
      cmocka_unit_test(blocks_that_are_none_are_refused),
      cmocka_unit_test(times_that_are_none_are_left_out),
      cmocka_unit_test(a_file_that_is_not_there_is_told),
  };
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
