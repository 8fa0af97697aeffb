/* The command line itself: help, versions, unknown words, completion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(help_lists_every_command),
      cmocka_unit_test(every_command_has_help),
      cmocka_unit_test(unknown_words_are_usage_errors),
      cmocka_unit_test(the_version_is_told),
      cmocka_unit_test(bash_completes),
      cmocka_unit_test(cases_are_listed_and_shown),
  };
  return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
