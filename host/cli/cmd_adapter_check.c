/* trammel adapter check: whether an adapter keeps to the contract. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/certify/kept.h"
#include "host/certify/report.h"
#include "host/cli/cmds.h"
#include "host/cli/mesh_options.h"
#include "host/cli/number.h"
#include "host/cli/packages.h"

struct arguments {
  const char *path;
  struct mesh_options mesh; /* of it, only settings and the configuration file */
  struct list only;
  uint64_t seed;
  bool allow_unconfined;
  bool json;
};
enum { KEY_SEED = 0x100, KEY_ONLY, KEY_ALLOW_UNCONFINED };

static const struct argp_option option_table[] = {
    {"allow-unconfined", KEY_ALLOW_UNCONFINED, NULL, 0,
     "run the adapter also where the kernel lacks a part of its confinement; `trammel doctor` tells", 0},
    {"set", 's', "KEY=VALUE", 0, "set a key of the adapter's configuration, where it needs one", 0},
    {"config", 'c', "FILE", 0, "read the adapter's configuration from a YAML or JSON file; --set goes on top", 0},
    {"seed", KEY_SEED, "N", 0, "ask what the check that reported this seed asked", 0},
    {"only", KEY_ONLY, "CHECK", 0, "run this check only; may be repeated. No report is kept then", 0},
    {"output", 'o', "FORMAT", 0, "text or json (default: text)", 0},
    {0},
};

static const struct certify_check *find_check(const char *id) {
  for (size_t i = 0; i < certify_check_count; i++)
    if (strcmp(certify_checks[i].id, id) == 0)
      return &certify_checks[i];
  return NULL;
}

static error_t add_only(struct arguments *arguments, const char *id, const struct argp_state *state) {
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  if (find_check(id))
    return -list_add(&arguments->only, id);
  for (size_t i = 0; i < certify_check_count; i++)
    strbuf_printf(&known, "%s%s", i ? ", " : "", certify_checks[i].id);
  argp_error(state, "there is no check '%s'; there are: %s", id, strbuf_text(&known));
  return EINVAL;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case KEY_ALLOW_UNCONFINED:
    arguments->allow_unconfined = true;
    return 0;
  case 's':
    if (!strchr(argument, '=') || argument[0] == '=')
      argp_error(state, "--set wants KEY=VALUE, not '%s'", argument);
    return -list_add(&arguments->mesh.settings, argument);
  case 'c':
    arguments->mesh.config_file = argument;
    return 0;
  case KEY_SEED:
    arguments->seed = number_parse(state, "--seed", argument, 0, UINT64_MAX);
    return 0;
  case KEY_ONLY:
    return add_only(arguments, argument, state);
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->path)
      argp_error(state, "one adapter at a time");
    if (strcmp(argument, "-") == 0)
      argp_error(state, "standard input cannot be checked; name a file: a shared object (.so) or a package (.trm)");
    arguments->path = argument;
    return 0;
  case ARGP_KEY_END:
    if (!arguments->path)
      argp_error(state, "which adapter? Name its shared object (.so) or its package (.trm)");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_adapter_check_argp = {
    .options = option_table,
    .parser = parse,
    .args_doc = "PACKAGE.trm|ADAPTER.so",
    .doc =
        "Checks whether an adapter keeps to the contract: in the host's process and in a process of its own, each "
        "check "
        "in a process that is confined. The report is kept, and `trammel adapter list` and `show` tell of it.\v"
        "docs/certification.md says what each check proves. Exit codes: 0 all passed, there may be warnings; 1 a check "
        "failed or crashed; 2 no adapter, or a configuration that does not fit; 3 it could not be checked.",
};

/* ---- progress */

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

static void catch_signals(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
  for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
    struct sigaction before;
    if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
      (void)sigaction(numbers[i], &action, NULL);
  }
}

#define CLEAR_LINE "\r\033[K"

static void show_progress(void *ctx, const struct certify_check *check, enum certify_place place, size_t number) {
  (void)ctx;
  (void)fprintf(stderr, CLEAR_LINE "%zu/%zu %s, %s", number, certify_check_count, check->id, certify_place_name(place));
  (void)fflush(stderr);
}

