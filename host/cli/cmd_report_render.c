/* trammel report render: a kept report in other formats. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/cmds.h"
#include "host/cli/colour.h"
#include "host/cli/run_outputs.h"
#include "host/report/report_read.h"

struct arguments {
  struct outputs outputs;
  const char *file;
  const char *colour;
};

enum { KEY_OUTPUT = 'o', KEY_COLOUR = 0x400 };

static const struct argp_option option_table[] = {
    {"output", KEY_OUTPUT, "FORMAT[=FILE]", 0,
     "a format of `conformance run`, to standard output or a file; may be repeated (default text)", 0},
    {"colour", KEY_COLOUR, "WHEN", 0, "auto, always or never", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case KEY_OUTPUT:
    run_outputs_add(state, &arguments->outputs, argument);
    return 0;
  case KEY_COLOUR:
    arguments->colour = colour_when(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->file)
      argp_error(state, "one report at a time");
    arguments->file = argument;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_error(state,
               "which report? A file that `trammel conformance run -o json=FILE` wrote, or - for standard input");
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_report_render_argp = {
    .options = option_table,
    .parser = parse,
    .args_doc = "FILE",
    .doc = "Reads a JSON report back and writes it in other formats, as the run itself would have written them.",
};

/* The exit code. */
static int render(struct arguments *arguments, struct error **err) {
  _cleanup_report_ struct run_result *run = NULL;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  int r = report_read_file(arguments->file, diagnostics, &run, err);
  diagnostics_print(diagnostics, stderr);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  if (outputs_open(&arguments->outputs, err) < 0)
    return EXIT_USAGE;
  r = run_outputs_write(&arguments->outputs, run, colour_wanted(arguments->colour, isatty(STDOUT_FILENO)), err);
  return r < 0 ? EXIT_INTERNAL : EXIT_ALL_PASSED;
}

int cmd_report_render(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_report_render_argp, argc, argv, &arguments);
  int code = render(&arguments, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  outputs_finish(&arguments.outputs);
  return code;
}
