#include "run_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct check checks[] = {
    {.kind = CHECK_ALLOWED,
     .requirement = "ACC-02",
     .from = "main/client",
     .to = "main/server",
     .port = 8080,
     .protocol = PROTOCOL_HTTP,
     .method = "GET",
     .path = "/metrics"},
    {.kind = CHECK_DENIED,
     .requirement = "ACC-03",
     .from = "main/other-client",
     .to = "main/server",
     .port = 8080,
     .protocol = PROTOCOL_HTTP,
     .method = "GET",
     .path = "/metrics",
     .h2c = true,
     .headers = (const struct check_header[]){{"x-color", "green"}},
     .header_count = 1},
    {.kind = CHECK_SPLIT,
     .requirement = "SPL-01",
     .from = "main/client",
     .to = "main/root",
     .port = 8080,
     .protocol = PROTOCOL_HTTP,
     .method = "GET",
     .path = "/",
     .connections = CONNECTIONS_FRESH,
     .shares_judged = true,
     .shares = (const struct check_share[]){{"server-v1", 2}, {"server-v2", 1}},
     .share_count = 2},
};

static const struct step steps[2];

static const struct test_case allow = {.id = "access/http/union",
                                       .title = "TrafficTargets for one destination add up",
                                       .why = "Teams each own one.",
                                       .level = CASE_REQUIRED,
                                       .group = SMI_ACCESS,
                                       .requirements = (const char *const[]){"ACC-02", "ACC-03"},
                                       .requirement_count = 2,
                                       .steps = steps,
                                       .step_count = 2};
static const struct test_case header = {.id = "specs/http/headers",
                                        .title = "Headers of a match are AND'd",
                                        .level = CASE_REQUIRED,
                                        .group = SMI_SPECS,
                                        .requirements = (const char *const[]){"SPC-04"},
                                        .requirement_count = 1,
                                        .steps = steps,
                                        .step_count = 1};
static const struct test_case split = {.id = "split/weights",
                                       .title = "Weights are relative",
                                       .level = CASE_REQUIRED,
                                       .group = SMI_SPLIT,
                                       .requirements = (const char *const[]){"SPL-01"},
                                       .requirement_count = 1,
                                       .steps = steps,
                                       .step_count = 1};
static const struct test_case zero = {.id = "split/zero-sum",
                                      .title = "Weights that sum to 0 send nothing",
                                      .level = CASE_INFORMATIVE,
                                      .interpretations = (const int[]){6, 11},
                                      .interpretation_count = 2,
                                      .group = SMI_SPLIT,
                                      .requirements = (const char *const[]){"SPL-04"},
                                      .requirement_count = 1,
                                      .steps = steps,
                                      .step_count = 1};

static const struct version_support support[] = {
    {{SMI_ACCESS, 2}, SUPPORT_TRANSLATED}, {{SMI_ACCESS, 3}, SUPPORT_NATIVE}, {{SMI_SPECS, 3}, SUPPORT_TRANSLATED},
    {{SMI_SPECS, 4}, SUPPORT_TRANSLATED},  {{SMI_SPLIT, 4}, SUPPORT_NATIVE},  {{SMI_METRICS, 1}, SUPPORT_UNSUPPORTED},
};

#define STARTED INT64_C(1714564800250000000) /* 2024-05-01T12:00:00.250Z */
#define MS INT64_C(1000000)

static struct case_column access_column(uint8_t access, uint8_t specs, const char *label) {
  struct case_column column = {.access = {SMI_ACCESS, access}, .specs = {SMI_SPECS, specs}};
  (void)snprintf(column.label, sizeof column.label, "%s", label);
  return column;
}

static struct case_column split_column(uint8_t alpha, const char *label) {
  struct case_column column = {.split = {SMI_SPLIT, alpha}};
  (void)snprintf(column.label, sizeof column.label, "%s", label);
  return column;
}

