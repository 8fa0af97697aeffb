/* The command line: a table of commands, one cmd_*.c each. Options are argp's. Exit codes: 0 all passed; 1 something
 * failed that was tested; 2 usage or bad input; 3 could not test; 4 internal error. */
#ifndef TRAMMEL_HOST_CLI_COMMAND_H
#define TRAMMEL_HOST_CLI_COMMAND_H

#include <argp.h>
#include <stdbool.h>

enum exit_code {
  EXIT_ALL_PASSED = 0,
  EXIT_SOMETHING_FAILED = 1,
  EXIT_USAGE = 2,
  EXIT_COULD_NOT_TEST = 3,
  EXIT_INTERNAL = 4,
};

#define COMMAND_WORDS_MAX 3 /* in a command's name */

struct command {
  const char *name;                  /* "conformance run": words separated by one space */
  const char *summary;               /* one line, for lists */
  const struct argp *argp;           /* options and documentation: for help and completion; NULL: none */
  int (*run)(int argc, char **argv); /* argv[0] is "trammel conformance run"; returns an exit code */
};

/* Every command in the order help shows them; ends with a NULL name. In host/cli/commands.c. */
extern const struct command commands[];

/* Parses with argp the way all commands do: --help goes to standard output and exits 0; a usage error names the option,
 * points to --help and exits 2. Positional arguments reach the argp parser as ARGP_KEY_ARG. */
void command_parse(const struct argp *argp, int argc, char **argv, void *input);

/* -o json|text …: index in `formats` (NULL-terminated); exits 2 with the list when unknown. */
int command_format(const struct argp_state *state, const char *text, const char *const *formats);
/* -o text or -o json: whether it is json; exits 2 otherwise. */
bool command_wants_json(const struct argp_state *state, const char *text);

#endif
