/* trammel lint and trammel convert as a user runs them. */
#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/command.h"

#define TIMEOUT_S 30

static const char good[] = "apiVersion: split.smi-spec.io/v1alpha1\nkind: TrafficSplit\nmetadata: {name: s}\n"
                           "spec: {service: root, backends: [{service: a, weight: 1}, {service: b, weight: 500m}]}\n";
static const char bad[] = "apiVersion: split.smi-spec.io/v1alpha2\nkind: TrafficSplit\nmetadata: {name: s}\n"
                          "spec: {service: root, backends: [{service: a, weight: -1}]}\n";
static const char doubtful[] = "apiVersion: split.smi-spec.io/v1alpha2\nkind: TrafficSplit\nmetadata: {name: s}\n"
                               "spec: {service: root, backends: [{service: a, weight: 0}]}\n";
static const char with_matches[] = "apiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata: {name: s}\n"
                                   "spec: {service: root, matches: [{kind: HTTPRouteGroup, name: g}], backends: []}\n";
static const char other[] = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n";

/* Runs trammel with up to 8 words; the list ends with NULL. */
static struct command_result run(const char *input, ...) {
  const char *argv[10] = {"trammel"};
  struct command_result result;
  size_t count = 1;
  va_list words;

  va_start(words, input);
  while (count < 9 && (argv[count] = va_arg(words, const char *)))
    count++;
  va_end(words);
  command_run(argv, input, TIMEOUT_S, &result);
  return result;
}

static void expect(struct command_result result, int code, const char *out, const char *errors) {
  if (result.exit_code != code || !strstr(strbuf_text(&result.out), out) ||
      !strstr(strbuf_text(&result.errors), errors))
    fail_msg("exit code %d\n%s\n%s", result.exit_code, strbuf_text(&result.out), strbuf_text(&result.errors));
  command_result_finish(&result);
}

