/* trammel runs list|show|attach|cancel: the runs of the central host. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/interrupt.h"
#include "host/cli/number.h"
#include "host/cli/packages.h"
#include "host/cli/server.h"
#include "host/cli/text_table.h"
#include "host/report/emit.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

typedef Trammel__V1__Run run_message;

struct arguments {
  struct server_options server;
  const char *id;
  uint64_t after;
  bool takes_id;
  bool json;
};

enum { KEY_AFTER = 0x100 };

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->server;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case KEY_AFTER:
    arguments->after = number_parse(state, "--after", argument, 0, UINT32_MAX);
    return 0;
  case ARGP_KEY_ARG:
    if (!arguments->takes_id || arguments->id)
      argp_error(state, "unexpected argument '%s'", argument);
    arguments->id = argument;
    return 0;
  case ARGP_KEY_END:
    if (arguments->takes_id && !arguments->id)
      argp_error(state, "which run? `trammel runs list` shows them");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option output_options[] = {{"output", 'o', "FORMAT", 0, "text or json", 0}, {0}};
static const struct argp_option attach_options[] = {
    {"output", 'o', "FORMAT", 0, "text, or json: an object a line", 0},
    {"after", KEY_AFTER, "N", 0, "go on behind the event with this number (default 0: from the first)", 0},
    {0}};
static const struct argp_child children[] = {{&server_options_argp, 0, NULL, 0}, {0}};

const struct argp cmd_runs_list_argp = {.options = output_options,
                                        .parser = parse,
                                        .children = children,
                                        .doc = "Lists the runs of the central host, the latest first."};
const struct argp cmd_runs_show_argp = {.options = output_options,
                                        .parser = parse,
                                        .children = children,
                                        .args_doc = "ID",
                                        .doc = "Shows a run of the central host."};
const struct argp cmd_runs_cancel_argp = {
    .options = output_options,
    .parser = parse,
    .children = children,
    .args_doc = "ID",
    .doc = "Asks a run of the central host to end: it removes what it made, and its report has what it found so far."};
const struct argp cmd_runs_attach_argp = {.options = attach_options,
                                          .parser = parse,
                                          .children = children,
                                          .args_doc = "ID",
                                          .doc = "Follows a run of the central host to its end, and ends with its exit "
                                                 "code. Ctrl-C leaves it; the run goes on."};

/* ---- runs as text and JSON */

static const char *state_name(Trammel__V1__RunState state) {
  static const char *const names[] = {"unknown", "queued", "running", "ended", "cancelled", "interrupted"};
  return (unsigned)state < sizeof(names) / sizeof(*names) ? names[state] : names[0];
}

static json_t *run_json(const run_message *run) {
  char created[TIME_TEXT_MAX], ended[TIME_TEXT_MAX];
  bool by_itself = run->state == TRAMMEL__V1__RUN_STATE__RUN_STATE_ENDED;
  return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:o, s:s, s:I}", "id", run->id, "state",
                   state_name(run->state), "mesh", run->spec ? run->spec->mesh : "", "createdAt",
                   time_text(run->created_unix_ms * 1000000, created), "endedAt",
                   run->ended_unix_ms ? time_text(run->ended_unix_ms * 1000000, ended) : NULL, "planned",
                   (json_int_t)run->planned, "done", (json_int_t)run->done, "failed", (json_int_t)run->failed,
                   "exitCode", by_itself ? json_integer(run->exit_code) : json_null(), "message", run->message,
                   "lastSequence", (json_int_t)run->last_sequence);
}

static int print_table(run_message *const *runs, size_t count) {
  static const char *const heads[] = {"ID", "STATE", "MESH", "CASES", "FAILED", "CREATED"};
  _cleanup_text_table_ struct text_table table = {.columns = 6};
  for (size_t i = 0; i < 6; i++)
    text_table_add(&table, heads[i]);
  for (size_t i = 0; i < count; i++) {
    char cases[40], failed[20], created[TIME_TEXT_MAX];
    (void)snprintf(cases, sizeof(cases), "%" PRIu32 "/%" PRIu32, runs[i]->done, runs[i]->planned);
    (void)snprintf(failed, sizeof(failed), "%" PRIu32, runs[i]->failed);
    const char *mesh = runs[i]->spec && *runs[i]->spec->mesh ? runs[i]->spec->mesh : "(embedded)";
    const char *const cells[] = {runs[i]->id, state_name(runs[i]->state),
                                 mesh,        cases,
                                 failed,      time_text(runs[i]->created_unix_ms * 1000000, created)};
    for (size_t k = 0; k < 6; k++)
      text_table_add(&table, cells[k]);
  }
  return text_table_print(&table, stdout) < 0 ? EXIT_INTERNAL : EXIT_ALL_PASSED;
}

