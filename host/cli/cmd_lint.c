/* trammel lint: what is wrong with SMI resources, where, and what to do about it. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/cmds.h"
#include "host/cli/smi_inputs.h"
#include "sdk/smi/lint.h"

struct arguments {
  struct smi_inputs inputs;
  bool json;
  bool strict;
};

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "text or json", 0},
    {"strict", 's', NULL, 0, "fail on warnings, too", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;

  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->inputs;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case 's':
    arguments->strict = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&smi_inputs_argp, 0, NULL, 0}, {0}};
const struct argp cmd_lint_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc =
        "Checks SMI resources of every version: fields and values, references, names, regular expressions, weights.\v"
        "Exits 0 when nothing is wrong, 1 on errors (with --strict also on warnings), 2 when an input cannot be read. "
        "Resources of other kinds are passed over.",
};

static int print_json(const struct smi_input *input) {
  const struct diagnostics *diagnostics = input->diagnostics;
  json_t *document = json_pack("{s:I, s:I, s:o, s:I, s:I}", "files", (json_int_t)input->files, "resources",
                               (json_int_t)input->resources, "diagnostics", diagnostics_to_json(diagnostics), "errors",
                               (json_int_t)diagnostics_count_of(diagnostics, SEVERITY_ERROR), "warnings",
                               (json_int_t)diagnostics_count_of(diagnostics, SEVERITY_WARNING));
  int r = document ? json_dumpf(document, stdout, JSON_INDENT(2)) : -1;

  json_decref(document);
  putchar('\n');
  return r < 0 ? -ENOMEM : 0;
}

static void print_count(const char *separator, size_t count, const char *noun) {
  printf("%s%zu %s%s", separator, count, noun, count == 1 ? "" : "s");
}

static void print_text(const struct smi_input *input) {
  const struct diagnostics *diagnostics = input->diagnostics;

  diagnostics_print(diagnostics, stdout);
  print_count("", input->files, "file");
  print_count(", ", input->resources, "resource");
  print_count(": ", diagnostics_count_of(diagnostics, SEVERITY_ERROR), "error");
  print_count(", ", diagnostics_count_of(diagnostics, SEVERITY_WARNING), "warning");
  putchar('\n');
}

static int verdict(const struct arguments *arguments, const struct smi_input *input) {
  if (input->unreadable)
    return EXIT_USAGE;
  if (diagnostics_have_error(input->diagnostics))
    return EXIT_SOMETHING_FAILED;
  return arguments->strict && diagnostics_count_of(input->diagnostics, SEVERITY_WARNING) > 0 ? EXIT_SOMETHING_FAILED
                                                                                             : EXIT_ALL_PASSED;
}

int cmd_lint(int argc, char **argv) {
  struct arguments arguments = {0};
  struct smi_input input = {0};
  int r, code;

  command_parse(&cmd_lint_argp, argc, argv, &arguments);
  r = smi_inputs_read(&arguments.inputs, &input);
  if (r == 0)
    r = smi_lint(&input.set, input.diagnostics);
  if (r == 0 || r == -EINVAL) {
    r = 0;
    if (arguments.json)
      r = print_json(&input);
    else
      print_text(&input);
  }
  code = verdict(&arguments, &input);
  if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
    r = -EIO;
  if (r < 0)
    fprintf(stderr, "trammel: %s\n", r == -EIO ? "cannot write the result" : "out of memory");
  smi_input_finish(&input);
  smi_inputs_finish(&arguments.inputs);
  return r < 0 ? EXIT_INTERNAL : code;
}
