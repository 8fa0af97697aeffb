/* trammel perf meshmark: what a mesh leaves of what there is without it, as one number. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/load_outputs.h"
#include "host/report/load_kept.h"
#include "host/report/meshmark_report.h"

struct side {
  const char *files[MESHMARK_RUNS_MAX];
  size_t count;
};

struct arguments {
  struct side mesh, direct;
  double processor_s, memory_mib;
  double at_least; /* NaN: not asked */
  bool json;
};

enum { KEY_DIRECT = 256, KEY_PROCESSOR, KEY_MEMORY, KEY_AT_LEAST };

static const struct argp_option option_table[] = {
    {"direct", KEY_DIRECT, "FILE", 0, "a result without the mesh; may be given several times", 0},
    {"mesh-processor", KEY_PROCESSOR, "SECONDS", 0,
     "processor time that the mesh's proxies took during all runs through it", 0},
    {"mesh-memory", KEY_MEMORY, "MIB", 0, "memory of one of its proxies, in MiB", 0},
    {"at-least", KEY_AT_LEAST, "MARK", 0, "exit with 1 when the mark is lower, with 3 when that can't be told", 0},
    {"output", 'o', "FORMAT", 0, "text or json", 0},
    {0},
};

static double parse_number(const struct argp_state *state, const char *name, const char *text, double most) {
  char *end = NULL;
  double value = strtod(text, &end);
  if (end == text || *end || !(value >= 0 && value <= most))
    argp_error(state, "%s wants a number from 0 to %g, not '%s'", name, most, text);
  return value;
}

static void add(const struct argp_state *state, struct side *side, const char *file) {
  if (side->count == MESHMARK_RUNS_MAX)
    argp_error(state, "at most %d results of a side", MESHMARK_RUNS_MAX);
  side->files[side->count++] = file;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case KEY_DIRECT:
    add(state, &arguments->direct, argument);
    return 0;
  case KEY_PROCESSOR:
    arguments->processor_s = parse_number(state, "--mesh-processor", argument, 1e9);
    return 0;
  case KEY_MEMORY:
    arguments->memory_mib = parse_number(state, "--mesh-memory", argument, 1e9);
    return 0;
  case KEY_AT_LEAST:
    arguments->at_least = parse_number(state, "--at-least", argument, 100);
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    add(state, &arguments->mesh, argument);
    return 0;
  case ARGP_KEY_END:
    if (arguments->mesh.count == 0 || arguments->direct.count == 0)
      argp_error(state, "which results? Those through the mesh as arguments, those without it as --direct FILE, as "
                        "`trammel perf run -o json=FILE` wrote them");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_perf_meshmark_argp = {
    .options = option_table,
    .parser = parse,
    .args_doc = "MESH… --direct DIRECT…",
    .doc =
        "Says how much a mesh leaves of what there is without it, from 0 to 100, by kept results of `trammel perf run "
        "-o json`: runs in an open loop at one rate tell of latency and reliability, runs with --rate max of "
        "throughput.\v"
        "What is missing makes the mark an interval. Classes, weights and formulas are in docs/meshmark.md.\n\n"
        "Exits 0 when there is a mark or an interval, and it is not lower than --at-least; 1 when it is; 2 for "
        "usage, or files that are no such results; 3 when it can't be told.",
};

static int read_side(const struct side *side, struct load_kept *kept, struct load_report *reports, struct error **err) {
  for (size_t i = 0; i < side->count; i++) {
    int r = load_kept_read(side->files[i], &kept[i], err);
    if (r < 0)
      return r;
    reports[i] = kept[i].report;
  }
  return 0;
}

static int exit_code(const struct arguments *arguments, const struct meshmark *mark) {
  if (mark->told == 0)
    return EXIT_COULD_NOT_TEST;
  if (isnan(arguments->at_least) || mark->low >= arguments->at_least)
    return EXIT_ALL_PASSED;
  return mark->high < arguments->at_least ? EXIT_SOMETHING_FAILED : EXIT_COULD_NOT_TEST;
}

static int print(const struct arguments *arguments, const struct meshmark_runs *runs, struct error **err) {
  struct meshmark mark = meshmark_of_runs(runs);
  int r = arguments->json ? load_outputs_print_json(meshmark_json(&mark, runs), stdout)
                          : meshmark_text(&mark, runs, stdout);
  if (r == 0)
    return exit_code(arguments, &mark);
  (void)error_set(err, -r, "writing the mark to standard output: %s", strerror(-r));
  return EXIT_INTERNAL;
}

static int run(const struct arguments *arguments, struct load_kept *kept, struct load_report *reports,
               struct error **err) {
  size_t mesh_count = arguments->mesh.count;
  int r = read_side(&arguments->mesh, kept, reports, err);
  if (r == 0)
    r = read_side(&arguments->direct, kept + mesh_count, reports + mesh_count, err);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  const struct meshmark_runs runs = {.mesh = reports,
                                     .direct = reports + mesh_count,
                                     .mesh_count = mesh_count,
                                     .direct_count = arguments->direct.count,
                                     .processor_s = arguments->processor_s,
                                     .memory_mib = arguments->memory_mib};
  return print(arguments, &runs, err);
}

int cmd_perf_meshmark(int argc, char **argv) {
  struct arguments arguments = {.processor_s = NAN, .memory_mib = NAN, .at_least = NAN};
  struct load_report reports[2 * MESHMARK_RUNS_MAX] = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_perf_meshmark_argp, argc, argv, &arguments);
  struct load_kept *kept = calloc(2 * MESHMARK_RUNS_MAX, sizeof(*kept));
  if (!kept)
    return EXIT_INTERNAL;
  int code = run(&arguments, kept, reports, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  for (size_t i = 0; i < arguments.mesh.count + arguments.direct.count; i++)
    load_kept_finish(&kept[i]);
  free(kept);
  return code;
}
