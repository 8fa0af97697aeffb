/* trammel adapter check: what is right passes, and each check finds what it is there to find. */
#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/schema.h"
#include "tests/support/command.h"

#define LIMIT_S 400
#define CHECKS 16

static char *scratch;
static char kept_state[4096];

static int setup(void **state) {
  char path[4096];
  (void)state;
  scratch = scratch_create();
  (void)snprintf(path, sizeof path, "%s/data", scratch);
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", path, 1), 0);
  (void)snprintf(kept_state, sizeof kept_state, "%s/state", scratch); /* what a check leaves behind would be there */
  assert_int_equal(setenv("TRAMMEL_STATE_DIR", kept_state, 1), 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(scratch);
  return 0;
}

static const char *built(const char *name) {
  static char path[4096];
  (void)snprintf(path, sizeof path, "%s/%s", getenv("TRAMMEL_BUILD_DIR"), name);
  return path;
}

static const char *flawed(const char *flaw) {
  char name[128];
  (void)snprintf(name, sizeof name, "tests/flawed-adapters/%s.so", flaw);
  return built(name);
}

/* Runs `trammel adapter check -o json ADAPTER …` and reads the report. */
static json_t *check(const char *adapter, const char *only, int *ret_code) {
  const char *const all[] = {"trammel", "adapter", "check", "-o", "json", "--seed", "7", adapter, NULL};
  const char *const one[] = {"trammel", "adapter", "check", "-o", "json", "--seed", "7", adapter, "--only", only, NULL};
  struct command_result result;
  json_error_t error;
  command_run(only ? one : all, NULL, LIMIT_S, &result);
  json_t *report = json_loads(strbuf_text(&result.out), JSON_REJECT_DUPLICATES, &error);
  if (!report)
    fail_msg("%s: %s\n%s\n%s", adapter, error.text, strbuf_text(&result.out), strbuf_text(&result.errors));
  *ret_code = result.exit_code;
  command_result_finish(&result);
  return report;
}

static const char *text_at(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static const json_t *find_check(const json_t *report, const char *id) {
  size_t i;
  const json_t *one;
  json_array_foreach(json_object_get(report, "checks"), i, one) {
    if (strcmp(text_at(one, "id"), id) == 0)
      return one;
  }
  fail_msg("the report has no check %s", id);
  return NULL;
}

static void require_schema(const json_t *report) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/docs/schema/adapter-check.json", getenv("TRAMMEL_SOURCE_DIR"));
  json_t *schema = json_load_file(path, 0, NULL);
  assert_non_null(schema);
  struct diagnostics *diagnostics = diagnostics_create();
  if (schema_validate(schema, report, NULL, diagnostics) < 0) {
    diagnostics_print(diagnostics, stderr);
    fail_msg("the report does not fit its schema");
  }
  diagnostics_destroy(diagnostics);
  json_decref(schema);
}

static bool is_anything_left(void) {
  return access(kept_state, F_OK) == 0;
}

static void require_nothing_left(void) {
  if (is_anything_left())
    fail_msg("%s was left behind", kept_state);
}

/* What passes; `skipped` is the one check that may be skipped, or NULL. */
static void require_all_passed(const char *adapter, const char *skipped) {
  int code;
  json_t *report = check(adapter, NULL, &code);
  size_t i;
  const json_t *one;
  require_schema(report);
  assert_int_equal(json_array_size(json_object_get(report, "checks")), CHECKS);
  json_array_foreach(json_object_get(report, "checks"), i, one) {
    const char *id = text_at(one, "id"), *verdict = text_at(one, "verdict");
    if (strcmp(verdict, skipped && strcmp(id, skipped) == 0 ? "skipped" : "passed") != 0)
      fail_msg("%s: check %s: %s: %s", adapter, id, verdict, text_at(one, "reason"));
  }
  assert_int_equal(code, 0);
  assert_int_equal(json_integer_value(json_object_get(report, "exitCode")), 0);
  assert_string_equal(text_at(report, "seed"), "7");
  json_decref(report);
  require_nothing_left();
}

static void an_adapter_without_a_flaw_passes_every_check(void **state) {
  (void)state;
  require_all_passed(flawed("sound"), NULL);
}

static void the_reference_adapter_passes(void **state) {
  (void)state;
  require_all_passed(built("lib/trammel/adapters/reference.so"), "backpressure");
}

static void coverage_is_counted_by_requirement(void **state) {
  int code;
  (void)state;
  json_t *report = check(built("lib/trammel/adapters/reference.so"), "translation", &code);
  const json_t *facts = json_object_get(find_check(report, "translation"), "facts");
  assert_true(json_integer_value(json_object_get(facts, "requirementsExact")) >= 30);
  assert_true(json_integer_value(json_object_get(facts, "partsUnsupported")) >= 1); /* of the draft */
  assert_non_null(strstr(text_at(find_check(report, "translation"), "reason"), "approximated in a case of ACC-13"));
  json_decref(report);
}

/* ---- each check finds something */

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

static int code_of(const char *verdict) {
  return strcmp(verdict, "failed") == 0 || strcmp(verdict, "crashed") == 0;
}

/* It is found in each place that the table names, and in no other. */
static void require_places(const struct flaw *flaw, const json_t *one) {
  bool both = strcmp(flaw->places, "both") == 0;
  size_t i, found = 0;
  const json_t *place;
  json_array_foreach(json_object_get(one, "places"), i, place) {
    bool here = strcmp(text_at(place, "verdict"), flaw->verdict) == 0;
    if (here != (both || strcmp(text_at(place, "place"), flaw->places) == 0))
      fail_msg("%s: check %s, %s: %s: %s", flaw->adapter, flaw->check, text_at(place, "place"),
               text_at(place, "verdict"), text_at(place, "reason"));
    found += here;
  }
  assert_int_equal(found, both ? 2 : 1);
}

static void find_flaw(const struct flaw *flaw) {
  int code;
  json_t *report = check(built(flaw->adapter), flaw->check, &code);
  const json_t *one = find_check(report, flaw->check);
  require_schema(report);
  if (code != code_of(flaw->verdict) || strcmp(text_at(one, "verdict"), flaw->verdict) != 0 ||
      !strstr(text_at(one, "reason"), flaw->said))
    fail_msg("%s: check %s: %s (exit code %d), expected %s, '%s': %s", flaw->adapter, flaw->check,
             text_at(one, "verdict"), code, flaw->verdict, flaw->said, text_at(one, "reason"));
  if (flaw->places)
    require_places(flaw, one);
  json_decref(report);
}

static void each_check_finds_what_it_is_for(void **state) {
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(flaws); i++)
    find_flaw(&flaws[i]);
  require_nothing_left();
}

