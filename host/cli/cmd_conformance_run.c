/* trammel conformance run: the main job. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "host/cli/cmds.h"
#include "host/cli/colour.h"
#include "host/cli/duration.h"
#include "host/cli/interrupt.h"
#include "host/cli/kept_run.h"
#include "host/cli/lab_options.h"
#include "host/cli/logging.h"
#include "host/cli/mesh_options.h"
#include "host/cli/number.h"
#include "host/cli/reproduction.h"
#include "host/cli/run_events.h"
#include "host/cli/run_outputs.h"
#include "host/cli/suite_options.h"
#include "host/conformance/runner.h"
#include "host/engine/served_versions.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

/* Cases that run at once unless --parallel says otherwise: they mostly wait for convergence windows. */
#define PARALLEL_DEFAULT 8

struct arguments {
  struct mesh_options mesh;
  struct suite_options suite;
  struct outputs outputs;
  struct runner_options runner;
  struct list timing; /* options that say how long, and their arguments, in turn */
  const char *events; /* a file that is told what happens; NULL: none */
  const char *resume; /* id of a run, or "last"; NULL: a new one */
  bool seed_given;
  bool changed; /* something that a run that is gone on with has from its start */
  bool quiet;
  bool verbose;
  const char *colour; /* auto, always, never */
  struct lab_options lab;
};

enum {
  KEY_OUTPUT = 'o',
  KEY_QUIET = 'q',
  KEY_SEED = 0x400,
  KEY_PARALLEL,
  KEY_TIMEOUT,
  KEY_CONVERGE,
  KEY_HOLD,
  KEY_FAIL_FAST,
  KEY_COLOUR,
  KEY_VERBOSE,
  KEY_RESUME,
  KEY_EVENTS,
};

static const struct argp_option option_table[] = {
    {0, 0, 0, 0, "Run:", 3},
    {"seed", KEY_SEED, "N", 0, "order and traffic as in the run that had this seed", 3},
    {"parallel", KEY_PARALLEL, "N", 0, "cases at once, 1 to 32 (default 8)", 3},
    {"timeout", KEY_TIMEOUT, "DURATION", 0, "longest time for one case (default 3m)", 3},
    {"converge", KEY_CONVERGE, "DURATION", 0, "longest wait for a change to take effect (default 2s)", 3},
    {"hold", KEY_HOLD, "DURATION", 0, "how long it must then hold before it is judged (default 50ms)", 3},
    {"fail-fast", KEY_FAIL_FAST, 0, 0, "start no further case after a failed one", 3},
    {"resume", KEY_RESUME, "ID", 0,
     "go on with an interrupted run: its id, or last; with the options it was started with; `trammel conformance runs` "
     "lists them",
     3},
    {0, 0, 0, 0, "Output:", 4},
    {"output", KEY_OUTPUT, "FORMAT[=FILE]", 0,
     "text, json, junit, markdown, html, badge, tap or gateway-api, to standard output or a file; may be repeated", 4},
    {"quiet", KEY_QUIET, 0, 0, "no progress", 4},
    {"events", KEY_EVENTS, "FILE", 0, "tell what happens, as it happens, to a file or pipe: a JSON object a line", 4},
    {"verbose", KEY_VERBOSE, 0, 0, "show all that the adapter logs, on standard error", 4},
    {"colour", KEY_COLOUR, "WHEN", 0, "auto, always or never", 4},
    {0},
};

static int64_t keep_duration(struct arguments *arguments, const struct argp_state *state, const char *option,
                             const char *text) {
  int64_t duration_ns = duration_parse(state, option, text, false);
  if (list_add(&arguments->timing, option) < 0 || list_add(&arguments->timing, text) < 0)
    argp_failure(state, EXIT_INTERNAL, 0, "no memory");
  return duration_ns;
}

