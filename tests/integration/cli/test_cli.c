/* The command line itself: help, versions, unknown words, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/command.h"

static void run(struct command_result *result, const char *first, ...) {
  const char *argv[16] = {"trammel", first};
  va_list words;
  va_start(words, first);
  for (size_t i = 2; first && i < 15; i++) {
    argv[i] = va_arg(words, const char *);
    if (!argv[i])
      break;
  }
  va_end(words);
  command_run(argv, NULL, 30, result);
}

static void help_lists_every_command(void **state) {
  (void)state;
  static const char *const names[] = {"conformance run",  "conformance list", "conformance show",
                                      "conformance diff", "report render",    "report sign",
                                      "report verify",    "report keygen",    "lint",
                                      "convert",          "adapter list",     "adapter show",
                                      "cleanup",          "completion",       NULL};
  struct command_result result;
  run(&result, "--help", NULL);
  assert_int_equal(result.exit_code, 0);
  for (int i = 0; names[i]; i++)
    assert_non_null(strstr(strbuf_text(&result.out), names[i]));
  assert_non_null(strstr(strbuf_text(&result.out), "Exit codes"));
  command_result_finish(&result);

  run(&result, NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "Usage: trammel"));
  command_result_finish(&result);
}

/* Each command answers --help on standard output, in its own name, and knows its options. */
static void every_command_has_help(void **state) {
  (void)state;
  static const char *const commands[][3] = {
      {"conformance", "run", "--seed"},        {"conformance", "list", "--filter"}, {"conformance", "show", "CASE"},
      {"conformance", "diff", "BEFORE AFTER"}, {"report", "render", "--output"},    {"report", "sign", "--key"},
      {"report", "verify", "--key"},           {"report", "keygen", "KEY.pem"},     {"adapter", "list", "--output"},
      {"adapter", "show", "--output"},
  };
  for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
    struct command_result result;
    run(&result, commands[i][0], commands[i][1], "--help", NULL);
    assert_int_equal(result.exit_code, 0);
    assert_non_null(strstr(strbuf_text(&result.out), commands[i][2]));
    assert_non_null(strstr(strbuf_text(&result.out), "Usage: trammel"));
    command_result_finish(&result);
  }
  static const char *const single[][2] = {
      {"lint", "--output"}, {"convert", "--to"}, {"cleanup", "--dry-run"}, {"completion", "bash"}};
  for (size_t i = 0; i < sizeof(single) / sizeof(*single); i++) {
    struct command_result result;
    run(&result, single[i][0], "--help", NULL);
    assert_int_equal(result.exit_code, 0);
    assert_non_null(strstr(strbuf_text(&result.out), single[i][1]));
    command_result_finish(&result);
    run(&result, "help", single[i][0], NULL);
    assert_int_equal(result.exit_code, 0);
    assert_non_null(strstr(strbuf_text(&result.out), single[i][1]));
    command_result_finish(&result);
  }
}

static void unknown_words_are_usage_errors(void **state) {
  (void)state;
  struct command_result result;
  run(&result, "lnit", NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "Did you mean `trammel lint`?"));
  command_result_finish(&result);

  run(&result, "conformance", NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "conformance run"));
  command_result_finish(&result);

  run(&result, "conformance", "run", "--nosuch", NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "--help"));
  command_result_finish(&result);

  run(&result, "conformance", "list", "--group", "", NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "--group wants something to select"));
  command_result_finish(&result);

  run(&result, "conformance", "show", "no/such/case", NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "conformance list"));
  command_result_finish(&result);
}

static void the_version_is_told(void **state) {
  (void)state;
  struct command_result result;
  run(&result, "--version", NULL);
  assert_int_equal(result.exit_code, 0);
  assert_int_equal(strncmp(strbuf_text(&result.out), "trammel ", 8), 0);
  command_result_finish(&result);
}

/* The script is loaded by a real bash, which then completes words with it. */
static void bash_completes(void **state) {
  (void)state;
  struct command_result script;
  run(&script, "completion", "bash", NULL);
  assert_int_equal(script.exit_code, 0);
  _cleanup_strbuf_ struct strbuf program = STRBUF_INIT;
  strbuf_puts(&program, strbuf_text(&script.out));
  strbuf_puts(&program,
              "\nCOMP_WORDS=(trammel conformance ru); COMP_CWORD=2; _trammel; echo \"${COMPREPLY[0]}\"\n"
              "COMP_WORDS=(trammel conformance run --fail); COMP_CWORD=3; _trammel; echo \"${COMPREPLY[0]}\"\n"
              "COMP_WORDS=(trammel conformance run --mes); COMP_CWORD=3; _trammel; echo \"${COMPREPLY[0]}\"\n"
              "COMP_WORDS=(trammel report ver); COMP_CWORD=2; _trammel; echo \"${COMPREPLY[0]}\"\n"
              "COMP_WORDS=(trammel clea); COMP_CWORD=1; _trammel; echo \"${COMPREPLY[0]}\"\n");
  const char *argv[] = {"/bin/bash", "-s", NULL};
  struct command_result result;
  command_run(argv, strbuf_text(&program), 30, &result);
  assert_string_equal(strbuf_text(&result.out), "run\n--fail-fast\n--mesh\nverify\ncleanup\n");
  command_result_finish(&result);
  command_result_finish(&script);
}

