/* trammel adapter new: the project of an adapter outside of the tree. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/cmds.h"
#include "host/kit/project.h"

struct arguments {
  const char *name;
  const char *directory;
};

static const struct argp_option option_table[] = {
    {"directory", 'C', "DIR", 0, "make the project's folder in DIR instead of the working directory", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case 'C':
    arguments->directory = argument;
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->name)
      argp_error(state, "one adapter at a time");
    arguments->name = argument;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_error(state, "what is the adapter called? `trammel adapter new mymesh` makes the folder mymesh");
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_adapter_new_argp = {
    .options = option_table,
    .parser = parse,
    .args_doc = "NAME",
    .doc = "Writes a new project for an adapter: it builds against the installed Trammel, and its tests pass.",
};

int cmd_adapter_new(int argc, char **argv) {
  struct arguments arguments = {.directory = "."};
  command_parse(&cmd_adapter_new_argp, argc, argv, &arguments);
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *path = NULL;
  int r = project_create(arguments.directory, arguments.name, TRAMMEL_VERSION, &path, &err);
  if (r < 0) {
    (void)fprintf(stderr, "trammel: %s\n", error_message(err));
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  }
  (void)printf("%s is there. To build and test it:\n"
               "  cd %s\n  cmake -B build\n  cmake --build build\n  ctest --test-dir build --output-on-failure\n",
               path, path);
  return fflush(stdout) == 0 ? EXIT_ALL_PASSED : EXIT_INTERNAL;
}
