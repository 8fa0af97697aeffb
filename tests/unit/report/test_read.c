#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/conformance/suite.h"
#include "host/report/matrix.h"
#include "host/report/report_read.h"
#include "run_fixture.h"
#include "sdk/base/document.h"

static struct run_result *read_back(const char *text) {
  struct run_result *run = NULL;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  assert_non_null(diagnostics);
  if (report_read("kept.json", text, strlen(text), diagnostics, &run) < 0) {
    diagnostics_print(diagnostics, stdout);
    fail_msg("the report is not read back");
  }
  return run;
}

static int text_without_colour(const struct run_result *run, FILE *out) {
  return report_text(run, false, out);
}

typedef int writer(const struct run_result *run, FILE *out);

static void assert_writes_the_same(const struct run_result *run, const struct run_result *again, writer *write) {
  _cleanup_free_ char *first = rendered(write, run);
  _cleanup_free_ char *second = rendered(write, again);
  assert_string_equal(second, first);
}

/* Written, read and written again it is the same in every format. */
static void assert_survives(const struct run_result *run) {
  static writer *const writers[] = {report_json, report_junit, report_markdown, text_without_colour,
                                    report_html, report_badge, report_tap,      report_gateway_api};
  _cleanup_free_ char *kept = rendered(report_json, run);
  _cleanup_report_ struct run_result *again = read_back(kept);
  for (size_t i = 0; i < ARRAY_COUNT(writers); i++)
    assert_writes_the_same(run, again, writers[i]);
}

static void a_report_read_back_is_the_same_in_every_format(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.checks[1].seen = "\x1b[31m<b>&amp;|`x`\x01 \"status\" 200";
  assert_survives(&fixture.run);
  fixture.run.interrupted = true;
  fixture.run.stop_reason = "interrupted";
  fixture.run.mesh_version = NULL;
  fixture.run.seed = 0;
  fixture.run.support_count = 0;
  assert_survives(&fixture.run);
  run_fixture_finish(&fixture);
}

/* JSON is UTF-8: what a mesh said beyond that is repaired once, and stays as it is then. */
static void bytes_that_are_no_text_are_repaired_once(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *kept = rendered(report_json, &fixture.run);
  _cleanup_report_ struct run_result *again = read_back(kept);
  assert_writes_the_same(&fixture.run, again, report_json);
  assert_string_equal(again->cases[FIXTURE_FAILED].checks[0].seen,
                      "\x1b[31m<b>&amp;|`x`\xef\xbf\xbd\x01 \"status\" 200");
  run_fixture_finish(&fixture);
}

static void an_empty_run_is_read_back(void **state) {
  (void)state;
  const struct run_result run = {.suite = "smi"};
  assert_survives(&run);
}

/* A generator of runs; the same seed gives the same run. */
struct generator {
  uint64_t state;
  struct arena *arena;
};

static uint32_t below(struct generator *generator, uint32_t limit) {
  generator->state = generator->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(generator->state >> 33) % limit;
}

static bool sometimes(struct generator *generator) {
  return below(generator, 2) == 1;
}

static const char *some_text(struct generator *generator) {
  static const char *const pieces[] = {"plain",    "\x1b[31m", "\"", "\\",   "\n",  "\t",
                                       "\xc3\xa9", "{}",       "/",  "\x01", "🙂"};
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (uint32_t i = below(generator, 6); i > 0; i--)
    strbuf_puts(&text, pieces[below(generator, ARRAY_COUNT(pieces))]);
  strbuf_puts(&text, "."); /* empty ones are read as absent in some places */
  return arena_strdup(generator->arena, strbuf_text(&text));
}

static const char *perhaps_text(struct generator *generator) {
  return sometimes(generator) ? some_text(generator) : NULL;
}

static json_t *some_json(struct generator *generator, unsigned depth) {
  switch (below(generator, depth > 0 ? 8 : 6)) {
  case 0:
    return json_null();
  case 1:
    return json_boolean(sometimes(generator));
  case 2:
    return json_integer((json_int_t)generator->state);
  case 3:
    return json_real((double)below(generator, 1000000) / (1 + below(generator, 1000)));
  case 4:
    return json_string("x \"\\/\x01 é");
  case 5:
    return json_real(1e300 * (1 + below(generator, 9)));
  case 6: {
    json_t *list = json_array();
    for (uint32_t i = below(generator, 4); i > 0; i--)
      json_array_append_new(list, some_json(generator, depth - 1));
    return list;
  }
  default: {
    json_t *object = json_object();
    for (uint32_t i = below(generator, 4); i > 0; i--) {
      char key[16];
      (void)snprintf(key, sizeof key, "k%u", below(generator, 100));
      json_object_set_new(object, key, some_json(generator, depth - 1));
    }
    return object;
  }
  }
}

