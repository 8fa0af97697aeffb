/* trammel perf export: a profile as another program's file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/cli/profile_run.h"
#include "host/perf/smp.h"
#include "sdk/base/document.h"

struct arguments {
  const char *profile;
  bool json;
};

static const struct argp_option option_table[] = {
    {"format", 'f', "FORMAT", 0, "smp: a performance test of Service Mesh Performance (the default)", 0},
    {"output", 'o', "FORMAT", 0, "yaml (the default) or json", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  static const char *const formats[] = {"smp", NULL}, *const outputs[] = {"yaml", "json", NULL};
  struct arguments *arguments = state->input;
  switch (key) {
  case 'f':
    (void)command_format(state, argument, formats);
    return 0;
  case 'o':
    arguments->json = command_format(state, argument, outputs) == 1;
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->profile)
      argp_error(state, "one profile at a time: '%s' is another one", argument);
    arguments->profile = argument;
    return 0;
  case ARGP_KEY_END:
    if (!arguments->profile)
      argp_error(state, "which profile? A file, or - for standard input");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_perf_export_argp = {
    .options = option_table,
    .parser = parse,
    .args_doc = "PROFILE",
    .doc = "Writes a profile as a performance test of the Service Mesh Performance specification.\v"
           "What the format has no place for is an error, and never left out.\n\n"
           "Exits 0, 2 for usage, a profile that can't be read, or one that can't be written so.",
};

static int print(const struct profile *profile, bool json, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_auto_t *test = NULL;
  int r = smp_test_json(profile, &test, err);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  return (json ? json_write(test, &text) : yaml_write(test, &text)) < 0 ? EXIT_INTERNAL : packages_print(&text);
}

int cmd_perf_export(int argc, char **argv) {
  struct arguments arguments = {0};
  struct profile_input input = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_perf_export_argp, argc, argv, &arguments);
  int code = profile_input_read(arguments.profile, &input);
  if (code == EXIT_ALL_PASSED)
    code = print(input.profile, arguments.json, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  profile_input_finish(&input);
  return code;
}