static error_t parse_run(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  struct runner_options *runner = &arguments->runner;
  arguments->changed |= key >= KEY_SEED && key <= KEY_FAIL_FAST;
  switch (key) {
  case KEY_RESUME:
    arguments->resume = argument;
    return 0;
  case KEY_SEED:
    runner->seed = number_parse(state, "--seed", argument, 0, UINT64_MAX);
    arguments->seed_given = true;
    return 0;
  case KEY_PARALLEL:
    runner->parallel = (unsigned)number_parse(state, "--parallel", argument, 1, LAB_SLOTS_MAX);
    return 0;
  case KEY_TIMEOUT:
    runner->case_timeout_ns = keep_duration(arguments, state, "--timeout", argument);
    return 0;
  case KEY_CONVERGE:
    runner->converge_ns = keep_duration(arguments, state, "--converge", argument);
    return 0;
  case KEY_HOLD:
    runner->hold_window_ns = keep_duration(arguments, state, "--hold", argument);
    return 0;
  case KEY_FAIL_FAST:
    runner->fail_fast = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->mesh;
    state->child_inputs[1] = &arguments->suite;
    state->child_inputs[2] = &arguments->lab;
    return 0;
  case KEY_OUTPUT:
    run_outputs_add(state, &arguments->outputs, argument);
    return 0;
  case KEY_QUIET:
    arguments->quiet = true;
    return 0;
  case KEY_EVENTS:
    arguments->events = argument;
    return 0;
  case KEY_VERBOSE:
    arguments->verbose = true;
    return 0;
  case KEY_COLOUR:
    arguments->colour = colour_when(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    argp_error(state, "unexpected argument '%s'; use --filter to select cases", argument);
    return EINVAL;
  default:
    return parse_run(key, argument, state);
  }
}

static const struct argp_child children[] = {
    {&mesh_options_argp, 0, NULL, 0}, {&suite_options_argp, 0, NULL, 0}, {&lab_options_argp, 0, NULL, 0}, {0}};
const struct argp cmd_conformance_run_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc = "Runs the conformance suite: places workloads, applies SMI resources through the mesh's adapter, sends real "
           "traffic and judges what "
           "arrived.\vWithout --mesh it uses the adapter that brings its own mesh: nothing needs to be installed.\n\n"
           "Exit codes: 0 all passed; 1 something failed; 2 usage or bad input; 3 could not test, or nothing was "
           "tested; 4 internal error.",
};

static void arguments_finish(struct arguments *arguments) {
  outputs_finish(&arguments->outputs);
  suite_options_finish(&arguments->suite);
  mesh_options_finish(&arguments->mesh);
  list_finish(&arguments->timing);
}

/* ---- the run */

/* Everything a run holds, in the order it is taken. */
struct session {
  struct registry *registry;
  const struct adapter_entry *entry;
  json_t *config;
  char *state; /* directory */
  struct suite *suite;
  struct plan plan;
  struct journal *journal;
  struct lab *lab;
  const char *lab_name;
  struct engine *engine;
  char *mesh_version;
  struct version_support *support;
  size_t support_count;
  struct kept_run kept;
  struct run_events events;
};

/* How many objects and processes could not be removed. */
static size_t session_finish(struct session *session) {
  engine_destroy(session->engine);
  lab_destroy(session->lab);
  kept_run_finish(&session->kept);
  (void)run_events_close(&session->events, NULL);
  size_t left = journal_finish(session->journal);
  plan_finish(&session->plan);
  suite_destroy(session->suite);
  json_decref(session->config);
  registry_destroy(session->registry);
  free(session->support);
  free(session->mesh_version);
  free(session->state);
  return left;
}

/* A run that is gone on with has the API versions it began with. */
static int keep_versions(struct session *session, struct error **err) {
  const struct run_result *before = session->kept.before;
  if (!before || served_versions_keep(session->entry->description, before->config, session->config) == 0)
    return 0;
  return error_set(err, ENOMEM, "no memory");
}