static const char *some_requirement(struct generator *generator) {
  return requirement_at(below(generator, (uint32_t)requirement_count()))->id;
}

static void make_check_result(struct generator *generator, const struct test_case *test, const struct check *check,
                              struct check_result *result) {
  *result = (struct check_result){.check = check,
                                  .step = below(generator, (uint32_t)test->step_count),
                                  .held = sometimes(generator),
                                  .expected = perhaps_text(generator),
                                  .seen = perhaps_text(generator),
                                  .evidence = sometimes(generator) ? some_json(generator, 4) : NULL};
}

/* Of one resource, of an edge of it, of a list, or of a split. */
static const struct metrics_expectation *make_metrics(struct generator *generator) {
  struct metrics_expectation *metrics = arena_new(generator->arena, struct metrics_expectation);
  struct metrics_edge *edge = arena_new(generator->arena, struct metrics_edge);
  struct metrics_list_item *items = arena_array(generator->arena, 2, sizeof *items);
  struct metrics_label *labels = arena_array(generator->arena, 2, sizeof *labels);
  struct metrics_split_backend *backends = arena_array(generator->arena, 2, sizeof *backends);
  for (uint32_t i = 0; i < 2; i++) {
    items[i] = (struct metrics_list_item){some_text(generator), {sometimes(generator), 0, 0}};
    items[i].growth.success = items[i].growth.judged ? below(generator, 100) : 0;
    labels[i] = (struct metrics_label){i ? "app" : "tier", some_text(generator)};
    backends[i] = (struct metrics_split_backend){some_text(generator), below(generator, 100)};
  }
  *edge = (struct metrics_edge){some_text(generator), some_text(generator), sometimes(generator), sometimes(generator)};
  *metrics = (struct metrics_expectation){.kind = (enum metrics_kind)(METRICS_POD + below(generator, METRICS_SPLIT)),
                                          .ns = some_text(generator),
                                          .name = perhaps_text(generator),
                                          .edge = sometimes(generator) ? edge : NULL,
                                          .growth = {sometimes(generator), 0, 0},
                                          .latency = sometimes(generator),
                                          .items = items,
                                          .item_count = below(generator, 3),
                                          .selector = labels,
                                          .selector_count = below(generator, 3),
                                          .apex = perhaps_text(generator),
                                          .backends = backends,
                                          .backend_count = below(generator, 3)};
  metrics->growth.failure = metrics->growth.judged ? below(generator, 100) : 0;
  return metrics;
}

static const struct counted *some_counted(struct generator *generator) {
  struct counted *counted = arena_new(generator->arena, struct counted);
  struct counted_server *servers = arena_array(generator->arena, 2, sizeof *servers);
  servers[0] = (struct counted_server){.workload = "a", .least = 1, .most = COUNTED_ANY};
  servers[1] = (struct counted_server){.workload = "b", .least = 7, .most = 7};
  *counted = (struct counted){.succeeded = (int)below(generator, 100),
                              .failed = sometimes(generator) ? COUNTED_ANY : 3,
                              .servers = servers,
                              .server_count = 2,
                              .ordered = sometimes(generator),
                              .more = 1};
  return counted;
}

