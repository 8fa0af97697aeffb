#include "host/cli/account_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/command.h"
#include "host/cli/number.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

#define DAYS_MAX 366

error_t account_parse(int key, char *argument, struct argp_state *state) {
  struct account_arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->server;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ACCOUNT_ROLE:
    arguments->role = argument;
    return 0;
  case ACCOUNT_DAYS:
    arguments->days = number_parse(state, "--days", argument, 1, DAYS_MAX);
    return 0;
  case ACCOUNT_PASSWORD_STDIN:
    arguments->password_stdin = true;
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->words.count == arguments->most)
      argp_error(state, "unexpected argument '%s'", argument);
    return -list_add(&arguments->words, argument);
  case ARGP_KEY_END:
    if (arguments->words.count < arguments->least)
      argp_error(state, "%s", arguments->wanted);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp_child account_children[] = {{&server_options_argp, 0, NULL, 0}, {0}};

int account_fail(int r, const struct error *err) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  const char *message = error_message(err);
  utf8_append_safe(&safe, message, strlen(message), "\n");
  (void)fprintf(stderr, "trammel: %s\n", strbuf_text(&safe));
  return r == -ENOMEM ? EXIT_INTERNAL : server_exit_code(r);
}

int account_ask(const struct account_arguments *arguments, const char *method, const ProtobufCMessage *request,
                const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_answer) {
  _cleanup_error_ struct error *err = NULL;
  struct server *server = NULL;
  char name[64];
  (void)snprintf(name, sizeof(name), "AuthService/%s", method);
  int r = server_connect(&arguments->server, &server, &err);
  if (r == 0)
    r = server_ask(server, name, request, type, ret_answer, &err);
  server_close(server);
  return r < 0 ? account_fail(r, err) : EXIT_ALL_PASSED;
}

int account_tell(const struct account_arguments *arguments, const char *method, const ProtobufCMessage *request,
                 const ProtobufCMessageDescriptor *type) {
  ProtobufCMessage *answer = NULL;
  int code = account_ask(arguments, method, request, type, &answer);
  if (answer)
    protobuf_c_message_free_unpacked(answer, NULL);
  return code;
}
