#include "host/meshery/conformance_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/meshery/audited.h"
#include "host/meshery/summary.h"
#include "host/rpc/methods.h"
#include "service/service.pb-c.h"

typedef SmiConformance__Detail detail_message;

static char *text(const char *borrowed) {
  return (char *)(uintptr_t)borrowed;
}

bool mesh_type_named(const char *name, mesh_type *ret_type) {
  const ProtobufCEnumValue *value =
      protobuf_c_enum_descriptor_get_value_by_name(&smp__service_mesh__type__descriptor, name);
  *ret_type = value ? (mesh_type)value->value : SMP__SERVICE_MESH__TYPE__INVALID_MESH;
  return value != NULL;
}

static int serve_info(struct conformance_service *service, struct rpc_call *call, char **ret_text) {
  Service__ServiceInfo answer = SERVICE__SERVICE_INFO__INIT;
  (void)service;
  answer.name = text("Trammel");
  answer.version = text(TRAMMEL_VERSION);
  return message_send_last(call, &answer.base, ret_text);
}

/* RUNNING while a run of the suite goes on. */
static int serve_health(struct conformance_service *service, struct rpc_call *call, char **ret_text) {
  Service__ServiceHealth answer = SERVICE__SERVICE_HEALTH__INIT;
  answer.status = runs_any_running(service->host->runs) ? SERVICE__SERVICE_HEALTH__STATUS__RUNNING
                                                        : SERVICE__SERVICE_HEALTH__STATUS__IDLE;
  return message_send_last(call, &answer.base, ret_text);
}

/* ---- a test */

/* A detail with what it points to. */
struct detail {
  detail_message message;
  SmiConformance__Result result;
  Service__CommonError error;
  char duration[32];
};

static void fill_error(struct detail *detail, const struct verdict *verdict) {
  bool failed = strcmp(verdict->code, "failed") == 0;
  detail->error = (Service__CommonError)SERVICE__COMMON_ERROR__INIT;
  detail->error.code = text(verdict->code);
  detail->error.severity = text(failed ? "error" : "warning");
  detail->error.shortdescription = text(verdict->id);
  detail->error.longdescription = text(verdict->reason);
  detail->result.result_case = SMI_CONFORMANCE__RESULT__RESULT_ERROR;
  detail->result.error = &detail->error;
}

static void fill_detail(struct detail *detail, const struct verdict *verdict) {
  detail_message *message = &detail->message;
  bool passed = verdict_passed(verdict);
  *message = (detail_message)SMI_CONFORMANCE__DETAIL__INIT;
  detail->result = (SmiConformance__Result)SMI_CONFORMANCE__RESULT__INIT;
  (void)snprintf(detail->duration, sizeof(detail->duration), "%.3fs", verdict->seconds);
  message->smispec = text(verdict->smi_spec);
  message->specversion = text(verdict->version);
  message->assertion = text(verdict->title);
  message->duration = detail->duration;
  message->capability = verdict->capability;
  message->status = passed ? SMI_CONFORMANCE__RESULT_STATUS__PASSED : SMI_CONFORMANCE__RESULT_STATUS__FAILED;
  message->result = &detail->result;
  if (passed) {
    detail->result.result_case = SMI_CONFORMANCE__RESULT__RESULT_MESSAGE;
    detail->result.message = text(verdict->id);
  } else {
    fill_error(detail, verdict);
  }
}

static int send_summary(struct rpc_call *call, const struct summary *summary, mesh_type type, char **ret_text) {
  _cleanup_free_ struct detail *details = calloc(summary->count + 1, sizeof(*details));
  _cleanup_free_ detail_message **list = calloc(summary->count + 1, sizeof(*list));
  SmiConformance__Response answer = SMI_CONFORMANCE__RESPONSE__INIT;
  Smp__ServiceMesh mesh = SMP__SERVICE_MESH__INIT;
  char percent[16], passed[24];
  if (!details || !list)
    return status_of(-ENOMEM, NULL, ret_text);
  for (size_t i = 0; i < summary->count; i++) {
    fill_detail(&details[i], &summary->verdicts[i]);
    list[i] = &details[i].message;
  }
  (void)snprintf(percent, sizeof(percent), "%.2f", summary_percent(summary));
  (void)snprintf(passed, sizeof(passed), "%zu", summary->passed);
  mesh.type = type;
  mesh.version = text(summary->mesh_version);
  answer.passpercent = percent;
  answer.casespassed = passed;
  answer.mesh = &mesh;
  answer.n_details = summary->count;
  answer.details = list;
  return message_send_last(call, &answer.base, ret_text);
}