static void every_check_of_the_program_has_a_flaw_that_it_finds(void **state) {
  int code;
  (void)state;
  json_t *report = check(built("tests/broken-adapters/no_note.so"), NULL, &code); /* quick: what it refuses, it skips */
  size_t i;
  const json_t *one;
  json_array_foreach(json_object_get(report, "checks"), i, one) {
    bool found = false;
    for (size_t k = 0; k < ARRAY_COUNT(flaws) && !found; k++)
      found = strcmp(flaws[k].check, text_at(one, "id")) == 0;
    if (!found)
      fail_msg("no flaw in this test is there for the check %s", text_at(one, "id"));
  }
  json_decref(report);
}

static void an_adapter_that_is_refused_is_not_run(void **state) {
  int code;
  (void)state;
  json_t *report = check(built("tests/broken-adapters/no_note.so"), NULL, &code);
  assert_int_equal(code, 1);
  assert_string_equal(text_at(find_check(report, "load-gate"), "verdict"), "failed");
  assert_string_equal(text_at(find_check(report, "descriptor"), "verdict"), "skipped");
  assert_string_equal(text_at(find_check(report, "config"), "verdict"), "skipped");
  assert_int_equal(json_array_size(json_object_get(find_check(report, "config"), "places")), 0);
  require_schema(report);
  json_decref(report);
}

/* ---- the command */

static void require_code(const char *const *argv, int code, const char *said) {
  struct command_result result;
  command_run(argv, NULL, LIMIT_S, &result);
  if (result.exit_code != code || !strstr(strbuf_text(&result.errors), said))
    fail_msg("%s: exit code %d, expected %d with '%s': %s", argv[3], result.exit_code, code, said,
             strbuf_text(&result.errors));
  command_result_finish(&result);
}