static int print_list(run_message *const *runs, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    (void)json_array_append_new(list, run_json(runs[i]));
  if (json_array_size(list) == count)
    return packages_print_json(list);
  json_decref(list);
  return EXIT_INTERNAL;
}

/* Of a mesh or a program: nothing in it does anything to the terminal. */
static void print_said(const char *before, const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, strlen(text), NULL);
  if (*text)
    printf("%s%s", before, strbuf_text(&safe));
}

static int print_run(const run_message *run, bool json) {
  char created[TIME_TEXT_MAX];
  if (json)
    return packages_print_json(run_json(run));
  printf("%s\n  state     %s\n  mesh      %s\n  created   %s\n  cases     %" PRIu32 " of %" PRIu32 ", %" PRIu32
         " failed\n",
         run->id, state_name(run->state), run->spec && *run->spec->mesh ? run->spec->mesh : "(embedded)",
         time_text(run->created_unix_ms * 1000000, created), run->done, run->planned, run->failed);
  if (run->state == TRAMMEL__V1__RUN_STATE__RUN_STATE_ENDED)
    printf("  exit code %" PRIu32 "\n", run->exit_code);
  print_said("  said      ", run->message);
  printf("%s", *run->message ? "\n" : "");
  return EXIT_ALL_PASSED;
}

/* ---- commands */

static int tell(int r, const struct error *err) {
  if (r < 0)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  return server_exit_code(r);
}

int cmd_runs_list(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  struct server *server = NULL;
  ProtobufCMessage *answer = NULL;
  Trammel__V1__ListRunsRequest request = TRAMMEL__V1__LIST_RUNS_REQUEST__INIT;
  command_parse(&cmd_runs_list_argp, argc, argv, &arguments);
  int r = server_connect(&arguments.server, &server, &err);
  if (r == 0)
    r = server_ask(server, "ListRuns", &request.base, &trammel__v1__list_runs_response__descriptor, &answer, &err);
  server_close(server);
  if (r < 0 || !answer)
    return tell(r < 0 ? r : -EIO, err);
  const Trammel__V1__ListRunsResponse *list = (const Trammel__V1__ListRunsResponse *)answer;
  int code = arguments.json ? print_list(list->runs, list->n_runs) : print_table(list->runs, list->n_runs);
  protobuf_c_message_free_unpacked(answer, NULL);
  return code;
}

/* GetRun and CancelRun have requests and answers of one form. */
static int ask_for_run(struct server *server, const char *method, const char *id, ProtobufCMessage **ret_answer,
                       struct error **err) {
  Trammel__V1__GetRunRequest request = TRAMMEL__V1__GET_RUN_REQUEST__INIT;
  request.id = (char *)(uintptr_t)id;
  int r = server_ask(server, method, &request.base, &trammel__v1__get_run_response__descriptor, ret_answer, err);
  if (r == 0 && *ret_answer && !((const Trammel__V1__GetRunResponse *)*ret_answer)->run) {
    protobuf_c_message_free_unpacked(take(*ret_answer), NULL);
    r = error_set(err, EHOSTUNREACH, "the host's answer has no run");
  }
  return r;
}

static int show(const struct argp *argp, const char *method, int argc, char **argv) {
  struct arguments arguments = {.takes_id = true};
  _cleanup_error_ struct error *err = NULL;
  struct server *server = NULL;
  ProtobufCMessage *answer = NULL;
  command_parse(argp, argc, argv, &arguments);
  int r = server_connect(&arguments.server, &server, &err);
  if (r == 0)
    r = ask_for_run(server, method, arguments.id, &answer, &err);
  server_close(server);
  if (r < 0 || !answer)
    return tell(r < 0 ? r : -EIO, err);
  int code = print_run(((const Trammel__V1__GetRunResponse *)answer)->run, arguments.json);
  protobuf_c_message_free_unpacked(answer, NULL);
  return code;
}

int cmd_runs_show(int argc, char **argv) {
  return show(&cmd_runs_show_argp, "GetRun", argc, argv);
}

int cmd_runs_cancel(int argc, char **argv) {
  return show(&cmd_runs_cancel_argp, "CancelRun", argc, argv);
}

/* ---- attach */

struct follower {
  bool json;
  uint64_t last; /* number of the latest event */
};

