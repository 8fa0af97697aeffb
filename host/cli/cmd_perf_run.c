/* trammel perf run: load on a target, and honest latencies. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/interrupt.h"
#include "host/cli/kept_load.h"
#include "host/cli/load_arguments.h"
#include "host/cli/load_outputs.h"
#include "host/cli/perf_mesh.h"
#include "host/cli/perf_series.h"
#include "host/cli/profile_run.h"

struct arguments {
  struct load_arguments of_load;
  struct perf_series series;
  struct outputs outputs;
  struct perf_mesh mesh;
  const char *profile; /* NULL: the options say what to run */
  bool keep;
};

enum { KEY_KEEP = 256 };

static const struct argp_option option_table[] = {
    LOAD_OUTPUTS_OPTION,
    {"keep", KEY_KEEP, NULL, 0, "keep the result, to be listed, shown and compared by its id", 6},
    {0},
};

static const struct argp_child children[] = {
    {&load_arguments_argp, 0, NULL, 0}, {&perf_series_argp, 0, NULL, 0}, {&perf_mesh_argp, 0, NULL, 0}, {0}};

static void check_mesh_options(const struct argp_state *state, const struct arguments *arguments) {
  const char *first = perf_mesh_first(&arguments->mesh);
  if (first && !perf_mesh_wanted(&arguments->mesh))
    argp_error(state, "%s is of a mesh that is measured: --mesh says which", first);
}

static void check_options(const struct argp_state *state, struct arguments *arguments) {
  bool mesh = perf_mesh_wanted(&arguments->mesh);
  if (mesh && arguments->of_load.target.url)
    argp_error(state, "--url and --mesh are two targets: a mesh is measured in a lab, with a server of its own");
  check_mesh_options(state, arguments);
  if (mesh)
    arguments->of_load.target.url = PERF_MESH_URL;
  load_arguments_check(state, &arguments->of_load);
  perf_series_check(state, &arguments->series, mesh);
  if ((mesh || perf_series_wanted(&arguments->series)) && !load_outputs_of_series(&arguments->outputs, NULL))
    argp_error(state, "files, and formats other than text and json, are of one run: not with --repeat, --against or "
                      "--mesh");
  if (arguments->keep && (mesh || perf_series_wanted(&arguments->series)))
    argp_error(state, "--keep keeps the result of one run: not of --repeat, --against or --mesh");
}

static void check_profile(const struct argp_state *state, const struct arguments *arguments) {
  if (arguments->of_load.first)
    argp_error(state, "--%s is in the profile: change it there, or run without a profile", arguments->of_load.first);
  if (perf_mesh_wanted(&arguments->mesh) || perf_series_wanted(&arguments->series) || arguments->series.workers > 0)
    argp_error(state, "--repeat, --against, --mesh and --workers are not of a profile, which has \"repetitions\"");
  if (arguments->series.comparing.first)
    argp_error(state, "%s is of a verdict on two targets, not of a profile", arguments->series.comparing.first);
  check_mesh_options(state, arguments);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->of_load;
    state->child_inputs[1] = &arguments->series;
    state->child_inputs[2] = &arguments->mesh;
    return 0;
  case 'o':
    load_outputs_add(state, &arguments->outputs, argument);
    return 0;
  case KEY_KEEP:
    arguments->keep = true;
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->profile)
      argp_error(state, "one profile at a time: '%s' is another one", argument);
    arguments->profile = argument;
    return 0;
  case ARGP_KEY_END:
    if (arguments->profile)
      check_profile(state, arguments);
    else
      check_options(state, arguments);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_perf_run_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .args_doc = "[PROFILE]",
    .doc =
        "Sends requests to a URL (HTTP/1.1, HTTP/2 or gRPC, with TLS or without; echo over TCP or UDP), or to the "
        "targets of a profile (a file of YAML or JSON, or one that is saved), and says how long the answers took.\v"
        "With a number as --rate, requests are due at fixed times, and `response` is from there to the answer: what a "
        "user waits when the target stalls. `service` is from when a request was sent, `lag` how late the generator "
        "was "
        "by itself, `wait` how long no connection was free. A run whose numbers tell of the generator rather than of "
        "the target is INVALID, and says why.\n\n"
        "With --against, two targets are measured in pairs of runs, now one first and now the other, and compared as "
        "`trammel perf compare` does it; with --repeat alone, one target is, and medians have an interval. "
        "With --mesh, a server in a process lab is measured in such pairs: A without the mesh, B through it.\n\n"
        "A profile has several targets, objectives and repetitions: docs/perf-profiles.md.\n\n"
        "Exits 0 when the run is valid and objectives are met, with --against when B is not slower; 1 when it is, or "
        "an objective is missed; 2 for usage; 3 when a run is INVALID, nothing answered, it was interrupted, or a "
        "difference or an objective can't be told.",
};