static void what_is_no_adapter_is_a_usage_error(void **state) {
  char path[4096];
  (void)state;
  (void)snprintf(path, sizeof path, "%s/text.trm", scratch);
  FILE *out = fopen(path, "we");
  assert_non_null(out);
  assert_true(fputs("no package\n", out) >= 0 && fclose(out) == 0);
  require_code((const char *[]){"trammel", "adapter", "check", path, NULL}, 2, "neither a shared object nor a package");
  require_code((const char *[]){"trammel", "adapter", "check", "/nowhere/x.so", NULL}, 2, "/nowhere/x.so");
  require_code((const char *[]){"trammel", "adapter", "check", scratch, NULL}, 2, "is a directory; name the shared");
  require_code((const char *[]){"trammel", "adapter", "check", "-", NULL}, 2, "standard input cannot be checked");
  require_code((const char *[]){"trammel", "adapter", "check", NULL}, 2, "which adapter?");
  require_code((const char *[]){"trammel", "adapter", "check", "x.so", "--only", "luck", NULL}, 2,
               "there are: load-gate");
  require_code((const char *[]){"trammel", "adapter", "check", "x.so", "--seed", "-1", NULL}, 2, "--seed wants");
  require_code((const char *[]){"trammel", "adapter", "check", flawed("sound"), "--set", "level=9", NULL}, 2, "level");
}

static void the_report_is_text_for_people(void **state) {
  struct command_result result;
  (void)state;
  command_run(
      (const char *[]){"trammel", "adapter", "check", flawed("small"), "--only", "scale", "--only", "load-gate", NULL},
      NULL, LIMIT_S, &result);
  assert_int_equal(result.exit_code, 1);
  assert_non_null(strstr(strbuf_text(&result.out), "passed  load-gate"));
  assert_non_null(strstr(strbuf_text(&result.out), "FAILED  scale"));
  assert_non_null(strstr(strbuf_text(&result.out), "more than 1000 rules"));
  assert_non_null(strstr(strbuf_text(&result.out), "1 passed, 0 warnings, 1 failed"));
  assert_int_equal(result.errors.length, 0); /* progress is for terminals */
  command_result_finish(&result);
}

/* ---- packages, and what is kept */

/* Runs a command that must end with `code`; its output. */
static char *output_of(const char *const *argv, int code) {
  struct command_result result;
  command_run(argv, NULL, LIMIT_S, &result);
  if (result.exit_code != code)
    fail_msg("%s %s: exit code %d, expected %d: %s%s", argv[1], argv[2], result.exit_code, code,
             strbuf_text(&result.out), strbuf_text(&result.errors));
  char *text = strdup(strbuf_text(&result.out));
  command_result_finish(&result);
  assert_non_null(text);
  return text;
}

static void require_said(const char *const *argv, int code, const char *said) {
  char *text = output_of(argv, code);
  if (!strstr(text, said))
    fail_msg("%s %s does not say '%s': %s", argv[1], argv[2], said, text);
  free(text);
}

/* The package of an adapter without a flaw. */
static const char *pack_sound(void) {
  static char path[4096];
  (void)snprintf(path, sizeof path, "%s/sound.trm", scratch);
  free(output_of((const char *[]){"trammel", "adapter", "pack", flawed("sound"), "--licence", "MIT", "-o", path, NULL},
                 0));
  return path;
}