static void make_check(struct generator *generator, const struct test_case *test, struct check_result *result) {
  struct check *check = arena_new(generator->arena, struct check);
  struct check_share *shares = arena_array(generator->arena, 3, sizeof *shares);
  struct check_header *headers = arena_array(generator->arena, 2, sizeof *headers);
  check->kind = (enum check_kind)(CHECK_ALLOWED + below(generator, CHECK_KIND_LAST));
  check->requirement = some_requirement(generator);
  if (!check_calls(check)) {
    check->resource = (struct resource_name){SMI_TRAFFIC_TARGET + below(generator, 6), "allow"};
    make_check_result(generator, test, check, result);
    return;
  }
  *check = (struct check){
      .kind = check->kind,
      .requirement = check->requirement,
      .from = some_text(generator),
      .to = some_text(generator),
      .port = (uint16_t)below(generator, 65536),
      .protocol = (enum protocol)(PROTOCOL_HTTP + below(generator, 3)),
      .method = perhaps_text(generator),
      .path = perhaps_text(generator),
      .headers = headers,
      .header_count = below(generator, 3),
      .direct = sometimes(generator),
      .keep = perhaps_text(generator),
  };
  for (size_t i = 0; i < check->header_count; i++)
    headers[i] = (struct check_header){some_text(generator), some_text(generator)};
  if (check->kind == CHECK_SPLIT) {
    check->connections = (enum check_connections)below(generator, CONNECTIONS_LAST + 1);
    check->shares_judged = sometimes(generator);
    check->shares = shares;
    check->share_count = 2 + below(generator, 2);
    for (size_t i = 0; i < check->share_count; i++)
      shares[i] = (struct check_share){some_text(generator), 1 + below(generator, 100)};
  } else {
    check->repeat = below(generator, 100);
  }
  if (check->kind == CHECK_METRICS) {
    check->metrics = make_metrics(generator);
    check->failing = below(generator, 100);
    check->answer = 200 + below(generator, 200);
  }
  if (check->kind == CHECK_COUNTED)
    check->counted = some_counted(generator);
  make_check_result(generator, test, check, result);
}

static struct test_case *make_test(struct generator *generator) {
  struct test_case *test = arena_new(generator->arena, struct test_case);
  const char **requirements = arena_array(generator->arena, 3, sizeof *requirements);
  int *numbers = arena_array(generator->arena, 2, sizeof *numbers);
  for (size_t i = 0; i < 3; i++)
    requirements[i] = some_requirement(generator);
  for (size_t i = 0; i < 2; i++)
    numbers[i] = 1 + (int)below(generator, (uint32_t)interpretation_last());
  *test = (struct test_case){
      .id = arena_printf(generator->arena, "access/http/case-%u", below(generator, 1000)),
      .title = perhaps_text(generator),
      .why = perhaps_text(generator),
      .level = sometimes(generator) ? CASE_REQUIRED : CASE_INFORMATIVE,
      .group = (enum smi_group)(SMI_ACCESS + below(generator, 4)),
      .requirements = requirements,
      .requirement_count = 1 + below(generator, 3),
      .interpretations = numbers,
      .interpretation_count = below(generator, 3),
      .step_count = 1 + below(generator, 4),
  };
  return test;
}

static void make_case(struct generator *generator, struct case_result *result) {
  struct test_case *test = make_test(generator);
  struct check_result *checks = arena_array(generator->arena, 4, sizeof *checks);
  *result = (struct case_result){
      .test = test,
      .column = {.access = {SMI_ACCESS, (uint8_t)(1 + below(generator, 4))},
                 .specs = {SMI_SPECS, (uint8_t)(1 + below(generator, 4))},
                 .metrics = {SMI_METRICS, (uint8_t)below(generator, 2)}},
      .order = below(generator, 1000),
      .outcome = (enum outcome)(OUTCOME_PASSED + below(generator, OUTCOME_ERROR)),
      .reason = perhaps_text(generator),
      .cause = perhaps_text(generator),
      .started_ns = (int64_t)below(generator, UINT32_MAX) * 4 * 1000000000 + below(generator, 1000) * INT64_C(1000000),
      .duration_ns = (int64_t)(generator->state % (uint64_t)(REPORT_CASE_NS_MAX + 1)),
      .propagation_ns = sometimes(generator) ? (int64_t)below(generator, UINT32_MAX) : -1,
      .checks = checks,
      .check_count = below(generator, 5),
      .resources = sometimes(generator) ? some_json(generator, 6) : NULL,
      .objects = sometimes(generator) ? some_json(generator, 6) : NULL,
      .coverage = sometimes(generator) ? some_json(generator, 2) : NULL,
  };
  result->held = result->outcome == OUTCOME_INFORMATIVE && sometimes(generator);
  (void)snprintf(result->column.label, sizeof result->column.label, "access/v1alpha%u specs/v1alpha%u",
                 result->column.access.alpha, result->column.specs.alpha);
  for (size_t i = 0; i < result->check_count; i++)
    make_check(generator, test, &checks[i]);
}

