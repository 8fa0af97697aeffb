#include "host/cli/suite_options.h"

#include <errno.h>
#include <string.h>

#include "host/cli/command.h"

enum { KEY_SUITE = 0x300, KEY_CASE, KEY_FILTER = 'f', KEY_GROUP = 'g', KEY_REQUIREMENT = 'r', KEY_VERSION = 'v' };

static const struct argp_option option_table[] = {
    {0, 0, 0, 0, "Cases:", 2},
    {"suite", KEY_SUITE, "SUITE", 0,
     "smi (the default) or baseline; or a folder, to add the cases below it: one with a known id replaces it", 2},
    {"filter", KEY_FILTER, "PATTERN", 0, "only cases whose id matches: a glob, or a part of the id", 2},
    {"case", KEY_CASE, "ID", 0, "only this case; may be repeated", 2},
    {"group", KEY_GROUP, "GROUP", 0, "only access, specs, split or metrics; comma-separated or repeated", 2},
    {"requirement", KEY_REQUIREMENT, "ID", 0,
     "only cases that prove this requirement, e.g. ACC-05; comma-separated or repeated", 2},
    {"spec-version", KEY_VERSION, "VERSION", 0,
     "only this API version, e.g. access/v1alpha3; comma-separated or repeated", 2},
    {0},
};

static void check_groups(const struct argp_state *state, const struct list *groups) {
  static const char *const known[] = {"access", "specs", "split", "metrics", NULL};
  for (size_t i = 0; i < groups->count; i++) {
    int k = 0;
    while (known[k] && strcmp(known[k], groups->items[i]) != 0)
      k++;
    if (!known[k])
      argp_error(state, "unknown group '%s'; known: access, specs, split, metrics", groups->items[i]);
  }
}

static void check_requirements(const struct argp_state *state, const struct list *requirements) {
  for (size_t i = 0; i < requirements->count; i++)
    if (!requirement_find(requirements->items[i]))
      argp_error(state, "unknown requirement '%s'; `trammel conformance list` shows them", requirements->items[i]);
}

static void check_versions(const struct argp_state *state, const struct list *versions) {
  struct smi_version version;
  for (size_t i = 0; i < versions->count; i++)
    if (smi_version_parse(versions->items[i], &version) < 0)
      argp_error(state, "unknown version '%s'; written like access/v1alpha3", versions->items[i]);
}

/* The name of a built-in suite, or a folder; write ./baseline for a folder of such a name. */
static error_t choose_suite(const struct argp_state *state, struct suite_options *options, const char *argument) {
  if (!suite_is_embedded(argument))
    return -list_add(&options->directories, argument);
  if (options->name && strcmp(options->name, argument) != 0)
    argp_error(state, "one built-in suite at a time, not both %s and %s", options->name, argument);
  options->name = argument;
  return 0;
}

/* An option that names nothing, as from a variable that is not set, would select everything. */
static void refuse_empty(const struct argp_state *state, const char *option, const char *argument,
                         const char *separators) {
  if (!argument[strspn(argument, separators)])
    argp_error(state, "%s wants something to select, not '%s'", option, argument);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct suite_options *options = state->input;
  switch (key) {
  case KEY_SUITE:
    return choose_suite(state, options, argument);
  case KEY_CASE:
    return -list_add(&options->cases, argument);
  case KEY_FILTER:
    refuse_empty(state, "--filter", argument, "");
    options->filter = argument;
    return 0;
  case KEY_GROUP:
    refuse_empty(state, "--group", argument, ",");
    return -list_add_split(&options->groups, argument);
  case KEY_REQUIREMENT:
    refuse_empty(state, "--requirement", argument, ",");
    return -list_add_split(&options->requirements, argument);
  case KEY_VERSION:
    refuse_empty(state, "--spec-version", argument, ",");
    return -list_add_split(&options->versions, argument);
  case ARGP_KEY_END:
    check_groups(state, &options->groups);
    check_requirements(state, &options->requirements);
    check_versions(state, &options->versions);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp suite_options_argp = {.options = option_table, .parser = parse};

void suite_options_finish(struct suite_options *options) {
  list_finish(&options->directories);
  list_finish(&options->cases);
  list_finish(&options->groups);
  list_finish(&options->requirements);
  list_finish(&options->versions);
}

int suite_options_load(const struct suite_options *options, struct suite **ret_suite, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (!diagnostics)
    return error_set(err, ENOMEM, "loading the suite: no memory");
  int r = suite_load(options->name ? options->name : "smi", options->directories.items, diagnostics, ret_suite, err);
  diagnostics_print(diagnostics, stderr);
  for (size_t i = 0; r == 0 && i < options->cases.count; i++)
    if (!suite_find(*ret_suite, options->cases.items[i]))
      r = error_set(err, ENOENT, "no case '%s'; `trammel conformance list` shows them", options->cases.items[i]);
  return r;
}

struct selection suite_options_selection(const struct suite_options *options) {
  return (struct selection){
      .filter = options->filter,
      .cases = options->cases.items,
      .groups = options->groups.items,
      .requirements = options->requirements.items,
      .versions = options->versions.items,
  };
}
