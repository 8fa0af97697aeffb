/* The suite is tested, too: each fault of the embedded mesh must fail a run, in the requirement the fault names, and
 * break nothing but that and what follows from it. A suite that broke everything at every fault would name no cause.
 * Where SMI leaves the reading open, the informative case about the requirement must tell. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/faults.h"
#include "tests/integration/conformance/fault_page.h"
#include "tests/support/command.h"
#include "tests/support/leftovers.h"

struct fault {
  const char *name;
  const char *requirement;
};

#define FAULT(enumerator, name, requirement, what) {name, requirement},
static const struct fault faults[] = {REFERENCE_FAULTS(FAULT)};

/* What else a fault breaks, and has to. */
struct collateral {
  const char *fault;
  const char *requirements; /* ANYTHING: whatever chance says */
  bool unjudged;            /* it breaks plain traffic, too: some cases can't be judged */
};

#define ANYTHING "*"
#define EVERY_DENIAL                                                                                                   \
  "ACC-01 ACC-02 ACC-03 ACC-04 ACC-05 ACC-06 ACC-07 ACC-08 ACC-09 ACC-10 ACC-11 ACC-12 ACC-13 ACC-14 "                 \
  "SPC-01 SPC-02 SPC-03 SPC-04 SPC-05 SPC-06 SPC-07 SPC-08 SPC-09"

