/* An adapter of no mesh whose translations can hang and fail, found by no one but its test. `mark`: a file that is made
 * when a translation begins. `hang`: one ends when it is cancelled, and not before. `least`: with fewer TrafficTargets
 * one fails, apart from the first. */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sdk/adapter/adapter.h"

static const char *const mesh_versions[] = {"any", NULL};
static const struct smi_support smi[] = {{{SMI_ACCESS, 3}, SMI_TRANSLATED, NULL}};
static const struct kubernetes_kind kinds[] = {{"example.org/v1", "Grant"}};

static json_t *option(struct call *call, const char *key) {
  return json_object_get(call_config(call), key);
}

static void make(const char *path) {
  int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (fd >= 0)
    (void)close(fd);
}

static void wait_for_cancellation(struct call *call) {
  struct pollfd cancelled = {.fd = call_cancel_fd(call), .events = POLLIN};
  while (!call_cancelled(call))
    (void)poll(&cancelled, 1, 1000);
}

static void grant(struct call *call, const struct smi_traffic_target *target, struct translation *translation) {
  struct native_object *object =
      native_kubernetes(call, 1, "example.org/v1", "Grant", target->meta.ns, target->meta.name, json_object());
  native_source(object, &target->meta);
  translation_add(translation, object);
  for (size_t i = 0; i < target->rule_count; i++)
    translation_cover(translation, &(struct coverage){.resource = &target->meta,
                                                      .level = COVERAGE_EXACT,
                                                      .pointer = arena_printf(call_arena(call), "/spec/rules/%zu", i),
                                                      .objects = (const struct native_object *const[]){object},
                                                      .object_count = 1});
}

static int translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  static unsigned calls;
  bool first = __atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST) == 0;
  json_int_t least = json_integer_value(option(call, "least"));
  make(json_string_value(option(call, "mark")));
  if (json_is_true(option(call, "hang"))) {
    wait_for_cancellation(call);
    return TRAMMEL_CANCELLED;
  }
  if (!first && (json_int_t)request->smi.target_count < least)
    return call_fail(call, TRAMMEL_FAILED_PRECONDITION, "SLOW-0001", "fewer than %d", (int)least);
  for (size_t i = 0; i < request->smi.target_count; i++)
    grant(call, &request->smi.targets[i], translation);
  return TRAMMEL_OK;
}

static const struct adapter_class slow = {
    .description = {.mesh_name = "Slow",
                    .summary = "An adapter that can hang and fail",
                    .mesh_versions = mesh_versions,
                    .smi = smi,
                    .smi_count = 1,
                    .kinds = kinds,
                    .kind_count = 1,
                    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
                                     "\"mark\":{\"type\":\"string\"},\"hang\":{\"type\":\"boolean\"},"
                                     "\"least\":{\"type\":\"integer\"}}}"},
    .translate = translate,
};

ADAPTER_DEFINE(slow, "slow", "1.0.0", "slow")
