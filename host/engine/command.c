#include "host/engine/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PB(name) Trammel__Adapter__V1__##name

#define VARIABLE_MAX 64

/* A name that says where something is to a program, and changes nothing of how the program is loaded. */
static bool is_variable(const char *name) {
  static const char *const suffixes[] = {"_ADDR", "_ADDRESS", "_URL", "_FILE"};
  size_t length = strlen(name);

  if (length > VARIABLE_MAX || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != length ||
      strncmp(name, "LD_", 3) == 0)
    return false;
  for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
    if (length > strlen(suffixes[i]) && strcmp(name + length - strlen(suffixes[i]), suffixes[i]) == 0)
      return true;
  return false;
}

static int tell(struct command *command, const char *name, const char *value, struct error **err) {
  if (!*name || !value)
    return 0;
  if (!is_variable(name))
    return error_set(err, EPROTO,
                     "program %s: '%.64s' is no variable for an endpoint: capital letters, digits and '_', with _ADDR, "
                     "_ADDRESS, _URL or _FILE at its end",
                     command->process.program, name);
  if (asprintf(&command->variables[command->variable_count], "%s=%s", name, value) < 0) {
    command->variables[command->variable_count] = NULL;
    return error_set(err, ENOMEM, "program %s: out of memory", command->process.program);
  }
  command->variable_count++;
  return 0;
}

static int tell_endpoint(struct command *command, const PB(ProcessEndpoint) * told, struct endpoints *endpoints,
                         struct error **err) {
  _cleanup_free_ char *url = NULL;

  int r = endpoints_url(endpoints, told->endpoint, "", &url, err);
  if (r == 0)
    r = tell(command, told->url_variable, url, err);
  return r < 0 ? r : tell(command, told->token_file_variable, endpoints_token_file(endpoints, told->endpoint), err);
}

int command_make(struct command *command, const PB(Process) * process, const struct programs *programs,
                 struct endpoints *endpoints, struct error **err) {
  *command = (struct command){.process.program = process->program};
  if (process->n_endpoints > COMMAND_ENDPOINTS_MAX)
    return error_set(err, EPROTO, "program %s: at most %d endpoints can be told", process->program,
                     COMMAND_ENDPOINTS_MAX);
  command->arguments = calloc(process->n_arguments + 1, sizeof(*command->arguments));
  if (!command->arguments)
    return error_set(err, ENOMEM, "program %s: out of memory", process->program);
  for (size_t i = 0; i < process->n_arguments; i++)
    command->arguments[i] = process->arguments[i];
  int r = programs_find(programs, process->program, &command->process.path, err);
  for (size_t i = 0; r == 0 && i < process->n_endpoints; i++)
    r = tell_endpoint(command, process->endpoints[i], endpoints, err);
  command->process.arguments = command->arguments;
  command->process.variables = (const char *const *)command->variables;
  return r;
}

void command_finish(struct command *command) {
  for (size_t i = 0; i < command->variable_count; i++)
    free(command->variables[i]);
  free(command->arguments);
}