static void the_report_of_a_package_is_kept_and_told(void **state) {
  (void)state;
  const char *package = pack_sound();
  char sound[4096];
  (void)snprintf(sound, sizeof sound, "%s", flawed("sound"));
  /* One that was built, by itself, was checked by an earlier test: this data directory is new. */
  char data[4096], before[4096];
  (void)snprintf(before, sizeof before, "%s", getenv("TRAMMEL_DATA_DIR"));
  (void)snprintf(data, sizeof data, "%s/data-2", scratch);
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", data, 1), 0);
  const char *const install[] = {"trammel", "adapter", "install", "--allow-unsigned", package, NULL};
  const char *const list[] = {"trammel", "adapter", "list", NULL};
  const char *const show[] = {"trammel", "adapter", "show", "flawed", NULL};
  require_said(install, 0, "not checked");
  require_said(list, 0, "    not checked");
  require_said(show, 0, "checked        not checked");

  int code;
  json_t *report = check(package, NULL, &code);
  assert_int_equal(code, 0);
  assert_string_equal(text_at(json_object_get(report, "file"), "kind"), "package");
  require_schema(report);
  require_said(list, 0, "    checked: 16 passed, 0 warnings, 0 failed, by Trammel");
  require_said(show, 0, "checked        16 passed, 0 warnings, 0 failed, by Trammel");
  require_said(install, 0, "    checked: 16 passed");
  require_said((const char *[]){"trammel", "adapter", "list", "-o", "json", NULL}, 0, "\"passed\": 16");

  char kept[4096 + 128];
  (void)snprintf(kept, sizeof kept, "%s/checks/%s.json", data, text_at(json_object_get(report, "file"), "sha256"));
  FILE *out = fopen(kept, "r+e");
  assert_non_null(out);
  assert_true(fputs("damaged", out) >= 0 && fclose(out) == 0);
  require_code(list, 0, "a report of a check is left out");
  require_said(list, 0, "    not checked");
  json_decref(report);
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", before, 1), 0);
}

static void a_part_of_the_checks_is_not_kept(void **state) {
  int code;
  (void)state;
  json_t *report = check(flawed("exact"), "load-gate", &code);
  char kept[4096 + 128];
  (void)snprintf(kept, sizeof kept, "%s/checks/%s.json", getenv("TRAMMEL_DATA_DIR"),
                 text_at(json_object_get(report, "file"), "sha256"));
  assert_int_equal(code, 0);
  assert_int_equal(access(kept, F_OK), -1);
  json_decref(report);
}

/* The package of an adapter without a flaw, with a manifest that was edited. */
static const char *pack_edited(const char *edit) {
  static char edited[4096];
  char script[9000];
  const char *package = pack_sound();
  (void)snprintf(edited, sizeof edited, "%s/edited.trm", scratch);
  (void)snprintf(script, sizeof script,
                 "cd '%s' && rm -rf unpacked && mkdir unpacked && tar -xf '%s' -C unpacked && cd unpacked && "
                 "sed -i '%s' manifest.json && tar --format=ustar -czf '%s' *",
                 scratch, package, edit, edited);
  assert_int_equal(system(script), 0);
  return edited;
}

static void a_package_for_another_machine_cannot_be_checked(void **state) {
  (void)state;
  const char *package = pack_edited("s#\"arch\": *\"[^\"]*\"#\"arch\": \"abacus\"#");
  require_code((const char *[]){"trammel", "adapter", "check", package, NULL}, 3, "it is for linux on abacus");
}

static void where_nothing_can_be_confined_nothing_is_checked(void **state) {
  char trammel[4096], without[4096], sound[4096];
  (void)state;
  (void)snprintf(trammel, sizeof trammel, "%s", built("bin/trammel"));
  (void)snprintf(without, sizeof without, "%s", built("tests/without"));
  (void)snprintf(sound, sizeof sound, "%s", flawed("sound"));
  require_code((const char *[]){without, "landlock", trammel, "adapter", "check", sound, NULL}, 3, "(Landlock)");
  require_code((const char *[]){without, "seccomp", trammel, "adapter", "check", sound, NULL}, 3, "(seccomp)");
  require_said((const char *[]){without, "landlock", trammel, "adapter", "check", "--allow-unconfined", "--only",
                                "determinism", sound, NULL},
               0, "passed  determinism");
}

/* The digests of a package hold its files, not its manifest: unless somebody signs that, it may say anything. */
static void a_manifest_that_says_something_else_is_found(void **state) {
  int code;
  (void)state;
  json_t *report = check(pack_edited("s#/v1/#/v9/#"), "descriptor", &code);
  const json_t *one = find_check(report, "descriptor");
  assert_int_equal(code, 1);
  assert_string_equal(text_at(one, "verdict"), "failed");
  assert_non_null(strstr(text_at(one, "reason"), "pack the adapter again"));
  json_decref(report);
}

