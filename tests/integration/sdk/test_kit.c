/* trammel adapter new and trammel adapter test, as a writer of an adapter uses them. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/command.h"

struct fixture {
  char *scratch;
  char careless[4096]; /* the adapter of careless.c */
};

static int setup(void **state) {
  static struct fixture fixture;
  fixture.scratch = scratch_create();
  (void)snprintf(fixture.careless, sizeof fixture.careless, "%s/tests/sdk-adapters/careless.so",
                 getenv("TRAMMEL_BUILD_DIR"));
  *state = &fixture;
  return 0;
}

static int teardown(void **state) {
  scratch_remove(((struct fixture *)*state)->scratch);
  return 0;
}

static void path_in(const struct fixture *fixture, const char *name, char ret_path[4096]) {
  (void)snprintf(ret_path, 4096, "%s/%s", fixture->scratch, name);
}

static void write_file(const struct fixture *fixture, const char *name, const char *text) {
  char path[4096];
  path_in(fixture, name, path);
  FILE *out = fopen(path, "we");
  assert_non_null(out);
  assert_true(fputs(text, out) >= 0 && fclose(out) == 0);
}

/* NULL when it is not there; a heap string. */
static char *read_file(const struct fixture *fixture, const char *name) {
  char path[4096], *text = NULL;
  size_t capacity = 0;
  path_in(fixture, name, path);
  FILE *in = fopen(path, "re");
  if (in && getdelim(&text, &capacity, '\0', in) < 0) {
    free(text);
    text = NULL;
  }
  if (in)
    (void)fclose(in);
  return text;
}

static void write_split(const struct fixture *fixture, const char *name) {
  char file[64], text[512];
  (void)snprintf(file, sizeof file, "%s.yaml", name);
  (void)snprintf(text, sizeof text,
                 "apiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata: {name: %s}\n"
                 "spec: {service: a, backends: [{service: b, weight: 1}]}\n",
                 name);
  write_file(fixture, file, text);
}

/* `trammel adapter test` of the careless adapter over the scratch folder; the text it printed is a heap string. */
static char *test_run(const struct fixture *fixture, const char *option, int expected_code) {
  const char *argv[] = {"trammel", "adapter", "test", fixture->careless, fixture->scratch, option, NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  if (result.exit_code != expected_code)
    fail_msg("exit code %d\n%s%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  strbuf_puts(&result.out, strbuf_text(&result.errors));
  char *text = strdup(strbuf_text(&result.out));
  assert_non_null(text);
  command_result_finish(&result);
  return text;
}

static void says(const char *text, const char *part) {
  if (!strstr(text, part))
    fail_msg("expected \"%s\" in:\n%s", part, text);
}

/* Runs, wants each of the parts (NULL-terminated) in what is printed, and frees that. */
static void run_says(const struct fixture *fixture, const char *option, int code, const char *const *parts) {
  char *text = test_run(fixture, option, code);
  for (; *parts; parts++)
    says(text, *parts);
  free(text);
}
#define PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_translation_is_recorded_and_then_holds(void **state) {
  const struct fixture *fixture = *state;
  write_split(fixture, "steady");
  run_says(fixture, NULL, 1, PARTS("ABSENT", "steady.yaml", "--update", "0 passed, 1 failed"));
  assert_null(read_file(fixture, "steady.json"));
  run_says(fixture, "--update", 0, PARTS("written", "1 written"));
  char *recorded = read_file(fixture, "steady.json");
  assert_non_null(recorded);
  says(recorded, "\"PUT /x\"");
  says(recorded, "\"greeting\": \"hello\"");
  says(recorded, "\"complete\": true");
  run_says(fixture, NULL, 0, PARTS("ok ", "1 passed, 0 failed"));
  run_says(fixture, "--update", 0, PARTS("1 passed, 0 failed, 0 written"));
  free(recorded);
}

static void a_difference_is_shown_and_nothing_written(void **state) {
  const struct fixture *fixture = *state;
  write_split(fixture, "steady");
  free(test_run(fixture, "--update", 0));
  write_file(fixture, "setup.yaml", "config: {greeting: moin}\n");
  char *before = read_file(fixture, "steady.json");
  run_says(fixture, NULL, 1, PARTS("DIFFERS", "-        \"greeting\": \"hello\"", "+        \"greeting\": \"moin\""));
  char *after = read_file(fixture, "steady.json");
  assert_string_equal(before, after);
  free(before);
  free(after);
}

static void one_bad_file_does_not_hide_the_others(void **state) {
  const struct fixture *fixture = *state;
  write_split(fixture, "steady");
  free(test_run(fixture, "--update", 0));
  write_split(fixture, "crashing"); /* before the others, by its name */
  write_split(fixture, "failing");
  write_split(fixture, "unsteady");
  write_file(fixture, "broken.yaml", "kind: [\n");
  write_file(fixture, "wrong.yaml",
             "apiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata: {name: w}\nspec: {backends: 1}\n");
  run_says(fixture, NULL, 1,
           PARTS("crashing.yaml", "killed by SIGABRT", "the table of tables is full", "translated twice",
                 "broken.yaml:", "not valid SMI", "SMI-00", "1 passed, 5 failed"));
  /* Also with --update: what could not be translated is not recorded. */
  run_says(fixture, "--update", 1, PARTS("1 passed, 5 failed, 0 written"));
  assert_null(read_file(fixture, "unsteady.json"));
}

static void results_are_json_for_programs(void **state) {
  const struct fixture *fixture = *state;
  write_split(fixture, "steady");
  write_split(fixture, "failing");
  const char *argv[] = {"trammel", "adapter", "test", fixture->careless, fixture->scratch, "-o", "json", NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  assert_int_equal(result.exit_code, 1);
  json_t *list = json_loads(strbuf_text(&result.out), 0, NULL);
  assert_int_equal(json_array_size(list), 2);
  assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "verdict")), "broken");
  assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "verdict")), "absent");
  says(json_string_value(json_object_get(json_array_get(list, 1), "file")), "steady.yaml");
  json_decref(list);
  command_result_finish(&result);
}

