/* trammel adapter list and show, with an adapter for each way to be wrong beside the good one. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/support/command.h"

static char broken[4096]; /* the directory of broken adapters */

static json_t *json_of(const struct command_result *result) {
  json_error_t wrong;
  json_t *json = json_loadb(strbuf_text(&result->out), result->out.length, 0, &wrong);
  if (!json)
    fail_msg("no JSON: %s; stderr: %s", wrong.text, strbuf_text(&result->errors));
  return json;
}

static const json_t *entry(const json_t *list, const char *id) {
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) {
    if (strcmp(json_string_value(json_object_get(item, "id")), id) == 0)
      return item;
  }
  fail_msg("no adapter %s is listed", id);
  return NULL;
}

static void a_bad_adapter_is_refused_and_the_good_one_stays(void **state) {
  (void)state;
  const char *argv[] = {"trammel", "adapter", "list", "--adapter-dir", broken, "-o", "json", NULL};
  struct command_result result;
  command_run(argv, NULL, 120, &result);
  assert_int_equal(result.exit_code, 0);
  json_t *list = json_of(&result);
  assert_true(json_is_true(json_object_get(entry(list, "reference"), "usable")));
  const json_t *liar = entry(list, "lies-mesh");
  assert_true(json_is_false(json_object_get(liar, "usable")));
  assert_non_null(strstr(json_string_value(json_object_get(liar, "refusal")), "istio"));
  json_decref(list);
  command_result_finish(&result);
}

/* One file with a name that no JSON can hold must not hide the others. */
static void a_file_name_that_is_no_utf8_is_listed_escaped(void **state) {
  (void)state;
  char *scratch = scratch_create(), *path = NULL;
  assert_true(asprintf(&path, "%s/bad\xff.so", scratch) > 0);
  FILE *out = fopen(path, "we");
  assert_non_null(out);
  assert_int_equal(fclose(out), 0);
  const char *argv[] = {"trammel", "adapter", "list", "--adapter-dir", scratch, "-o", "json", NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  assert_int_equal(result.exit_code, 0);
  json_t *list = json_of(&result);
  const json_t *bad = entry(list, "bad\\xff");
  assert_non_null(strstr(json_string_value(json_object_get(bad, "path")), "/bad\\xff.so"));
  assert_non_null(strstr(json_string_value(json_object_get(bad, "refusal")), "is empty"));
  assert_true(json_is_true(json_object_get(entry(list, "reference"), "usable")));
  json_decref(list);
  command_result_finish(&result);
  scratch_remove(scratch);
  free(path);
}

/* Not passed over: what is installed would be missing, and nobody would know why. */
static void a_data_directory_that_is_no_absolute_path_is_refused_everywhere(void **state) {
  (void)state;
  static const char *const commands[][5] = {{"adapter", "list"},          {"adapter", "show", "reference"},
                                            {"adapter", "check", "x.so"}, {"adapter", "install", "./x"},
                                            {"adapter", "verify"},        {"adapter", "trust", "list"},
                                            {"adapter", "index", "list"}, {"conformance", "run", "-q"}};
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", "here", 1), 0);
  for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
    const char *argv[7] = {"trammel"};
    for (size_t k = 0; k < 5; k++)
      argv[k + 1] = commands[i][k];
    struct command_result result;
    command_run(argv, NULL, 60, &result);
    if (result.exit_code != 2 ||
        !strstr(strbuf_text(&result.errors), "TRAMMEL_DATA_DIR must be an absolute path, not 'here'"))
      fail_msg("%s %s: exit code %d: %s", argv[1], argv[2], result.exit_code, strbuf_text(&result.errors));
    command_result_finish(&result);
  }
  assert_int_equal(unsetenv("TRAMMEL_DATA_DIR"), 0);
}