static void init_cases(struct run_fixture *fixture) {
  struct case_result *cases = fixture->cases;
  cases[FIXTURE_PASSED] = (struct case_result){.test = &allow,
                                               .outcome = OUTCOME_PASSED,
                                               .propagation_ns = 12 * MS,
                                               .column = access_column(2, 3, "access/v1alpha2 specs/v1alpha3"),
                                               .checks = fixture->checks,
                                               .check_count = 1};
  cases[FIXTURE_FAILED] =
      (struct case_result){.test = &allow,
                           .outcome = OUTCOME_FAILED,
                           .propagation_ns = -1,
                           .column = access_column(3, 4, "access/v1alpha3 specs/v1alpha4"),
                           .reason = "ACC-03: expected denied, seen allowed",
                           .cause = "the source of a TrafficTarget is not looked at",
                           .checks = fixture->checks + 1,
                           .check_count = 2,
                           .objects = json_pack("[{s:s,s:[s]}]", "name", "permission-1", "sources", "client")};
  cases[FIXTURE_ERROR] = (struct case_result){.test = &header,
                                              .outcome = OUTCOME_ERROR,
                                              .propagation_ns = -1,
                                              .column = access_column(3, 4, "access/v1alpha3 specs/v1alpha4"),
                                              .reason = "control run: no answer in 30s"};
  cases[FIXTURE_SKIPPED] = (struct case_result){.test = &split,
                                                .outcome = OUTCOME_SKIPPED,
                                                .propagation_ns = -1,
                                                .column = split_column(1, "split/v1alpha1"),
                                                .reason = "the mesh has no traffic splits"};
  cases[FIXTURE_INFORMATIVE] = (struct case_result){.test = &zero,
                                                    .outcome = OUTCOME_INFORMATIVE,
                                                    .propagation_ns = 3 * MS,
                                                    .column = split_column(4, "split/v1alpha4")};
  for (unsigned i = 0; i < FIXTURE_CASES; i++) {
    cases[i].order = FIXTURE_CASES - 1 - i;
    cases[i].started_ns = STARTED + i * MS;
    cases[i].duration_ns = 120 * MS;
  }
}

void run_fixture_init(struct run_fixture *fixture) {
  *fixture = (struct run_fixture){0};
  fixture->checks[0] = (struct check_result){.check = &checks[0],
                                             .held = true,
                                             .expected = "allowed",
                                             .seen = "allowed",
                                             .evidence = json_pack("{s:i}", "status", 200)};
  fixture->checks[1] = (struct check_result){.check = &checks[1],
                                             .step = 1,
                                             .held = false,
                                             .expected = "denied",
                                             .seen = FIXTURE_SEEN,
                                             .evidence = json_pack("{s:i}", "status", 200)};
  fixture->checks[2] = (struct check_result){.check = &checks[2], .step = 1, .held = true};
  init_cases(fixture);
  fixture->run =
      (struct run_result){.id = "run-1",
                          .trammel_version = "0.1.0",
                          .suite = "smi",
                          .adapter_id = "some-adapter",
                          .adapter_version = "1.2.3",
                          .adapter_path = "/usr/lib/trammel/adapters/some.so",
                          .adapter_digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                          .mesh_name = "Some Mesh",
                          .mesh_type = "some",
                          .mesh_version = "4.5.6",
                          .support = support,
                          .support_count = ARRAY_COUNT(support),
                          .lab = "process",
                          .command = "trammel conformance run --mesh some --seed 18446744073709551615",
                          .reproduce = "trammel conformance run --mesh some --seed 18446744073709551615",
                          .config = json_object(),
                          .seed = UINT64_MAX,
                          .started_ns = STARTED,
                          .duration_ns = 3400 * MS,
                          .planned = FIXTURE_CASES,
                          .not_applicable = 2,
                          .cases = fixture->cases,
                          .case_count = FIXTURE_CASES};
}

void run_fixture_finish(struct run_fixture *fixture) {
  for (size_t i = 0; i < FIXTURE_CASES; i++)
    json_decref(fixture->cases[i].objects);
  for (size_t i = 0; i < sizeof fixture->checks / sizeof *fixture->checks; i++)
    json_decref(fixture->checks[i].evidence);
  json_decref(fixture->run.config);
}

void run_fixture_replace(struct run_fixture *fixture, size_t place, size_t other) {
  json_t *objects = json_incref(fixture->cases[other].objects);
  json_decref(fixture->cases[place].objects);
  fixture->cases[place] = fixture->cases[other];
  fixture->cases[place].objects = objects;
}

char *rendered(int (*write)(const struct run_result *run, FILE *out), const struct run_result *run) {
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  assert_int_equal(write(run, out), 0);
  assert_int_equal(fclose(out), 0);
  return text;
}