static const struct collateral collaterals[] = {
    /* Without enforcement no denial holds, whatever it is about. */
    {"allow-by-default", EVERY_DENIAL, false},
    /* Cases deny what no permission of the same namespace is for. */
    {"ignore-destination", "ACC-04 ACC-08 ACC-12 ACC-13 ACC-14 SPC-08", false},
    {"first-target-only", "", false},
    /* Of two targets each opens to the other's source (ACC-02), also after one is deleted (ACC-14); a namespace no
     * longer tells callers apart (ACC-11), nor does a binding (ACC-13), nor an empty list (ACC-04). */
    {"ignore-source", "ACC-02 ACC-04 ACC-11 ACC-13 ACC-14", false},
    {"first-source-only", "ACC-13", false},
    /* One request in a hundred: checks of one request see it by chance. */
    {"leak-denied", ANYTHING, false},
    /* Most matches differ in their path, those of a split's condition (SPL-11) as well. */
    {"ignore-path", "ACC-02 ACC-05 ACC-06 SPC-01 SPC-02 SPC-03 SPC-05 SPC-07 SPC-09 SPL-11", false},
    {"http-rule-opens-tcp", "", false},
    /* Without sources, everyone. */
    {"empty-means-any", "ACC-03", false},
    /* Named matches (ACC-06), alternatives (SPC-05), and those of them that are about paths (SPC-02). */
    {"first-match-only", "ACC-06 SPC-02 SPC-05", false},
    /* Whatever a match is about. */
    {"matches-ignored", "ACC-02 ACC-04 ACC-05 SPC-01 SPC-02 SPC-03 SPC-04 SPC-05 SPC-06 SPC-07 SPC-09", false},
    {"port-route-union", "", false},
    /* The port of older versions is a port of a rule in the mesh; TCP and UDP differ in their ports (ACC-09), and so do
     * the targets that add up for UDP (ACC-02). */
    {"ports-ignored", "ACC-02 ACC-07 ACC-09", false},
    /* TCP and UDP have several ports (ACC-09). */
    {"first-port-only", "ACC-09", false},
    {"ports-as-range", "", false},
    /* For UDP no denial holds, whatever it is about. */
    {"udp-unenforced", "ACC-01 ACC-02 ACC-03 ACC-08 ACC-10 ACC-11 ACC-14", false},
    {"tcp-route-opens-udp", "", false},
    /* A UDPRoute with ports (ACC-08), also where two of them add up (ACC-02). */
    {"udp-ports-ignored", "ACC-02 ACC-08", false},
    {"client-side-only", "", false},
    /* Whatever an allowed request is the control of. */
    {"faked-answer", EVERY_DENIAL, false},
    {"source-namespace-ignored", "ACC-02 ACC-03 ACC-13", false},
    {"foreign-sources-refused", "ACC-13", false},
    {"destination-namespace-ignored", "", false},
    {"identity-is-workload", "ACC-13", false},
    {"allow-kept-after-delete", "", false},
    {"stale-delete", "", false},
    {"deny-kept-after-grant", "", false},
    {"decided-once", "", false},
    /* Whatever is denied on a connection that had a request before, or by HTTP/2 at all. */
    {"h2c-first-stream-only", "ACC-03 ACC-04 SPC-07", false},
    {"h2c-unenforced", "ACC-03 ACC-14 SPC-07", false},
    {"unanchored-path", "", false},
    {"exact-only-path", "", false},
    {"prefix-by-segment", "", false},
    {"query-in-path", "", false},
    {"star-common-only", "", false},
    /* Matches of headers alone (SPC-06), with the rest (SPC-07), and as a split's condition (SPL-11). */
    {"ignore-headers", "SPC-06 SPC-07 SPL-11", false},
    {"headers-ored", "", false},
    {"absent-header-matches", "SPC-06 SPC-07 SPL-11", false},
    {"header-prefix", "", false},
    /* A split's condition may be one (SPL-12). */
    {"headers-alone-ignored", "SPL-12", false},
    /* Matches that differ in their method only: by name (SPC-01), as alternatives (SPC-05). */
    {"ignore-method", "SPC-01 SPC-05", false},
    /* However weights are written. */
    /* Alternatives of a group (ACC-05), by name (ACC-06), and of paths (SPC-02). */
    {"matches-anded", "ACC-05 ACC-06 SPC-02", false},
    /* Whatever a TCP call is the control of. */
    {"any-port-is-none", "ACC-01 ACC-02 ACC-03 ACC-08 ACC-09 ACC-10 ACC-11 ACC-14", false},
    {"split-equal", "SPL-02 SPL-03 SPL-10", false},
    {"split-off-by-5", "SPL-02 SPL-03 SPL-10", false},
    /* A few connections stand for all requests: what that breaks is chance. */
    {"split-sticky-connection", ANYTHING, false},
    {"split-change-cuts", "", false},
    {"split-change-falls-back", "", false},
    {"split-kept-after-delete", "", false},
    {"milli-misread", "", false},
    /* The root's own workload gets what no case wants it to get. */
    {"split-as-percent", "SPL-01 SPL-02 SPL-04 SPL-05 SPL-06 SPL-07 SPL-08 SPL-10 SPL-11 SPL-12 SPL-13", false},
    {"split-overflow", "", false},
    /* Weights of 0 stand beside others where it is shares that are asked for, too (SPL-01). */
    {"split-leak-zero", "SPL-01", false},
    {"split-zero-as-one", "SPL-01", false},
    {"split-lone-zero", "", false},
    {"omitted-backend-served", "SPL-01 SPL-02 SPL-03 SPL-04 SPL-06 SPL-07 SPL-08 SPL-10 SPL-11 SPL-12 SPL-13", false},
    {"port-mismatch-served", "", false},
    /* Each split with a backend whose targetPort differs. */
    {"target-port-ignored", "SPL-01 SPL-02 SPL-03 SPL-04 SPL-05 SPL-11", true},
    {"missing-backend-voids", "", false},
    {"outsiders-split", "", false},
    /* A client's shares are all or nothing, wherever there is a share. */
    {"split-by-client", "SPL-01 SPL-02 SPL-03 SPL-04 SPL-05 SPL-07 SPL-11", false},
    {"split-ignores-matches", "", false},
    {"unmatched-dropped", "", false},
    {"split-first-match-only", "", false},
    {"nested-splits", "", false},
    /* A backend of weight 0 is called by its own name, too (SPL-04). */
    {"direct-traffic-split", "SPL-04", false},
    /* Whatever metrics are of, it is successes and failures that are counted. */
    {"metrics-off-by-one", "MET-03 MET-04 MET-05 MET-06", false},
    {"metrics-success-inverted", "MET-03 MET-04 MET-05 MET-06", false},
    {"metrics-latency-unit", "", false},
    {"metrics-one-pod-only", "", false},
    /* An edge is found in its list by its direction. */
    {"metrics-edges-swapped", "MET-01", false},
    {"metrics-selector-ignored", "", false},
    {"metrics-split-total", "", false},
    /* A selector chooses from a list. */
    {"metrics-list-missing", "MET-05", false},
};

static const struct collateral *collateral_of(const char *fault) {
  for (size_t i = 0; i < sizeof(collaterals) / sizeof(*collaterals); i++)
    if (strcmp(collaterals[i].fault, fault) == 0)
      return &collaterals[i];
  fail_msg("say in the table what else the fault %s breaks", fault);
  return NULL;
}

/* A broken requirement that does not follow from the fault; NULL: none. Identifiers are of one length, so that none is
 * a part of another. */
static const char *stray(const struct fault *fault, const struct collateral *collateral, const json_t *report) {
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(report, "brokenRequirements"), i, item) {
    const char *id = json_string_value(item);
    if (strcmp(collateral->requirements, ANYTHING) != 0 && strcmp(id, fault->requirement) != 0 &&
        !strstr(collateral->requirements, id))
      return id;
  }
  return NULL;
}

static json_int_t count_errors(const json_t *report) {
  return json_integer_value(json_object_get(json_object_get(report, "totals"), "error"));
}