static void what_cannot_be_run_is_bad_input(void **state) {
  const struct fixture *fixture = *state;
  run_says(fixture, NULL, 2, PARTS("nothing to translate"));
  write_split(fixture, "steady");
  write_file(fixture, "setup.yaml", "topologie: {}\n");
  run_says(fixture, NULL, 2, PARTS("SETUP-0001", "topologie", "topology, deny_by_default, config"));
  write_file(fixture, "setup.yaml", "config: {greeting: 1}\n");
  run_says(fixture, NULL, 2, PARTS("configuration", "string"));
  write_file(fixture, "setup.yaml", "topology: {workloads: [{name: A}], services: []}\n");
  run_says(fixture, NULL, 2, PARTS("TOPO-"));
  write_file(fixture, "setup.yaml", "deny_by_default: [Main]\n");
  run_says(fixture, NULL, 2, PARTS("SETUP-0003"));
  write_file(fixture, "no-adapter.so", "text\n");
  char path[4096];
  path_in(fixture, "no-adapter.so", path);
  const char *argv[] = {"trammel", "adapter", "test", path, fixture->scratch, NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  assert_int_equal(result.exit_code, 2);
  says(strbuf_text(&result.errors), "is not usable");
  command_result_finish(&result);
}

/* The adapter that is in the tree, with what the topology says. */
static void the_setup_says_who_is_translated_for(void **state) {
  const struct fixture *fixture = *state;
  char adapter[4096];
  (void)snprintf(adapter, sizeof adapter, "%s/lib/trammel/adapters/reference.so", getenv("TRAMMEL_BUILD_DIR"));
  write_file(fixture, "setup.yaml",
             "deny_by_default: [main]\n"
             "topology:\n"
             "  workloads: [{name: client}, {name: server, ports: [{port: 8080}]}]\n"
             "  services: [{name: web, workloads: [server], ports: [{port: 80, target_port: 8080}]}]\n");
  write_file(fixture, "ports.yaml",
             "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\nspec:\n"
             "  destination: {kind: ServiceAccount, name: server}\n"
             "  sources: [{kind: ServiceAccount, name: client}]\n  rules: [{kind: TCPRoute, name: web}]\n---\n"
             "apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: web}\nspec: {matches: {ports: "
             "[80]}}\n");
  const char *argv[] = {"trammel", "adapter", "test", adapter, fixture->scratch, "--update", NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  assert_int_equal(result.exit_code, 0);
  command_result_finish(&result);
  char *recorded = read_file(fixture, "ports.json");
  says(recorded, "8080");
  says(recorded, "enforcement/main");
  free(recorded);
}

/* ---- new */

static void new_project(const struct fixture *fixture, const char *name, int expected_code, const char *expected) {
  const char *argv[] = {"trammel", "adapter", "new", name, "-C", fixture->scratch, NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  if (result.exit_code != expected_code)
    fail_msg("exit code %d: %s", result.exit_code, strbuf_text(&result.errors));
  says(strbuf_text(expected_code ? &result.errors : &result.out), expected);
  command_result_finish(&result);
}

static void a_project_is_made_once(void **state) {
  const struct fixture *fixture = *state;
  new_project(fixture, "my-mesh", 0, "my-mesh");
  char *source = read_file(fixture, "my-mesh/my-mesh.c");
  says(source, "ADAPTER_DEFINE(adapter, \"my-mesh\", \"0.1.0\", \"my-mesh\")");
  says(source, "\"MY-MESH-0001\"");
  char *ignored = read_file(fixture, "my-mesh/.gitignore"), *before = read_file(fixture, "my-mesh/README.md");
  assert_non_null(ignored);
  write_file(fixture, "my-mesh/README.md", "mine\n");
  new_project(fixture, "my-mesh", 2, "is not empty");
  char *after = read_file(fixture, "my-mesh/README.md");
  assert_string_equal(after, "mine\n");
  free(source);
  free(ignored);
  free(before);
  free(after);
}

static void an_empty_folder_is_taken(void **state) {
  const struct fixture *fixture = *state;
  char path[4096];
  path_in(fixture, "mymesh", path);
  assert_int_equal(mkdir(path, 0700), 0);
  new_project(fixture, "mymesh", 0, "mymesh");
}

static void a_project_that_cannot_be_made_leaves_nothing(void **state) {
  const struct fixture *fixture = *state;
  new_project(fixture, "../mymesh", 2, "is no name for an adapter");
  write_file(fixture, "taken", "a file\n");
  new_project(fixture, "taken", 2, "taken");
  char *kept = read_file(fixture, "taken");
  assert_string_equal(kept, "a file\n");
  free(kept);
  const char *argv[] = {"trammel", "adapter", "new", "mymesh", "-C", "/nonexistent", NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_translation_is_recorded_and_then_holds),
      TEST(a_difference_is_shown_and_nothing_written),
      TEST(one_bad_file_does_not_hide_the_others),
      TEST(results_are_json_for_programs),
      TEST(what_cannot_be_run_is_bad_input),
      TEST(the_setup_says_who_is_translated_for),
      TEST(a_project_is_made_once),
      TEST(an_empty_folder_is_taken),
      TEST(a_project_that_cannot_be_made_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