static json_t *event_json(const Trammel__V1__RunEvent *event) {
  json_t *json = json_pack("{s:I, s:I}", "sequence", (json_int_t)event->sequence, "unixMs", (json_int_t)event->unix_ms);
  switch (event->what_case) {
  case TRAMMEL__V1__RUN_EVENT__WHAT_PLANNED:
    (void)json_object_update_new(json, json_pack("{s:s, s:I, s:o}", "type", "planned", "planned",
                                                 (json_int_t)event->planned->planned, "seed",
                                                 json_sprintf("%" PRIu64, event->planned->seed)));
    break;
  case TRAMMEL__V1__RUN_EVENT__WHAT_CASE_STARTED:
    (void)json_object_update_new(json, json_pack("{s:s, s:s, s:s}", "type", "caseStarted", "case",
                                                 event->case_started->case_id, "column", event->case_started->column));
    break;
  case TRAMMEL__V1__RUN_EVENT__WHAT_CASE_ENDED:
    (void)json_object_update_new(
        json,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "type", "caseEnded", "case", event->case_ended->case_id,
                  "column", event->case_ended->column, "outcome", event->case_ended->outcome, "reason",
                  event->case_ended->reason, "durationMs", (json_int_t)event->case_ended->duration_ms, "done",
                  (json_int_t)event->case_ended->done, "planned", (json_int_t)event->case_ended->planned));
    break;
  case TRAMMEL__V1__RUN_EVENT__WHAT_ENDED:
    (void)json_object_update_new(
        json, json_pack("{s:s, s:s, s:I, s:s}", "type", "ended", "state", state_name(event->ended->state), "exitCode",
                        (json_int_t)event->ended->exit_code, "message", event->ended->message));
    break;
  default:
    (void)json_object_update_new(json, json_pack("{s:s}", "type", "started"));
  }
  return json;
}

static void print_text(const Trammel__V1__RunEvent *event) {
  if (event->what_case == TRAMMEL__V1__RUN_EVENT__WHAT_CASE_ENDED) {
    printf("%4" PRIu32 "/%" PRIu32 "  %-11s  %s  [%s]", event->case_ended->done, event->case_ended->planned,
           event->case_ended->outcome, event->case_ended->case_id, event->case_ended->column);
    print_said("  ", event->case_ended->reason);
  } else if (event->what_case == TRAMMEL__V1__RUN_EVENT__WHAT_ENDED) {
    printf("%s, exit code %" PRIu32, state_name(event->ended->state), event->ended->exit_code);
    print_said("\n", event->ended->message);
  } else {
    return;
  }
  printf("\n");
}

static int follow(void *ctx, const Trammel__V1__RunEvent *event) {
  struct follower *follower = ctx;
  follower->last = event->sequence;
  if (follower->json) {
    json_auto_t *json = event_json(event);
    _cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (!text || puts(text) < 0)
      return -EIO;
  } else {
    print_text(event);
  }
  return fflush(stdout) == 0 ? 0 : -EIO;
}

/* The exit code: the run's own, when it ended by itself. */
static int attach(struct server *server, const struct arguments *arguments) {
  struct follower follower = {.json = arguments->json, .last = arguments->after};
  _cleanup_error_ struct error *err = NULL;
  ProtobufCMessage *answer = NULL;
  int r = server_watch(server, arguments->id, arguments->after, interrupt_flag(), follow, &follower, &err);
  if (r == -ECANCELED) {
    fprintf(stderr, "trammel: the run goes on; `trammel runs attach --after %" PRIu64 " %s` follows it again\n",
            follower.last, arguments->id);
    return EXIT_COULD_NOT_TEST;
  }
  if (r == 0)
    r = ask_for_run(server, "GetRun", arguments->id, &answer, &err);
  if (r < 0 || !answer)
    return tell(r < 0 ? r : -EIO, err);
  const run_message *run = ((const Trammel__V1__GetRunResponse *)answer)->run;
  int code = run->state == TRAMMEL__V1__RUN_STATE__RUN_STATE_ENDED ? (int)run->exit_code : EXIT_COULD_NOT_TEST;
  protobuf_c_message_free_unpacked(answer, NULL);
  return code;
}

int cmd_runs_attach(int argc, char **argv) {
  struct arguments arguments = {.takes_id = true};
  _cleanup_error_ struct error *err = NULL;
  struct server *server = NULL;
  command_parse(&cmd_runs_attach_argp, argc, argv, &arguments);
  int r = server_connect(&arguments.server, &server, &err);
  if (r < 0)
    return tell(r, err);
  interrupt_catch();
  int code = attach(server, &arguments);
  server_close(server);
  return code;
}
