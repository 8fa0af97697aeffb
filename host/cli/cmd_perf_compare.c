/* trammel perf compare: whether one target is slower than another one, by kept results. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/comparing.h"
#include "host/cli/kept_load.h"
#include "host/cli/packages.h"

struct arguments {
  const char *files[2 * PAIRS_MAX]; /* the first half is A */
  size_t count;
  struct comparing comparing;
  bool json;
};

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "text or json", 6},
    {0},
};

static const struct argp_child children[] = {{&comparing_argp, 0, NULL, 0}, {0}};

static void check(const struct argp_state *state, const struct arguments *arguments) {
  if (arguments->count < 2 || arguments->count % 2 != 0)
    argp_error(state, "which results? As many of A as of B, files of `trammel perf run -o json` or ids of kept ones: "
                      "the first half is A");
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->comparing;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->count == 2 * PAIRS_MAX)
      argp_error(state, "at most %d pairs", PAIRS_MAX);
    arguments->files[arguments->count++] = argument;
    return 0;
  case ARGP_KEY_END:
    check(state, arguments);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_perf_compare_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .args_doc = "A… B…",
    .doc = "Compares results of `trammel perf run` (files of -o json, or ids of --keep), in pairs: the first of A with "
           "the first of B, and so "
           "on. Runs of a pair should follow each other closely, now A first and now B.\v"
           "The unit is the run: with fewer than 6 pairs, or with a run that is INVALID, a difference can't be "
           "told.\n\n"
           "Exits 0 when B is not slower, 1 when it is, by more than is tolerated; 2 for usage, or files that are no "
           "such results; 3 when it can't be told.",
};

static int print(const struct load_comparison *comparison, bool json) {
  int code = EXIT_ALL_PASSED;
  if (json) {
    code = packages_print_json(load_comparison_json(comparison));
  } else {
    load_comparison_text(comparison, stdout);
    code = packages_flush();
  }
  return code == EXIT_ALL_PASSED ? comparing_exit_code(comparison) : code;
}

int cmd_perf_compare(int argc, char **argv) {
  struct arguments arguments = {.comparing = COMPARING_INIT};
  struct load_comparison comparison;
  _cleanup_error_ struct error *err = NULL;
  size_t read = 0;
  int r = 0;
  command_parse(&cmd_perf_compare_argp, argc, argv, &arguments);
  struct load_figures *figures = calloc(arguments.count, sizeof(*figures));
  if (!figures)
    return EXIT_INTERNAL;
  while (r == 0 && read < arguments.count) {
    _cleanup_free_ char *path = NULL;
    r = kept_load_path(arguments.files[read], &path, &err);
    if (r == 0)
      r = load_figures_read(path, &figures[read], &err);
    read += r == 0;
  }
  size_t pairs = arguments.count / 2;
  if (r == 0)
    r = load_comparison_make(figures, figures + pairs, pairs, arguments.comparing.by,
                             comparing_tolerance(&arguments.comparing), &comparison, &err);
  int code = r == 0 ? print(&comparison, arguments.json) : r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  for (size_t i = 0; i < read; i++)
    load_figures_finish(&figures[i]);
  free(figures);
  return code;
}