static void cases_are_listed_and_shown(void **state) {
  (void)state;
  struct command_result result;
  run(&result, "conformance", "list", "--requirement", "ACC-05", NULL);
  assert_int_equal(result.exit_code, 0);
  const char *line = strbuf_text(&result.out);
  assert_non_null(strstr(line, "ACC-05"));
  char id[128] = "";
  assert_int_equal(sscanf(line, "%127s", id), 1);
  command_result_finish(&result);

  run(&result, "conformance", "show", id, NULL);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), id));
  assert_non_null(strstr(strbuf_text(&result.out), "kind: TrafficTarget"));
  assert_non_null(strstr(strbuf_text(&result.out), "Runs in:"));
  command_result_finish(&result);
}

static size_t lines_of(const struct command_result *result) {
  size_t count = 0;
  for (const char *at = strbuf_text(&result->out); (at = strchr(at, '\n')); at++)
    count++;
  return count;
}

static void a_suite_is_chosen_by_name(void **state) {
  (void)state;
  struct command_result result;
  run(&result, "conformance", "list", "--suite", "baseline", NULL);
  assert_int_equal(result.exit_code, 0);
  assert_int_equal(lines_of(&result), 3);
  assert_non_null(strstr(strbuf_text(&result.out), "split/http/traffic-split"));
  command_result_finish(&result);

  run(&result, "conformance", "show", "--suite", "baseline", "split/http/traffic-split", NULL);
  assert_int_equal(result.exit_code, 0);
  assert_non_null(strstr(strbuf_text(&result.out), "of 50 calls GET /echo from app-a to app-svc:9091"));
  assert_non_null(strstr(strbuf_text(&result.out), "app-c counted more than app-b"));
  command_result_finish(&result);

  run(&result, "conformance", "show", "split/http/traffic-split", NULL); /* smi is the default */
  assert_int_equal(result.exit_code, 2);
  command_result_finish(&result);

  run(&result, "conformance", "list", "--suite", "baseline", "--suite", "smi", NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "one built-in suite at a time"));
  command_result_finish(&result);

  run(&result, "conformance", "list", "--suite", "basline", NULL);
  assert_int_equal(result.exit_code, 2);
  assert_non_null(strstr(strbuf_text(&result.errors), "no built-in suite of that name (smi, baseline)"));
  command_result_finish(&result);
}

/* What is not a name is a folder, whatever it is called, and is added to the suite that was chosen. */
static void a_folder_is_added_to_a_suite(void **state) {
  (void)state;
  static const char text[] = "id: access/http/mine\n"
                             "title: Mine\n"
                             "requirements: [ACC-01]\n"
                             "why: Test.\n"
                             "topology: apps\n"
                             "deny_by_default: []\n"
                             "resources:\n"
                             "  - apiVersion: specs.smi-spec.io/v1alpha4\n"
                             "    kind: TCPRoute\n"
                             "    metadata: {name: all}\n"
                             "    spec: {}\n"
                             "steps: [{checks: [{from: app-a, to: app-b, port: 9091, http: {}, expect: allowed}]}]\n";
  char *directory = scratch_create();
  char *file = NULL;
  char *folder = NULL;
  assert_true(asprintf(&folder, "%s/smi", directory) > 0 && asprintf(&file, "%s/smi/mine.yaml", directory) > 0);
  assert_int_equal(mkdir(folder, 0700), 0);
  FILE *out = fopen(file, "we");
  assert_non_null(out);
  assert_true(fputs(text, out) >= 0 && fclose(out) == 0);
  struct command_result result;
  run(&result, "conformance", "list", "--suite", folder, "--suite", "baseline", NULL);
  if (result.exit_code != 0)
    fail_msg("%s", strbuf_text(&result.errors));
  assert_int_equal(lines_of(&result), 4);
  assert_non_null(strstr(strbuf_text(&result.out), "access/http/mine"));
  command_result_finish(&result);
  scratch_remove(directory);
  free(folder);
  free(file);
}

static void requirements_are_listed_with_their_cases(void **state) {
  (void)state;
  struct command_result result;
  run(&result, "conformance", "list", "-o", "markdown", "--requirement", "ACC-05", NULL);
  assert_int_equal(result.exit_code, 0);
  const char *page = strbuf_text(&result.out);
  assert_non_null(strstr(page, "| **ACC-05** "));
  assert_non_null(strstr(page, "`access/http/matches-omitted-means-all` | access v1alpha1, v1alpha2, v1alpha3"));
  assert_null(strstr(page, "| **ACC-08** ")); /* it has cases, but none that was asked for */
  command_result_finish(&result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(help_lists_every_command),
      cmocka_unit_test(every_command_has_help),
      cmocka_unit_test(unknown_words_are_usage_errors),
      cmocka_unit_test(the_version_is_told),
      cmocka_unit_test(bash_completes),
      cmocka_unit_test(cases_are_listed_and_shown),
      cmocka_unit_test(a_suite_is_chosen_by_name),
      cmocka_unit_test(a_folder_is_added_to_a_suite),
      cmocka_unit_test(requirements_are_listed_with_their_cases),
  };
  return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
