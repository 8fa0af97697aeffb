/* trammel doctor: what this machine offers, and what of it is in force. */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/adapter/child.h"
#include "host/cli/adapter_options.h"
#include "host/cli/cmds.h"
#include "host/engine/journal.h"
#include "host/package/installed.h"

/* Descriptors that each process of a run of the whole suite gets by with. */
#define DESCRIPTORS_WANTED 1024
#define DESCRIPTORS_TEXT "1024"

struct arguments {
  struct adapter_options adapters;
  bool json;
};

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "text or json (default: text)", 0},
    {0},
};
static const struct argp_child children[] = {{&adapter_options_argp, 0, NULL, 0}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->adapters;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    argp_error(state, "doctor takes no arguments, but got '%s'", argument);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_doctor_argp = {
    .options = option_table,
    .children = children,
    .parser = parse,
    .doc = "Looks at what this machine offers: what confines adapters that did not come with Trammel, whether it is in "
           "force, which is found out by trying to get out of it, which adapters there are, and where things are "
           "kept.\vExits with 1 when something is missing that a run may need.",
};

/* ---- findings: {"what", "good", "seen", and a "remedy" where it is not good} */

/* Takes `seen`, a heap string. */
static void add(json_t *findings, const char *what, bool good, char *seen, const char *remedy) {
  json_t *finding = json_pack("{s:s, s:b, s:s}", "what", what, "good", good, "seen", seen ? seen : "?");
  if (!good)
    (void)json_object_set_new(finding, "remedy", json_string(remedy));
  (void)json_array_append_new(findings, finding);
  free(seen);
}

static char *__attribute__((format(printf, 1, 2))) text(const char *format, ...) {
  va_list arguments;
  char *made = NULL;
  va_start(arguments, format);
  int r = vasprintf(&made, format, arguments);
  va_end(arguments);
  return r < 0 ? NULL : made;
}

static void add_layers(json_t *findings, const json_t *tried) {
  int landlock = (int)json_integer_value(json_object_get(tried, "landlock"));
  bool seccomp = json_is_true(json_object_get(tried, "seccomp"));
  add(findings, "Landlock", landlock > 0,
      landlock == 0 ? text("the kernel has none")
                    : text("version %d: files%s%s", landlock, landlock >= 4 ? ", TCP" : "",
                           landlock >= 6 ? ", signals and abstract sockets" : ""),
      "a kernel of 5.13 or later, with landlock among the modules of its boot parameter lsm=; until then, adapters "
      "that "
      "did not come with Trammel want --allow-unconfined");
  add(findings, "seccomp", seccomp, text("the kernel %s", seccomp ? "filters system calls" : "filters no system calls"),
      "a kernel with CONFIG_SECCOMP_FILTER; until then, adapters that did not come with Trammel want "
      "--allow-unconfined");
}

static void add_attempts(json_t *findings, const json_t *tried) {
  size_t i;
  const json_t *attempt;
  json_array_foreach(json_object_get(tried, "attempts"), i, attempt) {
    bool denied = json_is_true(json_object_get(attempt, "denied"));
    add(findings, "confined", denied,
        text("%s: %s", json_string_value(json_object_get(attempt, "what")), denied ? "denied" : "NOT denied"),
        "an adapter could do this here: run only adapters whose makers you trust");
  }
}

static void add_confinement(json_t *findings) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *answer = NULL;
  json_auto_t *tried = child_try(&answer, &err) == 0 ? json_loads(answer, 0, NULL) : NULL;
  if (tried) {
    add_layers(findings, tried);
    add_attempts(findings, tried);
    return;
  }
  add(findings, "confined", false, text("%s", err ? error_message(err) : "trammel-runner gave no answer"),
      "trammel-runner must be beside trammel, and must be able to start");
}

static void add_adapters(json_t *findings, const struct adapter_options *options) {
  _cleanup_error_ struct error *err = NULL;
  struct registry *registry = NULL;
  size_t usable = 0;
  if (adapter_options_scan(options, &registry, &err) < 0) {
    add(findings, "adapters", false, text("%s", error_message(err)), "name directories that can be read");
    return;
  }
  for (size_t i = 0; i < registry_count(registry); i++)
    usable += registry_at(registry, i)->usable;
  add(findings, "adapters", usable > 0, text("%zu usable, %zu refused", usable, registry_count(registry) - usable),
      "`trammel adapter list` says where they are looked for, and why some are refused");
  registry_destroy(registry);
}

