/* trammel conformance diff: what changed between two kept reports. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/colour.h"
#include "host/report/comparison.h"
#include "host/report/report_read.h"

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_MARKDOWN };
enum { KEY_COLOUR = 0x400 };

struct arguments {
  const char *files[2]; /* before, after */
  int count;
  int format;
  const char *colour;
};

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "text, json or markdown", 0},
    {"colour", KEY_COLOUR, "WHEN", 0, "auto, always or never", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  static const char *const formats[] = {"text", "json", "markdown", NULL};
  struct arguments *arguments = state->input;
  switch (key) {
  case 'o':
    arguments->format = command_format(state, argument, formats);
    return 0;
  case KEY_COLOUR:
    arguments->colour = colour_when(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->count == 2)
      argp_error(state, "two reports at a time");
    arguments->files[arguments->count++] = argument;
    return 0;
  case ARGP_KEY_SUCCESS:
    if (arguments->count < 2)
      argp_error(state, "which reports? The earlier and the later one, as `trammel conformance run -o json=FILE` "
                        "wrote them");
    if (strcmp(arguments->files[0], "-") == 0 && strcmp(arguments->files[1], "-") == 0)
      argp_error(state, "only one report can come from standard input");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_conformance_diff_argp = {
    .options = option_table,
    .parser = parse,
    .args_doc = "BEFORE AFTER",
    .doc = "Compares two JSON reports of one suite: what is newly broken, mended or still broken, requirement by "
           "requirement and case by case, which cases are new or gone, what takes effect slower or faster, and what "
           "ran.\vExit codes: 0 nothing that held before is broken; 1 something is; 2 usage, or files that are no "
           "reports of one suite; 3 nothing is broken, but something that held before was not judged.",
};

static int write_comparison(const struct comparison *comparison, const struct arguments *arguments,
                            struct error **err) {
  int r = 0;
  if (arguments->format == FORMAT_JSON)
    r = comparison_json(comparison, stdout);
  else if (arguments->format == FORMAT_MARKDOWN)
    r = comparison_markdown(comparison, stdout);
  else
    r = comparison_text(comparison, colour_wanted(arguments->colour, isatty(STDOUT_FILENO)), stdout);
  return r < 0 ? error_set(err, -r, "writing what changed to standard output: %s", strerror(-r)) : 0;
}

static int read_one(const char *file, struct run_result **ret_run, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  int r = report_read_file(file, diagnostics, ret_run, err);
  diagnostics_print(diagnostics, stderr);
  return r;
}

/* The exit code. */
static int diff(const struct arguments *arguments, struct error **err) {
  _cleanup_report_ struct run_result *before = NULL;
  _cleanup_report_ struct run_result *after = NULL;
  _cleanup_comparison_ struct comparison comparison = {0};
  int r = read_one(arguments->files[0], &before, err);
  if (r == 0)
    r = read_one(arguments->files[1], &after, err);
  if (r == 0)
    r = comparison_make(before, arguments->files[0], after, arguments->files[1], &comparison, err);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  return write_comparison(&comparison, arguments, err) < 0 ? EXIT_INTERNAL : comparison_exit_code(&comparison);
}

int cmd_conformance_diff(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_conformance_diff_argp, argc, argv, &arguments);
  int code = diff(&arguments, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  return code;
}
