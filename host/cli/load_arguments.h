/* The options of a load, as every command that makes one takes them: where requests go, what they are, and when. */
#ifndef TRAMMEL_HOST_CLI_LOAD_ARGUMENTS_H
#define TRAMMEL_HOST_CLI_LOAD_ARGUMENTS_H

#include <argp.h>

#include "host/load/run.h"
#include "sdk/base/strbuf.h"

struct load_arguments {
  struct target_options target; /* its texts are those of the command line, its body perhaps that of `body` */
  struct load_options load;
  const char *headers[TARGET_HEADERS_MAX];
  const char *body_file;
  const char *protoset_file;
  struct strbuf body; /* read from body_file, or encoded */
  const char *rate;   /* as it was given last */
  int schedule;       /* schedule_kind; -1: none was given */
  const char *first;  /* the first option that was given, without dashes; NULL: none */
};

/* A child argp; its input is a struct load_arguments after load_arguments_init(). Keys from 0x700 on, groups 1 to 4. */
extern const struct argp load_arguments_argp;

/* With the defaults. To be finished. */
void load_arguments_init(struct load_arguments *arguments);
void load_arguments_finish(struct load_arguments *arguments);

/* For the parser of the command, at its ARGP_KEY_END: ends the program with a usage error when something is missing or
 * does not fit, and makes the schedule. */
void load_arguments_check(const struct argp_state *state, struct load_arguments *arguments);

/* Reads the body, and makes what requests are sent to. May be called once. -EINVAL, -ENOMEM, -errno of the body's file.
 */
int load_arguments_target(struct load_arguments *arguments, struct target **ret_target, struct error **err);

#endif