/* "nosy" crashes when it finds an environment or an open descriptor that are of the program's user. */
static void an_adapter_sees_nothing_of_its_users(void **state) {
  int code;
  (void)state;
  assert_int_equal(setenv("FLAWED_SECRET", "token", 1), 0);
  assert_int_equal(dup2(1, 77), 77);
  json_t *report = check(flawed("nosy"), "abi-tables", &code);
  const json_t *one = find_check(report, "abi-tables");
  if (strcmp(text_at(one, "verdict"), "passed") != 0)
    fail_msg("%s", text_at(one, "reason"));
  json_decref(report);
  (void)close(77);
  assert_int_equal(unsetenv("FLAWED_SECRET"), 0);
}

static void drop_times(json_t *report) {
  size_t i, k;
  json_t *one, *place;
  (void)json_object_del(report, "date");
  json_array_foreach(json_object_get(report, "checks"), i, one) {
    json_array_foreach(json_object_get(one, "places"), k, place) {
      (void)json_object_del(place, "tookMs");
    }
  }
}

static void the_same_seed_asks_the_same(void **state) {
  int code;
  (void)state;
  json_t *a = check(flawed("moody"), "config", &code), *b = check(flawed("moody"), "config", &code);
  drop_times(a);
  drop_times(b);
  assert_true(json_equal(a, b));
  json_decref(a);
  json_decref(b);
}

/* Its directory is there. */
static bool has_begun(void *ctx) {
  char runs[4096 + 8];
  (void)ctx;
  (void)snprintf(runs, sizeof runs, "%s/runs", kept_state);
  DIR *directory = opendir(runs);
  bool found = false;
  for (const struct dirent *entry; directory && (entry = readdir(directory));)
    found |= entry->d_name[0] != '.';
  if (directory)
    (void)closedir(directory);
  return found;
}

static struct running start_check(void) {
  struct running running =
      command_start((const char *[]){"trammel", "adapter", "check", flawed("deaf"), "--only", "cancel", NULL}, NULL);
  wait_until(has_begun, NULL, 30, "the check to begin");
  return running;
}

static void an_interrupt_ends_it_and_leaves_nothing(void **state) {
  struct command_result result;
  (void)state;
  struct running running = start_check();
  assert_int_equal(kill(running.pid, SIGINT), 0);
  command_wait(&running, 60, &result);
  assert_int_equal(result.exit_code, 3);
  assert_non_null(strstr(strbuf_text(&result.errors), "interrupted"));
  command_result_finish(&result);
  require_nothing_left();
}

/* The process of a check holds the lock, too, and ends a moment later. */
static bool is_cleaned_up(void *ctx) {
  (void)ctx;
  free(output_of((const char *[]){"trammel", "cleanup", NULL}, 0));
  return !is_anything_left();
}

static void what_a_killed_check_leaves_is_taken_by_cleanup(void **state) {
  struct command_result result;
  (void)state;
  struct running running = start_check();
  assert_int_equal(kill(running.pid, SIGKILL), 0);
  command_wait(&running, 60, &result);
  command_result_finish(&result);
  assert_true(is_anything_left());
  wait_until(is_cleaned_up, NULL, 30, "trammel cleanup to take it");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_adapter_without_a_flaw_passes_every_check),
      cmocka_unit_test(the_reference_adapter_passes),
      cmocka_unit_test(coverage_is_counted_by_requirement),
      cmocka_unit_test(each_check_finds_what_it_is_for),
      cmocka_unit_test(every_check_of_the_program_has_a_flaw_that_it_finds),
      cmocka_unit_test(an_adapter_that_is_refused_is_not_run),
      cmocka_unit_test(what_is_no_adapter_is_a_usage_error),
      cmocka_unit_test(the_report_is_text_for_people),
      cmocka_unit_test(the_report_of_a_package_is_kept_and_told),
      cmocka_unit_test(a_part_of_the_checks_is_not_kept),
      cmocka_unit_test(a_manifest_that_says_something_else_is_found),
      cmocka_unit_test(a_package_for_another_machine_cannot_be_checked),
      cmocka_unit_test(where_nothing_can_be_confined_nothing_is_checked),
      cmocka_unit_test(an_adapter_sees_nothing_of_its_users),
      cmocka_unit_test(the_same_seed_asks_the_same),
      cmocka_unit_test(an_interrupt_ends_it_and_leaves_nothing),
      cmocka_unit_test(what_a_killed_check_leaves_is_taken_by_cleanup),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