static void output_that_cannot_be_written_is_no_success(void **state) {
  (void)state;
  static const char *const formats[] = {"text", "json"};
  for (size_t i = 0; i < 2; i++) {
    char *line = NULL;
    assert_true(asprintf(&line, "exec \"$TRAMMEL_BUILD_DIR\"/bin/trammel adapter show reference -o %s >/dev/full",
                         formats[i]) > 0);
    int status = system(line);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 4);
    free(line);
  }
}

static void show_tells_configuration_and_support(void **state) {
  (void)state;
  const char *argv[] = {"trammel", "adapter", "show", "reference", "-o", "json", NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  assert_int_equal(result.exit_code, 0);
  json_t *shown = json_of(&result);
  assert_string_equal(json_string_value(json_object_get(shown, "id")), "reference");
  assert_int_equal(strlen(json_string_value(json_object_get(shown, "digest"))), 64);
  json_decref(shown);
  command_result_finish(&result);

  const char *text[] = {"trammel", "adapter", "show", "reference", NULL};
  command_run(text, NULL, 60, &result);
  assert_non_null(strstr(strbuf_text(&result.out), "split-leak-zero"));
  assert_non_null(strstr(strbuf_text(&result.out), "access/v1alpha3"));
  command_result_finish(&result);
}

static void what_cannot_be_shown_is_explained(void **state) {
  (void)state;
  struct command_result result;
  const char *unknown[] = {"trammel", "adapter", "show", "nosuch", NULL};
  command_run(unknown, NULL, 60, &result);
  assert_int_equal(result.exit_code, 2);
  const char *usable = strstr(strbuf_text(&result.errors), "usable adapters: ");
  assert_non_null(usable);
  assert_non_null(strstr(usable, "reference"));
  command_result_finish(&result);

  const char *refused[] = {"trammel", "adapter", "show", "--adapter-dir", broken, "crash", NULL};
  command_run(refused, NULL, 60, &result);
  assert_int_equal(result.exit_code, 3);
  assert_non_null(strstr(strbuf_text(&result.errors), "SIGSEGV"));
  command_result_finish(&result);
}

/* What came with Trammel goes on. */
static void a_damaged_list_of_what_is_installed_hides_nothing_else(void **state) {
  (void)state;
  char *scratch = scratch_create(), *adapters = NULL, *path = NULL;
  assert_true(asprintf(&adapters, "%s/adapters", scratch) > 0);
  assert_int_equal(mkdir(adapters, 0700), 0);
  assert_true(asprintf(&path, "%s/installed.json", adapters) > 0);
  FILE *out = fopen(path, "we");
  assert_non_null(out);
  assert_true(fputs("{", out) >= 0);
  assert_int_equal(fclose(out), 0);
  assert_int_equal(setenv("TRAMMEL_DATA_DIR", scratch, 1), 0);
  const char *argv[] = {"trammel", "adapter", "show", "reference", NULL};
  struct command_result result;
  command_run(argv, NULL, 60, &result);
  assert_int_equal(unsetenv("TRAMMEL_DATA_DIR"), 0);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.errors), path));
  assert_non_null(strstr(strbuf_text(&result.errors), "remove it and install the adapters again"));
  assert_non_null(strstr(strbuf_text(&result.out), "reference"));
  command_result_finish(&result);
  free(path);
  free(adapters);
  scratch_remove(scratch);
}

int main(void) {
  (void)snprintf(broken, sizeof(broken), "%s/tests/broken-adapters", getenv("TRAMMEL_BUILD_DIR"));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bad_adapter_is_refused_and_the_good_one_stays),
      cmocka_unit_test(a_file_name_that_is_no_utf8_is_listed_escaped),
      cmocka_unit_test(a_data_directory_that_is_no_absolute_path_is_refused_everywhere),
      cmocka_unit_test(output_that_cannot_be_written_is_no_success),
      cmocka_unit_test(show_tells_configuration_and_support),
      cmocka_unit_test(what_cannot_be_shown_is_explained),
      cmocka_unit_test(a_damaged_list_of_what_is_installed_hides_nothing_else),
  };
  return cmocka_run_group_tests_name("adapter commands", tests, NULL, NULL);
}
