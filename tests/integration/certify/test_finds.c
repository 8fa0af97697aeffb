/* trammel adapter check: each check finds what it is there to find. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/memory.h"
#include "tests/integration/certify/fixture.h"

static const struct flaw {
  const char *adapter, *check, *verdict; /* "not passed" is what all have in common */
  const char *places;                    /* in which that is found: "both", the name of one, or NULL */
  const char *said;                      /* in the reason */
} flaws[] = {
    {"tests/broken-adapters/extra_symbol.so", "load-gate", "failed", "file", "exports the symbol broken_helper"},
    {"tests/broken-adapters/no_note.so", "load-gate", "failed", "file", "no Trammel note"},
    {"tests/broken-adapters/newer_minor.so", "load-gate", "failed", "file", "needs at least ABI 1.9"},
    {"tests/broken-adapters/wrong_id.so", "descriptor", "failed", "file", "its table has the id \"another\""},
    {"tests/broken-adapters/lies_mesh.so", "descriptor", "failed", "file", "mesh_type \"istio\""},
    {"tests/broken-adapters/crash.so", "descriptor", "failed", "file", "killed by SIGSEGV"},
    {"tests/broken-adapters/twice.so", "descriptor", "failed", "file", "more than one message"},
    {"tests/broken-adapters/silent.so", "descriptor", "failed", "file", "OK without a message"},
    {"tests/flawed-adapters/exact.so", "abi-tables", "failed", "in-process", "whose tables are longer"},
    {"tests/flawed-adapters/hasty.so", "abi-tables", "failed", "in-process", "create fails and sets its instance"},
    {"tests/flawed-adapters/eager.so", "abi-tables", "crashed", "in-process", "killed by SIGSEGV"},
    {"tests/flawed-adapters/lingers.so", "abi-calls", "failed", "in-process",
     "Translate sends a message after it has returned"},
    {"tests/flawed-adapters/keeps.so", "abi-calls", "crashed", "in-process", "killed by SIGSEGV"},
    {"tests/flawed-adapters/silent.so", "translation", "failed", "both", "parts of TrafficSplit"},
    {"tests/flawed-adapters/doubles.so", "abi-calls", "failed", "in-process", "Translate sends a second message"},
    {"tests/flawed-adapters/afterthought.so", "abi-calls", "failed", "in-process", "gives a diagnostic after it has"},
    {"tests/flawed-adapters/strays.so", "abi-calls", "failed", "in-process", "Translate returns the status -1"},
    {"tests/flawed-adapters/keeps_config.so", "abi-calls", "crashed", "in-process", "killed by SIGSEGV"},
    {"tests/flawed-adapters/keeps_method.so", "abi-calls", "crashed", "in-process", "killed by SIGSEGV"},
    {"tests/flawed-adapters/drops.so", "translation", "failed", "both", "the first of them /spec/rules/1"},
    {"tests/flawed-adapters/repeats.so", "scale", "failed", "both", "of 9999 of 10000 parts of TrafficTarget"},
    {"tests/flawed-adapters/undeclared.so", "translation", "failed", "both", "the host refuses"},
    {"tests/flawed-adapters/unnamed.so", "translation", "failed", "both", "which the description does not name"},
    {"tests/flawed-adapters/unsteady.so", "determinism", "failed", "both", "translated twice, the answers differ"},
    {"tests/flawed-adapters/placed.so", "determinism", "failed", NULL,
     "in a child are not those that it gives in-process"},
    {"tests/flawed-adapters/shared.so", "threads", "failed", "in-process", "disturb each other"},
    {"tests/flawed-adapters/unsteady.so", "idempotency", "failed", "child", "translated and applied again"},
    {"tests/flawed-adapters/posts.so", "idempotency", "failed", "child", "there is more or other than before"},
    {"tests/flawed-adapters/deaf.so", "cancel", "failed", "in-process", "after a cancel, the next call"},
    {"tests/flawed-adapters/late.so", "deadline", "failed", "in-process", "after its deadline, the next call"},
    {"tests/flawed-adapters/tireless.so", "backpressure", "failed", "in-process",
     "after its receiver stopped listening"},
    {"tests/flawed-adapters/trusting.so", "host-replies", "crashed", "both", "killed by SIGSEGV"},
    {"tests/flawed-adapters/ready.so", "host-replies", "failed", "both", "is ready when it answers with status 301"},
    {"tests/flawed-adapters/own_memory.so", "memory", "skipped", "in-process", "cannot be made to fail"},
    {"tests/flawed-adapters/hurried.so", "backpressure", "failed", "in-process", "a slow receiver gets"},
    {"tests/flawed-adapters/riddles.so", "backpressure", "warning", "in-process", "Invoke of riddle is not tried"},
    {"tests/flawed-adapters/many.so", "abi-calls", "warning", "in-process", "requests are not tried: at most 128"},
    {"tests/flawed-adapters/recalls.so", "host-replies", "skipped", "both", "asked the mesh for anything"},
    {"tests/flawed-adapters/careless.so", "memory", "crashed", "in-process", "killed by SIGSEGV"},
    {"tests/flawed-adapters/less.so", "memory", "failed", "in-process", "returns OK with another answer than usual"},
    {"tests/flawed-adapters/less_events.so", "memory", "failed", "in-process", "Invoke of steps, when allocation"},
    {"tests/flawed-adapters/agrees.so", "requests", "failed", "both", "is answered with OK"},
    {"tests/flawed-adapters/small.so", "scale", "failed", "both", "more than 1000 rules"},
    {"tests/flawed-adapters/picky.so", "config", "warning", "both", "are refused: let the schema say"},
    {"tests/flawed-adapters/mute.so", "config", "failed", "both", "gives no diagnostic"},
    {"tests/flawed-adapters/moody.so", "config", "failed", "both", "create ends with"},
};

