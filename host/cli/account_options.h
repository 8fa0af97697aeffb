/* What the commands of logins, users and tokens share. */
#ifndef TRAMMEL_HOST_CLI_ACCOUNT_OPTIONS_H
#define TRAMMEL_HOST_CLI_ACCOUNT_OPTIONS_H

#include "host/cli/list.h"
#include "host/cli/server.h"

struct account_arguments {
  struct server_options server;
  struct list words;
  size_t least, most;
  const char *wanted; /* what to say when there are too few words */
  const char *role;
  uint64_t days;
  bool password_stdin, json;
};

enum { ACCOUNT_ROLE = 0x100, ACCOUNT_DAYS, ACCOUNT_PASSWORD_STDIN };
#define ACCOUNT_OPTION_OUTPUT                                                                                          \
  { "output", 'o', "FORMAT", 0, "text or json (default: text)", 0 }
#define ACCOUNT_OPTION_ROLE                                                                                            \
  { "role", ACCOUNT_ROLE, "ROLE", 0, "viewer (default), operator or admin", 0 }
#define ACCOUNT_OPTION_PASSWORD                                                                                        \
  { "password-stdin", ACCOUNT_PASSWORD_STDIN, NULL, 0, "take the password from the first line of standard input", 0 }

error_t account_parse(int key, char *argument, struct argp_state *state);
extern const struct argp_child account_children[]; /* --server and its files of TLS */

/* One call of AuthService, as `method` names it; says what is wrong. The exit code; with 0, `*ret_answer`. */
int account_ask(const struct account_arguments *arguments, const char *method, const ProtobufCMessage *request,
                const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_answer);
/* The same, of a call whose answer says nothing. */
int account_tell(const struct account_arguments *arguments, const char *method, const ProtobufCMessage *request,
                 const ProtobufCMessageDescriptor *type);

/* Says what is wrong; the exit code. */
int account_fail(int r, const struct error *err);

#endif