/* What needs no mesh: adapter, configuration, suite, plan, state directory. Failures here are bad input. */
static int session_prepare(struct session *session, const struct arguments *arguments, struct error **err) {
  session->lab_name = arguments->lab.kubernetes ? "kubernetes" : "process";
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  int r = mesh_options_find(&arguments->mesh, &session->registry, &session->entry, err);
  if (r == 0)
    r = mesh_options_config(&arguments->mesh, session->entry, diagnostics, &session->config, err);
  diagnostics_print(diagnostics, stderr);
  if (r == 0)
    r = keep_versions(session, err);
  if (r == 0)
    r = mesh_options_check_endpoints(&arguments->mesh, session->entry, err);
  if (r == 0)
    r = mesh_options_check_programs(&arguments->mesh, session->entry, true, err);
  if (r == 0)
    r = state_directory(&session->state, err);
  if (r == 0 && support_of(session->entry->description, &session->support, &session->support_count) < 0)
    r = error_set(err, ENOMEM, "no memory");
  if (r == 0)
    r = suite_options_load(&arguments->suite, &session->suite, err);
  if (r < 0)
    return r;
  struct selection selection = suite_options_selection(&arguments->suite);
  r = plan_create(session->suite, &selection, arguments->runner.seed, &session->plan, err);
  if (r < 0)
    return r;
  if (arguments->lab.kubernetes)
    plan_group_by_topology(&session->plan);
  return session->plan.count > 0 ? 0
                                 : error_set(err, ENOENT, "no case is selected; `trammel conformance list` shows them");
}

static int session_detect(struct session *session, struct error **err) {
  Trammel__Adapter__V1__DetectResponse *found = NULL;
  int r = engine_detect(session->engine, &found, err);
  if (r < 0)
    return r;
  if (!found->present || !found->ready)
    r = error_set(err, ENODEV, "the mesh is not ready: %s", found->detail);
  else if (!(session->mesh_version = strdup(found->mesh_version)))
    r = error_set(err, ENOMEM, "no memory");
  trammel__adapter__v1__detect_response__free_unpacked(found, NULL);
  return r;
}

static int open_lab(struct session *session, const struct arguments *arguments, struct error **err) {
  const struct process_lab_options process = {
      .slots = arguments->runner.parallel,
      .workloads = session->plan.workloads,
      .journal = session->journal,
      .cancel = interrupt_flag(),
  };
  const struct kubernetes_lab_options kubernetes = {
      .slots = arguments->runner.parallel,
      .cluster = &arguments->mesh.cluster,
      .image = arguments->lab.image,
      .journal = session->journal,
      .cancel = interrupt_flag(),
  };
  return arguments->lab.kubernetes ? kubernetes_lab_create(&kubernetes, &session->lab, err)
                                   : process_lab_create(&process, &session->lab, err);
}

/* On a cluster, a mesh that does not come with its adapter is there already. */
static bool is_to_be_installed(const struct session *session, const struct arguments *arguments) {
  return arguments->mesh.endpoints.count == 0 && (!arguments->lab.kubernetes || session->entry->description->embedded);
}

/* On a cluster, those of the mesh's API versions that it serves. */
static int choose_versions(struct session *session, const struct arguments *arguments, struct error **err) {
  const Trammel__Adapter__V1__DescribeResponse *description = session->entry->description;
  struct cluster *cluster = NULL;
  bool on_cluster = arguments->lab.kubernetes || cluster_options_given(&arguments->mesh.cluster);
  if (!on_cluster || session->kept.before || description->n_version_options == 0)
    return 0;
  int r = cluster_open(&arguments->mesh.cluster, &cluster, err);
  if (r == 0)
    r = served_versions_choose(cluster, description, interrupt_flag(), session->config, err);
  cluster_close(cluster);
  return r;
}

/* Journal, lab, engine, mesh. Failures here mean that it could not test. */
static int session_start(struct session *session, const struct arguments *arguments, struct error **err) {
  int r = journal_create(session->state, &session->journal, err);
  if (r < 0)
    return r;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  r = open_lab(session, arguments, err);
  if (r == 0)
    r = choose_versions(session, arguments, err);
  if (r == 0)
    r = engine_create(session->entry, session->config, session->journal, interrupt_flag(), diagnostics,
                      &session->engine, err);
  if (r == 0 && arguments->lab.kubernetes && !cluster_options_given(&arguments->mesh.cluster))
    r = engine_set_cluster(session->engine, &arguments->mesh.cluster, err);
  if (r == 0)
    r = mesh_options_address(&arguments->mesh, session->engine, err);
  if (r == 0 && is_to_be_installed(session, arguments))
    r = engine_plan(session->engine, TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_INSTALL,
                    lab_options_kind(&arguments->lab), lab_mesh_address(session->lab), err);
  diagnostics_print(diagnostics, stderr);
  return r < 0 ? r : session_detect(session, err);
}