/* Those that no list of adapters has, because their files are not what was installed. */
static void add_installed(json_t *findings) {
  _cleanup_error_ struct error *err = NULL, *no_directory = NULL;
  _cleanup_free_ char *data = NULL;
  _cleanup_installed_ struct installed *installed = NULL;
  size_t good = 0;
  if (data_directory(&data, &no_directory) < 0)
    return; /* which the data directory's own finding says */
  if (installed_open(data, false, &installed, &err) < 0) {
    add(findings, "installed", false, text("%s", error_message(err)), "until then, no installed adapter is used");
    return;
  }
  for (size_t i = 0; i < installed_count(installed); i++) {
    const struct installed_adapter *adapter = installed_at(installed, i);
    _cleanup_error_ struct error *damage = NULL;
    if (installed_verify(installed, adapter->id, &adapter->current, &damage) < 0)
      add(findings, "installed", false, text("%s", error_message(damage)),
          "install its package once more: `trammel adapter install`");
    else
      good++;
  }
  add(findings, "installed", true, text("%zu unchanged", good), NULL);
}

/* A directory that is made when it is needed: what is there of its path must take files. */
static void add_directory(json_t *findings, const char *what, int (*find)(char **ret_path, struct error **err),
                          const char *remedy) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *path = NULL;
  if (find(&path, &err) < 0) {
    add(findings, what, false, text("%s", error_message(err)), remedy);
    return;
  }
  _cleanup_free_ char *there = strdup(path);
  while (there && access(there, F_OK) != 0 && strrchr(there, '/') > there)
    *strrchr(there, '/') = '\0';
  bool good = there && access(there, W_OK | X_OK) == 0;
  add(findings, what, good, text(good ? "%s" : "%s cannot be written", path), remedy);
}

static void add_system(json_t *findings) {
  struct utsname system;
  struct rlimit limit = {0};
  if (uname(&system) == 0)
    add(findings, "kernel", true, text("%s %s, %s", system.sysname, system.release, system.machine), NULL);
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  add(findings, "open files", limit.rlim_cur >= DESCRIPTORS_WANTED, text("at most %ju", (uintmax_t)limit.rlim_cur),
      "allow more: ulimit -n " DESCRIPTORS_TEXT);
}

/* ---- telling */

static bool all_good(const json_t *findings) {
  size_t i;
  const json_t *finding;
  json_array_foreach(findings, i, finding) {
    if (!json_is_true(json_object_get(finding, "good")))
      return false;
  }
  return true;
}

static void print_text(const json_t *findings) {
  size_t i;
  const json_t *finding;
  json_array_foreach(findings, i, finding) {
    const char *remedy = json_string_value(json_object_get(finding, "remedy"));
    printf("%-8s %-11s %s\n", remedy ? "MISSING" : "ok", json_string_value(json_object_get(finding, "what")),
           json_string_value(json_object_get(finding, "seen")));
    if (remedy)
      printf("%-20s %s\n", "", remedy);
  }
}

int cmd_doctor(int argc, char **argv) {
  struct arguments arguments = {0};
  command_parse(&cmd_doctor_argp, argc, argv, &arguments);
  json_t *findings = json_array();
  add_system(findings);
  add_confinement(findings);
  add_adapters(findings, &arguments.adapters);
  add_installed(findings);
  add_directory(findings, "state", state_directory, "set TRAMMEL_STATE_DIR to a directory that can be written");
  add_directory(findings, "data", data_directory, "set TRAMMEL_DATA_DIR to a directory that can be written");
  adapter_options_finish(&arguments.adapters);
  bool good = all_good(findings);
  json_auto_t *answer = json_pack("{s:b, s:o}", "good", good, "findings", findings);
  if (!answer)
    return EXIT_INTERNAL;
  if (arguments.json)
    (void)(json_dumpf(answer, stdout, JSON_INDENT(2)) == 0 && putchar('\n'));
  else
    print_text(findings);
  return good ? EXIT_ALL_PASSED : EXIT_SOMETHING_FAILED;
}
