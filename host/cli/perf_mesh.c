#include "host/cli/perf_mesh.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/mesh_lab.h"
#include "sdk/base/clock.h"

#define WARM_UP_NS NS_PER_SECOND /* unless told otherwise: sidecars connect to each other with the first requests */
#define READY_TIMEOUT_NS (30 * NS_PER_SECOND)
#define PROBE_NS (50 * NS_PER_MS)

enum { KEY_LAB = 0xb40 };

static const struct argp_option option_table[] = {
    {"lab", KEY_LAB, "KIND", 0, "where the mesh is measured; process (the default), on loopback addresses", 7},
    {0},
};

static const struct argp_child children[] = {{&mesh_options_argp, 0, "Mesh, in place of --url:", 7}, {0}};

static void check_lab(const struct argp_state *state, const char *kind) {
  if (strcmp(kind, "kubernetes") == 0)
    argp_error(state, "--lab=kubernetes cannot measure a mesh: the load has to come out of a pod, through its sidecar, "
                      "and this program is in none; run `trammel perf run --url … --against …` in such a pod");
  if (strcmp(kind, "process") != 0)
    argp_error(state, "--lab wants process, not '%s'", kind);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct perf_mesh *options = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &options->mesh;
    return 0;
  case KEY_LAB:
    check_lab(state, argument);
    options->lab = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp perf_mesh_argp = {.options = option_table, .parser = parse, .children = children};

bool perf_mesh_wanted(const struct perf_mesh *options) {
  return options->mesh.mesh || options->mesh.remote;
}

const char *perf_mesh_first(const struct perf_mesh *options) {
  const struct mesh_options *mesh = &options->mesh;
  const struct {
    const char *name;
    bool given;
  } all[] = {{"--lab", options->lab},
             {"--set", mesh->settings.count > 0},
             {"--config", mesh->config_file != NULL},
             {"--program", mesh->programs.count > 0},
             {"--endpoint", mesh->endpoints.count > 0},
             {"--endpoint-token-file", mesh->tokens.count > 0},
             {"--adapter-dir", mesh->adapters.directories.count > 0}};
  for (size_t i = 0; i < ARRAY_COUNT(all); i++)
    if (all[i].given)
      return all[i].name;
  return NULL;
}

void perf_mesh_finish(struct perf_mesh *options) {
  mesh_options_finish(&options->mesh);
}

/* ---- until the mesh lets requests through */

static bool answers(struct target *target, const struct load_options *load, struct error **err) {
  const struct load_options probe = {.schedule = {.kind = SCHEDULE_CLOSED, .duration_ns = PROBE_NS},
                                     .threads = 1,
                                     .connections = 1,
                                     .timeout_ns = load->timeout_ns,
                                     .connect_timeout_ns = load->connect_timeout_ns,
                                     .drain_ns = PROBE_NS,
                                     .cancel = load->cancel};
  struct load_result result;
  if (load_run(target, &probe, &result, err) < 0)
    return false;
  uint64_t good = 0;
  for (int status = 200; status < 300; status++)
    good += result.tally.statuses[status];
  bool all = result.tally.completed > 0 && good == result.tally.completed;
  load_result_finish(&result);
  return all;
}

static int wait_ready(const struct mesh_lab *lab, const struct repeating *repeating, struct error **err) {
  int64_t deadline_ns = clock_in_ns(READY_TIMEOUT_NS);
  for (int side = 0; side < 2; side++) {
    const struct repeating_target *of = &repeating->sides[side];
    _cleanup_error_ struct error *why = NULL;
    while (!answers(of->target, repeating->load, &why)) {
      if (atomic_load(repeating->load->cancel))
        return error_set(err, ECANCELED, "interrupted before the first run");
      if (mesh_lab_check(lab, err) < 0)
        return error_wrap(err, "before the first run");
      if (why)
        return error_set(err, error_code(why), "%s", error_message(why));
      if (clock_monotonic_ns() >= deadline_ns)
        return error_set(err, ETIMEDOUT,
                         "%s, %s, does not answer as it should within %lld s: the server has to answer "
                         "such a request with 2xx, and the mesh to let it through",
                         of->url, side == 0 ? "the server without the mesh" : "the server through the mesh",
                         (long long)(READY_TIMEOUT_NS / NS_PER_SECOND));
    }
  }
  return 0;
}

/* ---- the whole */

static int measure(const struct mesh_lab *lab, const struct perf_series *series, const struct load_arguments *load,
                   const struct load_series_mesh *mesh, bool json, struct error **err) {
  _cleanup_(target_destroy_p) struct target *direct = NULL, *through = NULL;
  struct load_options options = load->load;
  struct target_options at_direct = load->target, at_mesh = load->target;
  if (options.warm_up_ns == 0)
    options.warm_up_ns = WARM_UP_NS;
  at_direct.url = lab->direct_url;
  at_mesh.url = lab->through_url;
  int r = target_create(&at_direct, &direct, err);
  if (r == 0)
    r = target_create(&at_mesh, &through, err);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  const struct repeating repeating = {
      .sides = {{lab->direct_url, direct, &at_direct}, {lab->through_url, through, &at_mesh}},
      .load = &options,
      .workers = series->workers};
  if (wait_ready(lab, &repeating, err) < 0)
    return EXIT_COULD_NOT_TEST;
  int code = perf_series_run(series, &repeating, mesh, json, err);
  return mesh_lab_check(lab, *err ? NULL : err) < 0 && code != EXIT_INTERNAL ? EXIT_COULD_NOT_TEST : code;
}

static int conduct(struct mesh_lab *lab, const struct perf_mesh *options, const struct perf_series *series,
                   const struct load_arguments *load, bool json, struct error **err) {
  if (mesh_lab_prepare(lab, &options->mesh, err) < 0)
    return error_code(*err) == EHOSTUNREACH ? EXIT_COULD_NOT_TEST : EXIT_USAGE;
  interrupt_catch();
  int r = mesh_lab_start(lab, &options->mesh, err);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_COULD_NOT_TEST;
  const struct load_series_mesh mesh = {.name = lab->entry->description->mesh_name,
                                        .version = lab->version,
                                        .adapter = lab->entry->id,
                                        .adapter_version = lab->entry->description->adapter_version};
  return measure(lab, series, load, &mesh, json, err);
}

int perf_mesh_run(const struct perf_mesh *options, const struct perf_series *series, struct load_arguments *load,
                  bool json, struct error **err) {
  struct mesh_lab lab = {0};
  int code = conduct(&lab, options, series, load, json, err);
  size_t left = mesh_lab_finish(&lab);
  if (left == 0)
    return code;
  fprintf(stderr, "trammel: %zu %s of this run could not be removed; `trammel cleanup` tries again\n", left,
          left == 1 ? "object" : "objects");
  return code == EXIT_ALL_PASSED ? EXIT_COULD_NOT_TEST : code;
}