/* The run's command lines. */
struct lines {
  char *given;
  char *circumstances;
  int count; /* the words after the command, as they were given */
  const char *const *words;
};

static void describe_run(struct run_result *run, const struct session *session, const struct lines *lines) {
  const Trammel__Adapter__V1__DescribeResponse *description = session->entry->description;
  run->id = journal_run_id(session->journal);
  run->trammel_version = TRAMMEL_VERSION;
  run->suite = suite_name(session->suite);
  run->adapter_id = session->entry->id;
  run->adapter_version = description->adapter_version;
  run->adapter_digest = *session->entry->digest ? session->entry->digest : NULL; /* a remote one has no file here */
  run->adapter_path = session->entry->path;
  run->mesh_name = description->mesh_name;
  run->mesh_type = description->mesh_type;
  run->mesh_version = session->mesh_version;
  run->support = session->support;
  run->support_count = session->support_count;
  run->lab = session->lab_name;
  run->command = lines->given;
  run->reproduce = lines->circumstances;
  run->config = json_incref(session->config);
}

static struct run_facts facts_of(const struct session *session) {
  return (struct run_facts){
      .entry = session->entry, .config = session->config, .suite = session->suite, .plan = &session->plan};
}

/* A run whose results cannot be kept is a run all the same. */
static void begin_keeping(struct session *session, const struct arguments *arguments, const struct lines *lines) {
  struct run_facts facts = facts_of(session);
  struct run_result run = {
      .source = session->suite,
      .seed = arguments->runner.seed,
      .planned = (unsigned)session->plan.count,
      .not_applicable = session->plan.not_applicable,
      .started_ns = clock_realtime_ns(),
  };
  _cleanup_error_ struct error *err = NULL;
  describe_run(&run, session, lines);
  if (kept_run_begin(&session->kept, session->state, &run, &facts, lines->count, lines->words, &err) < 0)
    fprintf(stderr, "trammel: %s; this run cannot be gone on with\n", error_message(err));
  json_decref(run.config);
}

static int check_mesh(const struct session *session, struct error **err) {
  const struct run_result *before = session->kept.before;
  if (!before || !before->mesh_version || strcmp(before->mesh_version, session->mesh_version) == 0)
    return 0;
  return error_set(err, EINVAL, "run %s cannot be gone on with: the mesh was version %s, now it is %s", before->id,
                   before->mesh_version, session->mesh_version);
}

/* Runs the cases with progress shown where a person may see it. */
static int execute(struct session *session, struct arguments *arguments, struct run_result **ret_run,
                   struct error **err) {
  struct runner_options options = arguments->runner;
  options.plan = &session->plan;
  options.cancel = interrupt_flag();
  options.done = session->kept.done;
  FILE *where = outputs_for_people(&arguments->outputs) ? stdout : stderr;
  const char *term = getenv("TERM");
  bool terminal = isatty(fileno(where)) && !(term && strcmp(term, "dumb") == 0);
  struct progress *progress =
      arguments->quiet ? NULL
                       : progress_create(where, terminal, colour_wanted(arguments->colour, terminal), options.parallel);
  if (progress)
    options.listener = progress_listener(progress);
  options.listener = run_events_listener(&session->events, options.seed, &options.listener);
  options.listener = kept_run_listener(&session->kept, &options.listener); /* what is told is kept */
  int r = runner_run(session->engine, session->lab, &options, ret_run, err);
  progress_destroy(progress);
  return r;
}