static void release_cases(struct case_result *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < cases[i].check_count; k++)
      json_decref(cases[i].checks[k].evidence);
    json_decref(cases[i].resources);
    json_decref(cases[i].objects);
    json_decref(cases[i].coverage);
  }
}

static void any_run_is_read_back(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 100; seed++) {
    _cleanup_arena_ struct arena *arena = arena_create(0);
    assert_non_null(arena);
    struct generator generator = {.state = seed * 977, .arena = arena};
    struct case_result cases[6];
    const char *tested[2] = {some_requirement(&generator), some_requirement(&generator)};
    const struct version_support support[] = {
        {{SMI_METRICS, 1}, (enum support)(SUPPORT_UNSUPPORTED + below(&generator, 3))},
        {{SMI_SPLIT, 4}, (enum support)(SUPPORT_UNSUPPORTED + below(&generator, 3))}};
    struct run_result run = {
        .id = some_text(&generator),
        .trammel_version = some_text(&generator),
        .suite = some_text(&generator),
        .tested = tested,
        .tested_count = below(&generator, 3),
        .support = support,
        .support_count = below(&generator, 3),
        .adapter_id = some_text(&generator),
        .adapter_version = perhaps_text(&generator),
        .mesh_name = some_text(&generator),
        .mesh_version = perhaps_text(&generator),
        .lab = some_text(&generator),
        .command = perhaps_text(&generator),
        .reproduce = perhaps_text(&generator),
        .config = sometimes(&generator) ? json_object() : NULL,
        .seed = generator.state,
        .started_ns = below(&generator, UINT32_MAX) * INT64_C(1000000000),
        .duration_ns = below(&generator, UINT32_MAX),
        .interrupted = sometimes(&generator),
        .stop_reason = perhaps_text(&generator),
        .planned = (unsigned)(generator.state >> 40),
        .not_applicable = below(&generator, 20),
        .cases = cases,
        .case_count = below(&generator, 7),
    };
    for (size_t i = 0; i < run.case_count; i++)
      make_case(&generator, &cases[i]);
    assert_survives(&run);
    release_cases(cases, run.case_count);
    json_decref(run.config);
  }
}

/* Capability counts what the suite has cases for, not what the run chose: the report remembers which those are. */
static void capability_needs_no_suite(void **state) {
  (void)state;
  struct suite *suite = NULL;
  assert_int_equal(suite_load("smi", NULL, NULL, &suite, NULL), 0);
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  fixture.run.source = suite;
  unsigned proved = 0;
  unsigned total = 0;
  assert_int_equal(run_capability(&fixture.run, SMI_SPLIT, &proved, &total), CAPABILITY_NONE);
  assert_true(total > 5);
  _cleanup_free_ char *kept = rendered(report_json, &fixture.run);
  _cleanup_report_ struct run_result *again = read_back(kept);
  assert_null(again->source);
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++) {
    unsigned proved_again = 0;
    unsigned total_again = 0;
    enum capability capability = run_capability(&fixture.run, group, &proved, &total);
    assert_int_equal(run_capability(again, group, &proved_again, &total_again), capability);
    assert_int_equal(proved_again, proved);
    assert_int_equal(total_again, total);
  }
  _cleanup_free_ char *second = rendered(report_json, again);
  assert_string_equal(second, kept);
  run_fixture_finish(&fixture);
  suite_destroy(suite);
}

/* What an older version wrote lacks the newer members. */
static void a_report_without_the_newer_members_is_read(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *kept = rendered(report_json, &fixture.run);
  json_t *value = json_loads(kept, 0, NULL);
  assert_non_null(value);
  static const char *const newer[] = {"reproduce", "testedRequirements", "smi", "interpretations"};
  for (size_t i = 0; i < ARRAY_COUNT(newer); i++)
    assert_int_equal(json_object_del(value, newer[i]), 0);
  size_t i;
  json_t *one;
  json_array_foreach(json_object_get(value, "cases"), i, one) assert_int_equal(json_object_del(one, "steps"), 0);
  char *old = json_dumps(value, 0);
  _cleanup_report_ struct run_result *run = read_back(old);
  assert_int_equal(run->case_count, FIXTURE_CASES);
  assert_int_equal(run->cases[FIXTURE_FAILED].test->step_count, 2);
  assert_null(run->reproduce);
  unsigned total = 0;
  (void)run_capability(run, SMI_ACCESS, NULL, &total);
  assert_int_equal(total, 2);
  free(old);
  json_decref(value);
  run_fixture_finish(&fixture);
}