/* To its end; -ECANCELED when the caller went before. The run goes on then. */
static int wait_for_run(struct service *host, struct rpc_call *call, const char *id, struct error **err) {
  struct runs_watch *watch = NULL;
  uint64_t sequence = 0;
  int r = runs_watch_open(host->runs, id, 0, &watch, err);
  for (bool more = r == 0; more; more = r > 0) {
    json_auto_t *event = NULL;
    r = runs_watch_next(watch, rpc_call_cancelled(call), &event, &sequence, err);
  }
  runs_watch_close(watch);
  return r;
}

static int read_result(struct service *host, const char *id, struct summary *ret_summary, struct error **err) {
  _cleanup_free_ char *report = NULL;
  struct run_view view = {0};
  size_t length = 0;
  int r = runs_get(host->runs, id, &view, err);
  if (r == 0 && runs_report(host->runs, id, &report, &length, NULL) < 0)
    r = error_set(err, EIO, "run %s %s without a report: %s", id, run_state_name(view.state), view.message);
  run_view_finish(&view);
  return r < 0 ? r : summary_read(report, length, ret_summary, err);
}

static int run_suite(struct service *host, struct rpc_call *call, json_t *spec, struct summary *ret_summary,
                     struct error **err) {
  struct run_view view = {0};
  int r = runs_start(host->runs, spec, &view, err);
  if (r == 0)
    audited_note(host, "/smi_conformance.conformanceTesting/RunTest", "run", view.id);
  if (r == 0)
    r = wait_for_run(host, call, view.id, err);
  if (r == 0)
    r = read_result(host, view.id, ret_summary, err);
  run_view_finish(&view);
  return r;
}

/* NULL when there is none of that type. */
static json_t *spec_of_type(const struct conformance_service *service, mesh_type type) {
  for (size_t i = 0; i < service->count; i++)
    if (service->meshes[i].type == type)
      return service->meshes[i].spec;
  return NULL;
}

static int serve_test(struct conformance_service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct summary summary = {0};
  int status = message_receive_one(call, &smi_conformance__request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  const Smp__ServiceMesh *wanted = ((const SmiConformance__Request *)asked)->mesh;
  mesh_type type = wanted ? wanted->type : SMP__SERVICE_MESH__TYPE__INVALID_MESH;
  json_t *spec = spec_of_type(service, type);
  if (!spec)
    return status_with(STATUS_INVALID_ARGUMENT, ret_text,
                       "no adapter for a mesh of that type is named in the host's configuration (meshery.adapters)");
  int r = run_suite(service->host, call, spec, &summary, &err);
  status = r < 0 ? status_of(r, err, ret_text) : send_summary(call, &summary, type, ret_text);
  summary_finish(&summary);
  return status;
}

/* ---- */

int conformance_service_serve(void *ctx, struct rpc_call *call, const char *method, char **ret_text) {
  static const struct {
    const char *name;
    int (*serve)(struct conformance_service *service, struct rpc_call *call, char **ret_text);
  } methods[] = {{"/smi_conformance.conformanceTesting/Info", serve_info},
                 {"/smi_conformance.conformanceTesting/Health", serve_health},
                 {"/smi_conformance.conformanceTesting/RunTest", serve_test}};
  for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
    if (strcmp(method, methods[i].name) == 0)
      return methods[i].serve(ctx, call, ret_text);
  if (asprintf(ret_text, "%.200s is not served here", method) < 0)
    *ret_text = NULL;
  return STATUS_UNIMPLEMENTED;
}