/* What is left to be done can be done later, as can a report that could not be written. */
static void end_keeping(struct session *session, const struct run_result *run, bool reported) {
  char id[RESULTS_ID_SIZE];
  if (!session->kept.results)
    return;
  (void)snprintf(id, sizeof(id), "%s", results_id(session->kept.results));
  if (kept_run_end(&session->kept, run->case_count > 0 && (run->interrupted || !reported)))
    fprintf(stderr, "trammel: `trammel conformance run --resume %s` goes on with it\n", id);
}

static int report(struct session *session, struct arguments *arguments, struct run_result *run,
                  const struct lines *lines, struct error **err) {
  _cleanup_free_ struct case_result *cases = NULL;
  if (session->journal) /* else all was done before, and what is told is what was kept */
    describe_run(run, session, lines);
  struct run_result whole = *run;
  if (session->kept.before && kept_run_whole(&session->kept, &session->plan, run, &whole, &cases) < 0)
    return error_set(err, ENOMEM, "no memory");
  int r = run_outputs_write(&arguments->outputs, &whole, colour_wanted(arguments->colour, isatty(STDOUT_FILENO)), err);
  if (whole.interrupted)
    fprintf(stderr, "trammel: ended early (%s): %zu of %u cases ran\n", whole.stop_reason, whole.case_count,
            whole.planned);
  end_keeping(session, &whole, r == 0);
  return r < 0 ? r : run_exit_code(&whole);
}

/* Everything up to the first case; nothing when there is none left. */
static int start(struct session *session, const struct arguments *arguments, const struct lines *lines,
                 struct error **err) {
  if (session->kept.before && session->kept.done_count == session->plan.count)
    return 0;
  int r = session_start(session, arguments, err);
  if (r == 0)
    r = check_mesh(session, err);
  if (r == 0 && !session->kept.before)
    begin_keeping(session, arguments, lines);
  return r;
}

/* What is bad input: also a run that is not the one that is to be gone on with. */
static int prepare(struct session *session, struct arguments *arguments, struct error **err) {
  int r = session_prepare(session, arguments, err);
  if (r < 0)
    return r;
  struct run_facts facts = facts_of(session);
  r = session->kept.before ? kept_run_match(&session->kept, &facts, err) : 0;
  size_t left = session->plan.count - session->kept.done_count;
  if (left < arguments->runner.parallel)
    arguments->runner.parallel = left > 0 ? (unsigned)left : 1;
  if (r == 0)
    r = outputs_open(&arguments->outputs, err);
  return r < 0 || !arguments->events ? r : run_events_open(&session->events, arguments->events, err);
}

/* The exit code. */
static int conduct(struct session *session, struct arguments *arguments, const struct lines *lines,
                   struct error **err) {
  if (prepare(session, arguments, err) < 0)
    return error_code(*err) == EHOSTUNREACH ? EXIT_COULD_NOT_TEST : EXIT_USAGE;
  interrupt_catch();
  struct run_result *run = NULL;
  int r = start(session, arguments, lines, err);
  if (r >= 0)
    r = execute(session, arguments, &run, err);
  if (r < 0 && interrupt_came())
    (void)error_set(err, ECANCELED, "interrupted before the first case");
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_COULD_NOT_TEST;
  r = report(session, arguments, run, lines, err);
  run_result_free(run);
  if (run_events_close(&session->events, r < 0 ? NULL : err) < 0 && r >= 0)
    return EXIT_INTERNAL;
  return r < 0 ? EXIT_INTERNAL : r;
}

/* Short enough to be typed again. */
static uint64_t fresh_seed(void) {
  uint32_t seed = 0;
  if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
    seed = (uint32_t)clock_monotonic_ns();
  return seed;
}

/* The exit code, when `left` objects and processes could not be removed. A failed case says more. */
static int account(size_t left, int code) {
  if (left == 0)
    return code;
  fprintf(stderr, "trammel: %zu %s of this run could not be removed; `trammel cleanup` tries again\n", left,
          left == 1 ? "object" : "objects");
  return code == EXIT_ALL_PASSED ? EXIT_COULD_NOT_TEST : code;
}