static void end_progress(bool shown) {
  if (shown)
    (void)fputs(CLEAR_LINE, stderr);
}

/* ---- the command */

static int configure(const struct arguments *arguments, struct subject *subject, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  json_t *config = NULL;
  bool given = arguments->mesh.settings.count > 0 || arguments->mesh.config_file;
  subject->configured = given;
  if (!subject->entry.usable)
    return 0;
  if (!given && subject->entry.description->config_schema.len == 0)
    return subject_configure(subject, NULL, err);
  int r = diagnostics ? mesh_options_config(&arguments->mesh, &subject->entry, diagnostics, &config, err)
                      : error_set(err, ENOMEM, "out of memory");
  diagnostics_print(diagnostics, stderr);
  if (r == 0)
    r = subject_configure(subject, config, err);
  json_decref(config);
  return r;
}

static int keep(const struct arguments *arguments, const json_t *report, struct error **err) {
  _cleanup_free_ char *data = NULL;
  if (arguments->only.count > 0)
    return 0;
  int r = data_directory(&data, err);
  return r < 0 ? r : kept_write(data, report, err);
}

static int print(const struct arguments *arguments, const struct certify_report *report) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_error_ struct error *err = NULL;
  json_t *json = certify_report_json(report);
  if (!json) {
    (void)fputs("trammel: the report could not be made: out of memory; run the checks again\n", stderr);
    return EXIT_INTERNAL;
  }
  if (keep(arguments, json, &err) < 0) /* it is there to be read all the same */
    (void)fprintf(stderr, "trammel: warning: %s\n", error_message(err));
  certify_report_text(report, &text);
  int code;
  if (arguments->json) {
    code = packages_print_json(json);
  } else {
    json_decref(json);
    code = packages_print(&text);
  }
  return code == EXIT_ALL_PASSED && !certify_report_good(report) ? EXIT_SOMETHING_FAILED : code;
}

static int fail(const struct error *err) {
  int code = packages_fail(err);
  return error_code(err) == EINTR || error_code(err) == ENOSYS || error_code(err) == ENOEXEC ||
                 error_code(err) == EAGAIN
             ? EXIT_COULD_NOT_TEST
             : code;
}

/* Before anything is checked: a place for the report that is a mistake is told now, not after minutes. */
static int open_subject(const struct arguments *arguments, struct subject *ret_subject, struct error **err) {
  _cleanup_free_ char *data = NULL;
  int r = packages_directory(&data, err);
  return r < 0 ? r : subject_open(arguments->path, arguments->allow_unconfined, ret_subject, err);
}

static int run(const struct arguments *arguments, struct error **err) {
  struct subject subject;
  int r = open_subject(arguments, &subject, err);
  if (r < 0)
    return fail(*err);
  bool shown = isatty(STDERR_FILENO) == 1;
  const struct certify_run run = {
      .interrupted = &interrupted, .only = arguments->only.items, .progress = shown ? show_progress : NULL};
  struct certify_report report = {
      .subject = &subject, .name = arguments->path, .version = TRAMMEL_VERSION, .seed = arguments->seed};
  r = configure(arguments, &subject, err);
  int code = r < 0 ? fail(*err) : EXIT_ALL_PASSED;
  if (r == 0) {
    catch_signals();
    r = certify(&report, &run, err);
    end_progress(shown);
    code = r < 0 ? fail(*err) : print(arguments, &report);
  }
  certify_report_finish(&report);
  subject_close(&subject);
  return code;
}

static uint64_t fresh_seed(void) {
  uint32_t seed = 0;
  (void)!getrandom(&seed, sizeof seed, 0);
  return seed;
}

int cmd_adapter_check(int argc, char **argv) {
  struct arguments arguments = {.seed = fresh_seed()};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_adapter_check_argp, argc, argv, &arguments);
  int code = run(&arguments, &err);
  list_finish(&arguments.only);
  mesh_options_finish(&arguments.mesh);
  return code;
}
