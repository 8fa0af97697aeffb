/* trammel perf report: kept results of load in other formats, or several of them on one page. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/cmds.h"
#include "host/cli/kept_load.h"
#include "host/cli/load_outputs.h"
#include "host/report/load_kept.h"

struct arguments {
  struct outputs outputs;
  const char *files[LOAD_HTML_RUNS_MAX];
  size_t count;
};

static const struct argp_option option_table[] = {LOAD_OUTPUTS_OPTION, {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case 'o':
    load_outputs_add(state, &arguments->outputs, argument);
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->count == LOAD_HTML_RUNS_MAX)
      argp_error(state, "at most %d results", LOAD_HTML_RUNS_MAX);
    arguments->files[arguments->count++] = argument;
    return 0;
  case ARGP_KEY_END:
    if (arguments->count == 0)
      argp_error(state,
                 "which results? Files that `trammel perf run -o json=FILE` wrote, - for standard input, or ids of "
                 "kept ones");
    load_outputs_check(state, &arguments->outputs, arguments->count);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_perf_report_argp = {
    .options = option_table,
    .parser = parse,
    .args_doc = "FILE|ID…",
    .doc = "Reads results of `trammel perf run` (files of -o json, or ids of --keep) back, and writes them in other "
           "formats, as the run itself would "
           "have. Up to 8 of them are on one page of html and in one table of csv.",
};

/* The exit code. */
static int report(struct arguments *arguments, struct error **err) {
  struct load_kept kept[LOAD_HTML_RUNS_MAX] = {0};
  struct load_report reports[LOAD_HTML_RUNS_MAX] = {0};
  int r = 0;
  for (size_t i = 0; r == 0 && i < arguments->count; i++) {
    _cleanup_free_ char *path = NULL;
    r = kept_load_path(arguments->files[i], &path, err);
    if (r == 0)
      r = load_kept_read(path, &kept[i], err);
    reports[i] = kept[i].report;
  }
  int code = r == 0 ? EXIT_ALL_PASSED : r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  if (r == 0 && outputs_open(&arguments->outputs, err) < 0)
    code = EXIT_USAGE;
  if (code == EXIT_ALL_PASSED && load_outputs_write(&arguments->outputs, reports, arguments->count, err) < 0)
    code = EXIT_INTERNAL;
  for (size_t i = 0; i < arguments->count; i++)
    load_kept_finish(&kept[i]);
  return code;
}

int cmd_perf_report(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_perf_report_argp, argc, argv, &arguments);
  int code = report(&arguments, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  outputs_finish(&arguments.outputs);
  return code;
}
