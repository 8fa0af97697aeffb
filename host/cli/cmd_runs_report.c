/* trammel runs report: the report of a run of the central host, in the formats of `conformance run`. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/cmds.h"
#include "host/cli/colour.h"
#include "host/cli/run_outputs.h"
#include "host/cli/server.h"
#include "host/report/report_read.h"

struct arguments {
  struct server_options server;
  struct outputs outputs;
  const char *id;
  const char *colour;
};

enum { KEY_OUTPUT = 'o', KEY_COLOUR = 0x400 };

static const struct argp_option option_table[] = {
    {"output", KEY_OUTPUT, "FORMAT[=FILE]", 0,
     "a format of `conformance run`, to standard output or a file; may be repeated (default text)", 0},
    {"colour", KEY_COLOUR, "WHEN", 0, "auto, always or never", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->server;
    return 0;
  case KEY_OUTPUT:
    run_outputs_add(state, &arguments->outputs, argument);
    return 0;
  case KEY_COLOUR:
    arguments->colour = colour_when(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->id)
      argp_error(state, "one run at a time");
    arguments->id = argument;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_error(state, "which run? `trammel runs list` shows them");
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&server_options_argp, 0, NULL, 0}, {0}};
const struct argp cmd_runs_report_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .args_doc = "ID",
    .doc = "Writes the report of a run of the central host, as the run itself would have written it. The run has to "
           "have ended."};

static int fetch(const struct arguments *arguments, ProtobufCMessage **ret_answer, struct error **err) {
  Trammel__V1__GetReportRequest request = TRAMMEL__V1__GET_REPORT_REQUEST__INIT;
  struct server *server = NULL;
  request.id = (char *)(uintptr_t)arguments->id;
  int r = server_connect(&arguments->server, &server, err);
  if (r == 0)
    r = server_ask(server, "GetReport", &request.base, &trammel__v1__get_report_response__descriptor, ret_answer, err);
  server_close(server);
  return r;
}

/* The exit code. */
static int write_report(struct arguments *arguments, const ProtobufCBinaryData *json, struct error **err) {
  _cleanup_report_ struct run_result *run = NULL;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  int r = report_read(arguments->id, json->data, json->len, diagnostics, &run);
  diagnostics_print(diagnostics, stderr);
  if (r < 0) {
    (void)error_set(err, -r, "what the host gave for run %s is no report that can be read", arguments->id);
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_COULD_NOT_TEST;
  }
  r = run_outputs_write(&arguments->outputs, run, colour_wanted(arguments->colour, isatty(STDOUT_FILENO)), err);
  return r < 0 ? EXIT_INTERNAL : EXIT_ALL_PASSED;
}

int cmd_runs_report(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  ProtobufCMessage *answer = NULL;
  int code = EXIT_USAGE;
  command_parse(&cmd_runs_report_argp, argc, argv, &arguments);
  if (outputs_open(&arguments.outputs, &err) == 0) {
    int r = fetch(&arguments, &answer, &err);
    code = r < 0     ? server_exit_code(r)
           : !answer ? EXIT_INTERNAL
                     : write_report(&arguments, &((const Trammel__V1__GetReportResponse *)answer)->json, &err);
  }
  if (answer)
    protobuf_c_message_free_unpacked(answer, NULL);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  outputs_finish(&arguments.outputs);
  return code;
}