/* Reads the fixture's report with `from` replaced by `to`; it must be refused with this code, pointer and line. */
static void assert_refused(const char *from, const char *to, const char *code, const char *pointer) {
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *kept = rendered(report_json, &fixture.run);
  run_fixture_finish(&fixture);
  char *at = strstr(kept, from);
  assert_non_null(at);
  unsigned line = 1;
  for (const char *c = kept; c < at; c++)
    line += *c == '\n';
  _cleanup_strbuf_ struct strbuf changed = STRBUF_INIT;
  strbuf_append(&changed, kept, (size_t)(at - kept));
  strbuf_puts(&changed, to);
  strbuf_puts(&changed, at + strlen(from));
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct run_result *run = NULL;
  assert_int_equal(report_read("kept.json", changed.data, changed.length, diagnostics, &run), -EINVAL);
  assert_null(run);
  assert_true(diagnostics_count(diagnostics) >= 1);
  const struct diagnostic *diagnostic = diagnostics_at(diagnostics, 0);
  assert_string_equal(diagnostic->code, code);
  assert_string_equal(diagnostic->position.file, "kept.json");
  if (pointer) {
    assert_string_equal(diagnostic->pointer, pointer);
    assert_int_equal(diagnostic->position.line, line);
  }
}

static void what_does_not_fit_is_refused_where_it_stands(void **state) {
  (void)state;
  assert_refused("conformance-report/v1", "conformance-report/v2", "SCHEMA-0003", "/format");
  assert_refused("\"order\": 4", "\"order\": 4.0", "SCHEMA-0001", "/cases/0/order");
  assert_refused("\"order\": 4", "\"order\": 4294967296", "REPORT-0003", "/cases/0/order");
  assert_refused("\"18446744073709551615\"", "\"18446744073709551616\"", "REPORT-0003", "/seed");
  assert_refused("\"2024-05-01T12:00:00.250Z\"", "\"2024-02-30T12:00:00.250Z\"", "REPORT-0003", "/started");
  assert_refused("\"2024-05-01T12:00:00.250Z\"", "\"9999-01-01T00:00:00.000Z\"", "REPORT-0003", "/started");
  assert_refused("\"id\": \"access/http/union\"", "\"id\": \"<script>\"", "REPORT-0003", "/cases/0/id");
  assert_refused("\"label\": \"access/v1alpha2", "\"label\": \"`access/v1alpha2", "REPORT-0003",
                 "/cases/0/column/label");
  assert_refused("\"specs\": \"v1alpha3\"", "\"specs\": \"v1alpha9\"", "REPORT-0003", "/cases/0/column/specs");
  assert_refused("\"durationNs\": 120000000", "\"durationNs\": 172800000000001", "REPORT-0003", "/cases/0/durationNs");
  assert_refused("\"outcome\": \"passed\"", "\"outcome\": \"excellent\"", "SCHEMA-0002", "/cases/0/outcome");
  assert_refused("\"suite\": \"smi\",", "", "SCHEMA-0004", NULL);
  assert_refused("\"steps\": 2", "\"steps\": 4294967295", "REPORT-0003", "/cases/0/steps");
  assert_refused("\"tolerance\": \"exact\",", "\"tolerance\": \"loose\",", "SCHEMA-0002",
                 "/cases/1/checks/1/tolerance");
  assert_refused("\"cases\": [", "\"cases\": ", "DOC-0004", NULL);
}

