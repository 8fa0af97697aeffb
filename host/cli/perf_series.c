#include "host/cli/perf_series.h"

#include <errno.h>
#include <stdio.h>

#include "host/cli/command.h"
#include "host/cli/number.h"
#include "host/cli/packages.h"

enum { KEY_AGAINST = 0xb20, KEY_REPEAT, KEY_WORKERS };

static const struct argp_option option_table[] = {
    {"repeat", KEY_REPEAT, "K", 0, "K runs in turn, and medians with an interval; of pairs, how many (default: 6)", 5},
    {"against", KEY_AGAINST, "URL", 0, "pairs of runs: --url is A, this is B, and the verdict is whether B is slower",
     5},
    {"workers", KEY_WORKERS, "N", 0,
     "N processes, each with --threads threads and its share of --rate and --connections (default: none but this one)",
     5},
    {0},
};

static const struct argp_child children[] = {{&comparing_argp, 0, NULL, 0}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct perf_series *options = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &options->comparing;
    return 0;
  case KEY_AGAINST:
    options->against = argument;
    return 0;
  case KEY_REPEAT:
    options->repeat = (unsigned)number_parse(state, "--repeat", argument, 1, LOAD_SERIES_MAX);
    return 0;
  case KEY_WORKERS:
    options->workers = (unsigned)number_parse(state, "--workers", argument, 1, LOAD_WORKERS_MAX);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp perf_series_argp = {.options = option_table, .parser = parse, .children = children};

void perf_series_check(const struct argp_state *state, const struct perf_series *options, bool mesh) {
  if (mesh && options->against)
    argp_error(state, "--mesh is measured against the same server without it; leave out --against");
  if (!mesh && !options->against && options->comparing.first)
    argp_error(state, "%s is of a verdict on two targets: --against says which is the second",
               options->comparing.first);
}

int perf_series_error_code(int r) {
  return r == -EINVAL ? EXIT_USAGE : r == -ECHILD || r == -ECANCELED ? EXIT_COULD_NOT_TEST : EXIT_INTERNAL;
}

bool perf_series_wanted(const struct perf_series *options) {
  return options->against || options->repeat > 0;
}

static int exit_code_of(const struct load_series *series, const struct load_comparison *comparison) {
  if (series->cut || series->count == 0)
    return EXIT_COULD_NOT_TEST;
  if (comparison)
    return comparing_exit_code(comparison);
  return load_series_valid(series) ? EXIT_ALL_PASSED : EXIT_COULD_NOT_TEST;
}

static int tell(const struct load_series *series, bool json, struct error **err) {
  struct load_comparison comparison;
  bool compared = series->paired && series->count > 0;
  int r = compared ? load_comparison_make(series->runs[0], series->runs[1], series->count, series->by,
                                          series->tolerance, &comparison, err)
                   : 0;
  if (r < 0)
    return EXIT_INTERNAL;
  int code = EXIT_ALL_PASSED;
  if (json) {
    code = packages_print_json(load_series_json(series, compared ? &comparison : NULL));
  } else {
    load_series_text(series, compared ? &comparison : NULL, stdout);
    code = packages_flush();
  }
  return code == EXIT_ALL_PASSED ? exit_code_of(series, compared ? &comparison : NULL) : code;
}

int perf_series_run(const struct perf_series *options, const struct repeating *repeating,
                    const struct load_series_mesh *mesh, bool json, struct error **err) {
  _cleanup_(load_series_finish) struct load_series series = {0};
  bool paired = repeating->sides[1].target != NULL;
  int r = load_series_init(&series, options->repeat > 0 ? options->repeat : PAIRS_MIN, paired, json, err);
  series.version = TRAMMEL_VERSION;
  series.mesh = mesh;
  series.by = options->comparing.by;
  series.tolerance = comparing_tolerance(&options->comparing);
  if (r == 0)
    r = repeating_run(repeating, stderr, &series, err);
  if (r < 0)
    return perf_series_error_code(r);
  int code = tell(&series, json, err);
  bool gate = !mesh || options->comparing.tolerance >= 0;
  return code == EXIT_SOMETHING_FAILED && !gate ? EXIT_ALL_PASSED : code;
}
