/* trammel.v1.RunService. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/rpc/access.h"
#include "host/rpc/methods.h"
#include "host/rpc/run_messages.h"

/* A view as the one field of an answer: each answer with a run has the same form. */
static int send_run(struct rpc_call *call, struct run_view *view, char **ret_text) {
  struct run_message message;
  Trammel__V1__GetRunResponse answer = TRAMMEL__V1__GET_RUN_RESPONSE__INIT;
  int r = run_message_init(&message, view);
  if (r < 0)
    return status_of(r, NULL, ret_text);
  answer.run = &message.run;
  int status = message_send_last(call, &answer.base, ret_text);
  run_message_finish(&message);
  return status;
}

int serve_start_run(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct run_view view = {0};
  int status = message_receive_one(call, &trammel__v1__start_run_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const Trammel__V1__RunSpec *spec = ((const Trammel__V1__StartRunRequest *)asked)->spec;
  json_auto_t *value = spec ? spec_of_message(spec) : json_object();
  int r = value ? runs_start(service->runs, value, &view, &err) : -ENOMEM;
  if (r < 0)
    return status_of(r, err, ret_text);
  call_about(call, "run", view.id);
  status = send_run(call, &view, ret_text);
  run_view_finish(&view);
  return status;
}

int serve_get_run(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct run_view view = {0};
  int status = message_receive_one(call, &trammel__v1__get_run_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  int r = runs_get(service->runs, ((const Trammel__V1__GetRunRequest *)asked)->id, &view, &err);
  status = r < 0 ? status_of(r, err, ret_text) : send_run(call, &view, ret_text);
  run_view_finish(&view);
  return status;
}

int serve_cancel_run(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct run_view view = {0};
  int status = message_receive_one(call, &trammel__v1__cancel_run_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const char *id = ((const Trammel__V1__CancelRunRequest *)asked)->id;
  call_about(call, "run", id);
  int r = runs_cancel(service->runs, id, &view, &err);
  status = r < 0 ? status_of(r, err, ret_text) : send_run(call, &view, ret_text);
  run_view_finish(&view);
  return status;
}

static int send_runs(struct rpc_call *call, const struct run_view *views, size_t count, char **ret_text) {
  _cleanup_free_ struct run_message *messages = calloc(count + 1, sizeof(*messages));
  _cleanup_free_ Trammel__V1__Run **pointers = calloc(count + 1, sizeof(*pointers));
  Trammel__V1__ListRunsResponse answer = TRAMMEL__V1__LIST_RUNS_RESPONSE__INIT;
  size_t made = 0;
  bool has_room = messages && pointers;
  for (; has_room && made < count && run_message_init(&messages[made], &views[made]) == 0; made++)
    pointers[made] = &messages[made].run;
  answer.n_runs = made;
  answer.runs = pointers;
  int status =
      has_room && made == count ? message_send_last(call, &answer.base, ret_text) : status_of(-ENOMEM, NULL, ret_text);
  for (size_t i = 0; i < made; i++)
    run_message_finish(&messages[i]);
  return status;
}

static const char *text_or_null(const char *text) {
  return *text ? text : NULL;
}

int serve_list_runs(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct run_view *views = NULL;
  size_t count = 0;
  int status = message_receive_one(call, &trammel__v1__list_runs_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const Trammel__V1__ListRunsRequest *request = (const Trammel__V1__ListRunsRequest *)asked;
  int r = runs_list(service->runs, text_or_null(request->adapter), text_or_null(request->before), request->limit,
                    &views, &count, &err);
  status = r < 0 ? status_of(r, err, ret_text) : send_runs(call, views, count, ret_text);
  runs_list_free(views, count);
  return status;
}

static int send_events(struct rpc_call *call, struct runs_watch *watch, char **ret_text) {
  int status = STATUS_OK;
  while (status == STATUS_OK) {
    json_auto_t *event = NULL;
    _cleanup_error_ struct error *err = NULL;
    struct event_message message;
    uint64_t sequence = 0;
    int r = runs_watch_next(watch, rpc_call_cancelled(call), &event, &sequence, &err);
    if (r == 0)
      break;
    if (r < 0)
      return status_of(r, err, ret_text);
    status = event_message_init(&message, event, sequence) < 0 ? status_of(-ENOMEM, NULL, ret_text)
                                                               : message_send(call, &message.event.base, ret_text);
    event_message_finish(&message);
  }
  return status;
}

int serve_watch_run(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct runs_watch *watch = NULL;
  int status = message_receive_one(call, &trammel__v1__watch_run_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const Trammel__V1__WatchRunRequest *request = (const Trammel__V1__WatchRunRequest *)asked;
  int r = runs_watch_open(service->runs, request->id, request->after, &watch, &err);
  status = r < 0 ? status_of(r, err, ret_text) : send_events(call, watch, ret_text);
  runs_watch_close(watch);
  return status;
}

int serve_get_report(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  Trammel__V1__GetReportResponse answer = TRAMMEL__V1__GET_REPORT_RESPONSE__INIT;
  int status = message_receive_one(call, &trammel__v1__get_report_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  int r = runs_report(service->runs, ((const Trammel__V1__GetReportRequest *)asked)->id, &data, &length, &err);
  if (r == -EAGAIN)
    return status_with(STATUS_FAILED_PRECONDITION, ret_text, error_message(err));
  if (r < 0)
    return status_of(r, err, ret_text);
  answer.json = (ProtobufCBinaryData){.len = length, .data = (uint8_t *)data};
  return message_send_last(call, &answer.base, ret_text);
}