static void write_file(const char *directory, const char *name, const char *text) {
  char path[512];
  FILE *file;

  snprintf(path, sizeof(path), "%s/%s", directory, name);
  file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static void lint_exit_codes(void **state) {
  (void)state;
  expect(run(good, "lint", "-f", "-", NULL), 0, "1 file, 1 resource: 0 errors, 0 warnings", "");
  expect(run(bad, "lint", "-", NULL), 1, "error[SMI-0012]", "");
  expect(run(doubtful, "lint", "-", NULL), 0, "warning[SMI-0212]", "");
  expect(run(doubtful, "lint", "--strict", "-", NULL), 1, "1 warning", "");
  expect(run("a: [", "lint", "-", NULL), 2, "DOC-", "");
  expect(run(NULL, "lint", "-f", "/nonexistent.yaml", NULL), 2, "SMI-0018", "");
  expect(run(NULL, "lint", NULL), 2, "", "nothing to read");
  expect(run(good, "lint", "-o", "xml", "-", NULL), 2, "", "text, json");
  expect(run(good, "lint", "-n", "Bad/NS", "-", NULL), 2, "", "'Bad/NS' is no namespace");
  expect(run(good, "convert", "--to", "hub", "-n", "", "-", NULL), 2, "", "is no namespace");
  expect(run(other, "lint", "-", NULL), 0, "SMI-0017", "");
  expect(run(other, "lint", "--strict", "-", NULL), 1, "SMI-0017", "");
}

static void lint_says_where(void **state) {
  char *directory = scratch_create(), path[512], expected[600];
  (void)state;

  write_file(directory, "bad.yaml", bad);
  snprintf(path, sizeof(path), "%s/bad.yaml", directory);
  snprintf(expected, sizeof(expected), "%s:4:55: error[SMI-0012]", path);
  expect(run(NULL, "lint", path, NULL), 1, expected, "");
  scratch_remove(directory);
}

static void lint_reads_directories_below(void **state) {
  char *directory = scratch_create(), below[512];
  (void)state;

  snprintf(below, sizeof(below), "%s/below", directory);
  assert_int_equal(mkdir(below, 0700), 0);
  expect(run(NULL, "lint", directory, NULL), 2, "no *.yaml", "");
  write_file(directory, "a.yaml", good);
  write_file(below, "b.json", "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": []}");
  write_file(below, "note.txt", "not: [read");
  expect(run(NULL, "lint", "-f", directory, NULL), 0, "2 files, 1 resource", "");
  scratch_remove(directory);
}

/* ..2024_01/a.yaml, ..data -> ..2024_01, a.yaml -> ..data/a.yaml. */
static void lint_reads_a_mounted_config_map_once(void **state) {
  char *directory = scratch_create(), hidden[512], data[512], link[512];
  (void)state;

  snprintf(hidden, sizeof(hidden), "%s/..2024_01", directory);
  snprintf(data, sizeof(data), "%s/..data", directory);
  snprintf(link, sizeof(link), "%s/a.yaml", directory);
  assert_int_equal(mkdir(hidden, 0700), 0);
  write_file(hidden, "a.yaml", good);
  assert_int_equal(symlink("..2024_01", data), 0);
  assert_int_equal(symlink("..data/a.yaml", link), 0);
  expect(run(NULL, "lint", directory, NULL), 0, "1 file, 1 resource: 0 errors", "");
  scratch_remove(directory);
}

static void lint_says_the_line_of_the_field(void **state) {
  static const char group[] = "apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata:\n  name: g\n"
                              "spec:\n  matches:\n  - name: m\n    pathRegex: '/('\n";
  (void)state;

  expect(run(group, "lint", "-", NULL), 1, "<stdin>:8:16: error[SMI-0214]", "");
}

static void lint_counts_annotated_routes(void **state) {
  static const char route[] = "apiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\n"
                              "metadata: {name: r, annotations: {trammel/port-of: t}}\n";
  (void)state;

  expect(run(route, "lint", "-", NULL), 0, "1 file, 1 resource: 0 errors, 0 warnings", "");
}

static void lint_reports_as_json(void **state) {
  struct command_result result = run(bad, "lint", "-o", "json", "-", NULL);
  json_t *report = json_loads(strbuf_text(&result.out), 0, NULL);
  json_t *first = json_array_get(json_object_get(report, "diagnostics"), 0);
  (void)state;

  assert_int_equal(result.exit_code, 1);
  assert_int_equal(json_integer_value(json_object_get(report, "files")), 1);
  assert_int_equal(json_integer_value(json_object_get(report, "errors")), 1);
  assert_int_equal(json_integer_value(json_object_get(report, "warnings")), 0);
  assert_string_equal(json_string_value(json_object_get(first, "code")), "SMI-0012");
  assert_string_equal(json_string_value(json_object_get(first, "pointer")), "/spec/backends/0/weight");
  json_decref(report);
  command_result_finish(&result);
}

static void convert_exit_codes(void **state) {
  (void)state;
  expect(run(good, "convert", "--to", "split/v1alpha2", "-", NULL), 0, "weight: 2", "");
  expect(run(other, "convert", "--to", "split/v1alpha2", "-", NULL), 2, "", "SMI-0017");
  expect(run(bad, "convert", "--to", "split/v1alpha2", "-", NULL), 2, "", "SMI-0012");
  expect(run(good, "convert", "-", NULL), 2, "", "--to");
  expect(run(good, "convert", "--to", "split/v1alpha9", "-", NULL), 2, "", "unknown version");
  expect(run(good, "convert", "--to", "split/v1alpha1", "--to", "split/v1alpha2", "-", NULL), 2, "",
         "two versions of split");
  expect(run(good, "convert", "--to", "hub", "--to", "split/v1alpha2", "-", NULL), 2, "", "hub");
  expect(run(good, "convert", "--to", "hub", "--namespace", "n1", "-", NULL), 0, "namespace: n1", "");
}

static void convert_writes_nothing_when_it_refuses(void **state) {
  struct command_result result = run(with_matches, "convert", "--to", "split/v1alpha2", "-", NULL);
  (void)state;

  assert_int_equal(result.exit_code, 1);
  assert_string_equal(strbuf_text(&result.out), "");
  assert_non_null(strstr(strbuf_text(&result.errors), "SMI-0106"));
  command_result_finish(&result);
}

/* Whatever it writes, it reads. */
static void convert_takes_its_own_output(void **state) {
  static const char *const formats[] = {"yaml", "json"};
  (void)state;

  for (size_t i = 0; i < 2; i++) {
    struct command_result result = run(good, "convert", "--to", "hub", "-o", formats[i], "-", NULL), again;

    assert_int_equal(result.exit_code, 0);
    again = run(strbuf_text(&result.out), "convert", "--to", "hub", "-o", formats[i], "-", NULL);
    assert_int_equal(again.exit_code, 0);
    assert_string_equal(strbuf_text(&again.out), strbuf_text(&result.out));
    command_result_finish(&again);
    command_result_finish(&result);
  }
}

/* One file of others: every command ends by itself, and says something where it does not succeed. */
static void try_manifest(const char *path) {
  static const char *const versions[] = {"access/v1alpha1", "access/v1alpha3", "split/v1alpha1", "specs/v1alpha2",
                                         "hub"};
  struct command_result result = run(NULL, "lint", path, NULL);

  assert_in_range(result.exit_code, 0, 2);
  assert_true(result.out.length > 0);
  command_result_finish(&result);
  for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
    result = run(NULL, "convert", "--to", versions[i], path, NULL);
    assert_in_range(result.exit_code, 0, 2);
    assert_true((result.exit_code == 0) == (result.out.length > 0));
    assert_true(result.exit_code == 0 || result.errors.length > 0);
    command_result_finish(&result);
  }
}

static size_t try_directory(const char *directory) {
  struct dirent **entries;
  int count = scandir(directory, &entries, NULL, alphasort);
  size_t tried = 0;

  for (int i = 0; i < count; i++) {
    const char *dot = strrchr(entries[i]->d_name, '.');
    char path[1024];

    snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
    if (dot && strcmp(dot, ".yaml") == 0) {
      try_manifest(path);
      tried++;
    }
    free(entries[i]);
  }
  if (count >= 0)
    free(entries);
  return tried;
}

static void manifests_that_others_wrote(void **state) {
  static const char *const directories[] = {"spec-examples", "adapter-istio", "learn-layer5"};
  const char *source = getenv("TRAMMEL_SOURCE_DIR");
  size_t tried = 0;
  (void)state;

  for (size_t i = 0; i < 3; i++) {
    char path[512];

    snprintf(path, sizeof(path), "%s/../shared/manifests/%s", source ? source : ".", directories[i]);
    tried += try_directory(path);
  }
  if (tried == 0) {
    print_message("no manifests beside the source tree: skipped\n");
    skip();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lint_exit_codes),
      cmocka_unit_test(lint_says_where),
      cmocka_unit_test(lint_reads_directories_below),
      cmocka_unit_test(lint_reads_a_mounted_config_map_once),
      cmocka_unit_test(lint_says_the_line_of_the_field),
      cmocka_unit_test(lint_counts_annotated_routes),
      cmocka_unit_test(lint_reports_as_json),
      cmocka_unit_test(convert_exit_codes),
      cmocka_unit_test(convert_writes_nothing_when_it_refuses),
      cmocka_unit_test(convert_takes_its_own_output),
      cmocka_unit_test(manifests_that_others_wrote),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
