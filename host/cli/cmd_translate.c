/* trammel translate: what resources of SMI are in a mesh's own API, and what of them it cannot say. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/cmds.h"
#include "host/cli/logging.h"
#include "host/cli/native_text.h"
#include "host/cli/translating.h"

struct arguments {
  struct translating translating;
  int format;
};

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "yaml or json (default: yaml)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  static const char *const formats[] = {"yaml", "json", NULL};
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->translating;
    return 0;
  case 'o':
    arguments->format = command_format(state, argument, formats);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&translating_argp, 0, NULL, 0}, {0}};
const struct argp cmd_translate_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc =
        "Writes what SMI resources are in a mesh's own API, on standard output, ready for kubectl. What the mesh "
        "cannot say is told, with its reason, and never made wider.\v"
        "The workloads and services that rules are about come from the same files: Deployments, Pods, Services and the "
        "like. When these have none, and --kubeconfig or --context is given, they come from that cluster; otherwise no "
        "cluster is asked.\n\n"
        "Diagnostics and a table that says how exactly each rule is carried over go to standard error. Exits 0 when "
        "everything was written, 1 when the mesh cannot do something (nothing is written then, unless "
        "--allow-unsupported is given), 2 when the input cannot be read or has errors, 3 when the adapter or the "
        "cluster gave no answer.",
};

/* All or nothing reaches standard output. */
static int write_objects(const struct arguments *arguments, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  int r = native_text(arguments->translating.response, arguments->format == 1 ? NATIVE_JSON : NATIVE_YAML, &text, err);
  if (r < 0)
    return r;
  if (fwrite(strbuf_text(&text), 1, text.length, stdout) < text.length || fflush(stdout) != 0)
    return error_set(err, ENOSPC, "cannot write the result");
  return 0;
}

static int run(const struct arguments *arguments, struct error **err) {
  int r = write_objects(arguments, err);
  return r == 0 ? EXIT_ALL_PASSED : r == -ENOMEM || r == -ENOSPC ? EXIT_INTERNAL : translating_exit_code(r);
}

int cmd_translate(int argc, char **argv) {
  struct arguments arguments = {.translating = {.done = "written", .does = "writes"}};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_translate_argp, argc, argv, &arguments);
  logging_start(false);
  int code = translating_run(&arguments.translating, &err);
  if (code == EXIT_ALL_PASSED)
    code = run(&arguments, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  translating_finish(&arguments.translating);
  return code;
}