/* Of the flaws, every so many: from which on. */
static unsigned part, parts;

static int code_of(const char *verdict) {
  return strcmp(verdict, "failed") == 0 || strcmp(verdict, "crashed") == 0;
}

/* It is found in each place that the table names, and in no other. */
static void require_places(const struct flaw *flaw, const json_t *one) {
  bool both = strcmp(flaw->places, "both") == 0;
  size_t i, found = 0;
  const json_t *place;
  json_array_foreach(json_object_get(one, "places"), i, place) {
    bool here = strcmp(report_text(place, "verdict"), flaw->verdict) == 0;
    if (here != (both || strcmp(report_text(place, "place"), flaw->places) == 0))
      fail_msg("%s: check %s, %s: %s: %s", flaw->adapter, flaw->check, report_text(place, "place"),
               report_text(place, "verdict"), report_text(place, "reason"));
    found += here;
  }
  assert_int_equal(found, both ? 2 : 1);
}

static void find_flaw(const struct flaw *flaw) {
  int code;
  json_t *report = fixture_check(fixture_built(flaw->adapter), flaw->check, &code);
  const json_t *one = report_find(report, flaw->check);
  report_require_schema(report);
  if (code != code_of(flaw->verdict) || strcmp(report_text(one, "verdict"), flaw->verdict) != 0 ||
      !strstr(report_text(one, "reason"), flaw->said))
    fail_msg("%s: check %s: %s (exit code %d), expected %s, '%s': %s", flaw->adapter, flaw->check,
             report_text(one, "verdict"), code, flaw->verdict, flaw->said, report_text(one, "reason"));
  if (flaw->places)
    require_places(flaw, one);
  json_decref(report);
}

static void each_check_finds_what_it_is_for(void **state) {
  (void)state;
  for (size_t i = part - 1; i < ARRAY_COUNT(flaws); i += parts)
    find_flaw(&flaws[i]);
  fixture_require_nothing_left();
}

static void every_check_of_the_program_has_a_flaw_that_it_finds(void **state) {
  int code;
  (void)state;
  json_t *report = fixture_check(fixture_built("tests/broken-adapters/no_note.so"), NULL,
                                 &code); /* quick: what it refuses, it skips */
  size_t i;
  const json_t *one;
  json_array_foreach(json_object_get(report, "checks"), i, one) {
    bool found = false;
    for (size_t k = 0; k < ARRAY_COUNT(flaws) && !found; k++)
      found = strcmp(flaws[k].check, report_text(one, "id")) == 0;
    if (!found)
      fail_msg("no flaw in this test is there for the check %s", report_text(one, "id"));
  }
  json_decref(report);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_check_finds_what_it_is_for),
      cmocka_unit_test(every_check_of_the_program_has_a_flaw_that_it_finds),
  };
  fixture_part(argc, argv, &part, &parts);
  return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