static int run_once(struct arguments *arguments, const struct repeating *repeating, struct error **err) {
  struct load_result result;
  if (outputs_open(&arguments->outputs, err) < 0 || (arguments->keep && kept_load_prepare(err) < 0))
    return EXIT_USAGE;
  int r = repeating_load(repeating, 0, repeating->load, &result, err);
  if (r < 0)
    return perf_series_error_code(r);
  const struct load_report report = repeating_report(repeating, 0, repeating->load, &result);
  int code = arguments->keep && kept_load_keep(load_report_json(&report), err) < 0 ? EXIT_INTERNAL : EXIT_ALL_PASSED;
  if (load_outputs_write(&arguments->outputs, &report, 1, *err ? NULL : err) < 0)
    code = EXIT_INTERNAL;
  if (code == EXIT_ALL_PASSED && result.doubts != 0)
    code = EXIT_COULD_NOT_TEST;
  load_result_finish(&result);
  return code;
}

/* The second target: as the first one, at another URL. */
static int make_second(const struct arguments *arguments, struct target_options *ret_options,
                       struct target **ret_target, struct error **err) {
  *ret_options = arguments->of_load.target;
  ret_options->url = arguments->series.against;
  return ret_options->url ? target_create(ret_options, ret_target, err) : 0;
}

/* Of the options. */
static int run_options(struct arguments *arguments, struct error **err) {
  struct load_arguments *of_load = &arguments->of_load;
  _cleanup_(target_destroy_p) struct target *target = NULL, *second = NULL;
  struct target_options second_options;
  bool json = false; /* of a series */
  int r = load_arguments_target(of_load, &target, err);
  if (r == 0)
    r = make_second(arguments, &second_options, &second, err);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  (void)load_outputs_of_series(&arguments->outputs, &json);
  if (perf_mesh_wanted(&arguments->mesh))
    return perf_mesh_run(&arguments->mesh, &arguments->series, of_load, json, err);
  const struct repeating repeating = {
      .sides = {{of_load->target.url, target, &of_load->target}, {arguments->series.against, second, &second_options}},
      .load = &of_load->load,
      .insecure = of_load->target.tls.insecure,
      .workers = arguments->series.workers};
  interrupt_catch();
  return perf_series_wanted(&arguments->series) ? perf_series_run(&arguments->series, &repeating, NULL, json, err)
                                                : run_once(arguments, &repeating, err);
}

int cmd_perf_run(int argc, char **argv) {
  struct arguments arguments = {.series = PERF_SERIES_INIT};
  _cleanup_error_ struct error *err = NULL;
  load_arguments_init(&arguments.of_load);
  arguments.of_load.load.cancel = interrupt_flag();
  command_parse(&cmd_perf_run_argp, argc, argv, &arguments);
  int code = arguments.profile ? profile_run(arguments.profile, &arguments.outputs, arguments.keep, &err)
                               : run_options(&arguments, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  outputs_finish(&arguments.outputs);
  load_arguments_finish(&arguments.of_load);
  perf_mesh_finish(&arguments.mesh);
  return code;
}