/* The checks that broke a requirement, told. */
static void print_broken(const json_t *report, const char *requirement) {
  size_t i, k;
  const json_t *item, *check;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    json_array_foreach(json_object_get(item, "checks"), k, check) {
      if (json_is_false(json_object_get(check, "held")) &&
          strcmp(json_string_value(json_object_get(check, "requirement")), requirement) == 0)
        print_message("%s in %s: %s; seen: %s\n", requirement, json_string_value(json_object_get(item, "id")),
                      json_string_value(json_object_get(check, "expected")),
                      json_string_value(json_object_get(check, "seen")));
    }
  }
}

static bool names(json_t *list, const char *text) {
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) {
    if (strcmp(json_string_value(item), text) == 0)
      return true;
  }
  return false;
}

/* Whether an informative case about the requirement found that the mesh reads SMI in another way. */
static bool differs(json_t *report, const char *requirement) {
  size_t i, k;
  json_t *item, *check;
  json_array_foreach(json_object_get(report, "cases"), i, item) {
    if (strcmp(json_string_value(json_object_get(item, "outcome")), "informative") != 0)
      continue;
    json_array_foreach(json_object_get(item, "checks"), k, check) {
      if (json_is_false(json_object_get(check, "held")) &&
          strcmp(json_string_value(json_object_get(check, "requirement")), requirement) == 0)
        return true;
    }
  }
  return false;
}

static json_t *run_with(const struct fault *fault, const char *converge, int *ret_exit_code) {
  char setting[128];
  (void)snprintf(setting, sizeof(setting), "fault=%s", fault->name);
  const char *argv[] = {"trammel", "conformance", "run",    "--mesh", "reference", "--set", setting,
                        "-q",      "--converge",  converge, "-o",     "json",      NULL};
  struct command_result result;
  command_run(argv, NULL, 300, &result);
  json_t *report = json_loadb(strbuf_text(&result.out), result.out.length, 0, NULL);
  if (!report)
    fail_msg("%s: no report: %s", fault->name, strbuf_text(&result.errors));
  *ret_exit_code = result.exit_code;
  command_result_finish(&result);
  return report;
}

/* What a fault breaks is mostly never in force, so that a run waits for all of `--converge` many times: it is short. On
 * a machine that is far too busy, what is right may take longer than that; it then gets the time for it. */
static json_t *run_in_time(const struct fault *fault, const struct collateral *collateral, int *ret_exit_code) {
  json_t *report = run_with(fault, "500ms", ret_exit_code);
  const char *id = stray(fault, collateral, report);
  if (!id && (collateral->unjudged || count_errors(report) == 0))
    return report;
  print_message("%s: %s; once more, with more time\n", fault->name, id ? id : "something could not be judged");
  if (id)
    print_broken(report, id);
  json_decref(report);
  return run_with(fault, "4s", ret_exit_code);
}

static void check_fault(void **state) {
  const struct fault *fault = *state;
  const struct collateral *collateral = collateral_of(fault->name);
  char *directory = scratch_create();
  setenv("TRAMMEL_STATE_DIR", directory, 1);
  int exit_code = 0;
  json_t *report = run_in_time(fault, collateral, &exit_code);
  json_t *broken = json_object_get(report, "brokenRequirements");
  char *list = json_dumps(broken, JSON_COMPACT | JSON_ENCODE_ANY);
  bool reading = !names(broken, fault->requirement) && differs(report, fault->requirement);
  print_message("%-30s exit %d, broken: %s%s\n", fault->name, exit_code, list, reading ? ", another reading" : "");
  if (!reading && (exit_code != 1 || !names(broken, fault->requirement)))
    fail_msg("%s survived: exit %d, %s not among the broken %s", fault->name, exit_code, fault->requirement, list);
  const char *id = stray(fault, collateral, report);
  if (id) {
    print_broken(report, id);
    fail_msg("%s broke %s, which does not follow from it", fault->name, id);
  }
  assert_page_says_smi(fault->name, report);
  if (!collateral->unjudged)
    assert_int_equal(count_errors(report), 0);
  free(list);
  json_decref(report);
  assert_no_leftovers(directory);
  scratch_remove(directory);
}

/* With an argument only the faults that it names, as a pattern: "split-*". */
int main(int argc, char **argv) {
  enum { COUNT = sizeof(faults) / sizeof(*faults) };
  struct CMUnitTest tests[COUNT];
  for (size_t i = 0; i < COUNT; i++)
    tests[i] = (struct CMUnitTest){
        .name = faults[i].name,
        .test_func = check_fault,
        .initial_state = (void *)(uintptr_t)&faults[i],
    };
  if (argc > 1)
    cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
