/* What an adapter's Process comes to: which file is run, with what. Private to the engine. */
#ifndef TRAMMEL_HOST_ENGINE_COMMAND_H
#define TRAMMEL_HOST_ENGINE_COMMAND_H

#include "host/engine/endpoint.h"
#include "host/engine/process.h"
#include "host/engine/programs.h"

/* Of Process.endpoints. */
#define COMMAND_ENDPOINTS_MAX 8

struct command {
  struct process_command process;
  const char **arguments;
  char *variables[2 * COMMAND_ENDPOINTS_MAX + 1];
  size_t variable_count;
};

/* `process` is borrowed, as is what it says. -ENOENT when nobody said where the program or an endpoint is; -EPROTO for
 * what an adapter may not ask for. `*command` is to be finished in any case. */
int command_make(struct command *command, const Trammel__Adapter__V1__Process *process, const struct programs *programs,
                 struct endpoints *endpoints, struct error **err);
void command_finish(struct command *command);

#endif