static void arguments_init(struct arguments *arguments) {
  *arguments = (struct arguments){
      .lab = {.image = LAB_IMAGE_DEFAULT},
      .runner = {.parallel = PARALLEL_DEFAULT,
                 .case_timeout_ns = CASE_TIMEOUT_DEFAULT_NS,
                 .converge_ns = CONVERGE_DEFAULT_NS,
                 .hold_window_ns = HOLD_WINDOW_DEFAULT_NS,
                 .seed = fresh_seed()},
  };
}

/* Whether anything was given that a run has from its start. */
static bool changes_run(const struct arguments *arguments) {
  const struct mesh_options *mesh = &arguments->mesh;
  const struct suite_options *suite = &arguments->suite;
  return arguments->changed || arguments->lab.changed || mesh->mesh || mesh->remote || mesh->config_file ||
         mesh->settings.count > 0 || mesh->endpoints.count > 0 || mesh->tokens.count > 0 || mesh->programs.count > 0 ||
         mesh->adapters.directories.count > 0 || suite->name || suite->filter || suite->directories.count > 0 ||
         suite->cases.count > 0 || suite->groups.count > 0 || suite->requirements.count > 0 ||
         suite->versions.count > 0;
}

/* Puts what the run was started with in the place of `arguments`; only what is shown of it, and where, may be new. */
static int take_up(struct session *session, struct arguments *arguments, struct error **err) {
  _cleanup_free_ char *state = NULL;
  if (changes_run(arguments))
    return error_set(err, EINVAL,
                     "--resume goes on with a run as it was started; only -o, --events, --quiet, --verbose "
                     "and --colour can be given with it");
  int r = state_directory(&state, err);
  if (r == 0)
    r = kept_run_open(state, arguments->resume, &session->kept, err);
  if (r < 0)
    return r;
  struct arguments started;
  arguments_init(&started);
  command_parse(&cmd_conformance_run_argp, session->kept.argc, session->kept.argv, &started);
  if (arguments->outputs.count > 0)
    started.outputs = arguments->outputs;
  started.quiet |= arguments->quiet;
  started.verbose |= arguments->verbose;
  if (arguments->colour)
    started.colour = arguments->colour;
  started.events = arguments->events;
  *arguments = started;
  return 0;
}

static char *given_line(const struct session *session, const struct arguments *arguments, int count,
                        const char *const *words) {
  if (session->kept.before)
    return session->kept.before->command ? strdup(session->kept.before->command) : NULL;
  return command_line_as_given(count, words, arguments->seed_given, arguments->runner.seed);
}

/* The exit code. `words` are as they were given, because parsing cuts them up. */
static int run_as_given(struct session *session, struct arguments *arguments, int count, const char *const *words,
                        struct error **err) {
  if (arguments->resume && take_up(session, arguments, err) < 0)
    return EXIT_USAGE;
  struct lines lines = {
      .given = given_line(session, arguments, count, words),
      .circumstances = command_line_of_circumstances(&arguments->mesh, &arguments->lab, &arguments->suite,
                                                     &arguments->timing, arguments->runner.seed),
      .count = count - 1,
      .words = words + 1,
  };
  logging_start(arguments->verbose);
  int code = lines.given && lines.circumstances ? conduct(session, arguments, &lines, err) : EXIT_INTERNAL;
  free(lines.given);
  free(lines.circumstances);
  return code;
}

static void free_words(char **words, int count) {
  for (int i = 0; words && i < count; i++)
    free(words[i]);
  free(words);
}

int cmd_conformance_run(int argc, char **argv) {
  struct arguments arguments;
  struct session session = {0};
  _cleanup_error_ struct error *err = NULL;
  char **words = calloc((size_t)argc + 1, sizeof(*words));
  bool copied = words != NULL;
  for (int i = 0; copied && i < argc; i++)
    copied = (words[i] = strdup(argv[i])) != NULL;
  arguments_init(&arguments);
  command_parse(&cmd_conformance_run_argp, argc, argv, &arguments);
  int code = copied ? run_as_given(&session, &arguments, argc, (const char *const *)words, &err) : EXIT_INTERNAL;
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  code = account(session_finish(&session), code);
  free_words(words, argc);
  arguments_finish(&arguments);
  return code;
}