/* Without it the sample would have to be computed from shares that nothing vouches for. */
static void a_split_without_its_sample_is_refused(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *kept = rendered(report_json, &fixture.run);
  json_t *value = json_loads(kept, 0, NULL);
  json_t *failed = json_array_get(json_object_get(value, "cases"), FIXTURE_FAILED);
  assert_int_equal(json_object_del(json_array_get(json_object_get(failed, "checks"), 1), "repeat"), 0);
  char *changed = json_dumps(value, 0);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct run_result *run = NULL;
  assert_int_equal(report_read(NULL, changed, strlen(changed), diagnostics, &run), -EINVAL);
  assert_string_equal(diagnostics_at(diagnostics, 0)->code, "REPORT-0002");
  assert_string_equal(diagnostics_at(diagnostics, 0)->pointer, "/cases/1/checks/1");
  free(changed);
  json_decref(value);
  run_fixture_finish(&fixture);
}

/* Steps are counted in the file, and not believed where checks say otherwise. */
static void a_counted_check_without_counters_is_refused(void **state) {
  static const char *const broken[] = {NULL, "{\"succeeded\": -1}", "{\"more\": [\"a\", \"a\"]}", "{}"};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
    struct run_fixture fixture;
    run_fixture_init(&fixture);
    _cleanup_free_ char *kept = rendered(report_json, &fixture.run);
    json_t *value = json_loads(kept, 0, NULL);
    json_t *failed = json_array_get(json_object_get(value, "cases"), FIXTURE_FAILED);
    json_t *check = json_array_get(json_object_get(failed, "checks"), 0);
    assert_int_equal(json_object_set_new(check, "kind", json_string("counted")), 0);
    if (broken[i])
      assert_int_equal(json_object_set_new(check, "counted", json_loads(broken[i], 0, NULL)), 0);
    char *changed = json_dumps(value, 0);
    struct run_result *run = NULL;
    assert_int_equal(report_read(NULL, changed, strlen(changed), NULL, &run), -EINVAL);
    free(changed);
    json_decref(value);
    run_fixture_finish(&fixture);
  }
}

static void a_check_beyond_the_last_step_is_refused(void **state) {
  (void)state;
  assert_refused("\"step\": 1,", "\"step\": 3,", "REPORT-0003", NULL);
}

static void too_many_cases_are_refused(void **state) {
  (void)state;
  struct run_fixture fixture;
  run_fixture_init(&fixture);
  _cleanup_free_ char *kept = rendered(report_json, &fixture.run);
  json_t *value = json_loads(kept, 0, NULL);
  json_t *cases = json_object_get(value, "cases");
  for (size_t i = json_array_size(cases); i <= REPORT_CASES_MAX; i++)
    assert_int_equal(json_array_append(cases, json_array_get(cases, FIXTURE_SKIPPED)), 0);
  char *changed = json_dumps(value, 0);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct run_result *run = NULL;
  assert_int_equal(report_read(NULL, changed, strlen(changed), diagnostics, &run), -EINVAL);
  assert_string_equal(diagnostics_at(diagnostics, 0)->code, "REPORT-0004");
  free(changed);
  json_decref(value);
  run_fixture_finish(&fixture);
}

static void deep_nesting_is_refused(void **state) {
  (void)state;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (int i = 0; i < 100000; i++)
    strbuf_puts(&text, "[");
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct run_result *run = NULL;
  assert_true(report_read(NULL, text.data, text.length, diagnostics, &run) < 0);
  assert_true(diagnostics_have_error(diagnostics));
}

static void a_file_that_is_not_there_is_an_error_for_people(void **state) {
  (void)state;
  struct run_result *run = NULL;
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(report_read_file("/nonexistent/report.json", NULL, &run, &err), -ENOENT);
  assert_non_null(strstr(error_message(err), "/nonexistent/report.json"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_report_read_back_is_the_same_in_every_format),
      cmocka_unit_test(bytes_that_are_no_text_are_repaired_once),
      cmocka_unit_test(an_empty_run_is_read_back),
      cmocka_unit_test(any_run_is_read_back),
      cmocka_unit_test(capability_needs_no_suite),
      cmocka_unit_test(a_report_without_the_newer_members_is_read),
      cmocka_unit_test(what_does_not_fit_is_refused_where_it_stands),
      cmocka_unit_test(a_split_without_its_sample_is_refused),
      cmocka_unit_test(a_counted_check_without_counters_is_refused),
      cmocka_unit_test(a_check_beyond_the_last_step_is_refused),
      cmocka_unit_test(too_many_cases_are_refused),
      cmocka_unit_test(deep_nesting_is_refused),
      cmocka_unit_test(a_file_that_is_not_there_is_an_error_for_people),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
