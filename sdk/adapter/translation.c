#include "sdk/adapter/translation.h"

#include <stdio.h>
#include <string.h>

#include "sdk/adapter/internal.h"
#include "sdk/adapter/smi_wire.h"

void translation_add(struct translation *translation, struct native_object *object) {
  if (object)
    pointers_add(translation->call, &translation->objects, object);
}

static PB(Coverage) * coverage_message(struct call *call, const struct coverage *coverage) {
  static const PB(CoverageLevel) levels[] = {
      [COVERAGE_EXACT] = PB_VALUE(COVERAGE_LEVEL__COVERAGE_LEVEL_EXACT),
      [COVERAGE_APPROXIMATED] = PB_VALUE(COVERAGE_LEVEL__COVERAGE_LEVEL_APPROXIMATED),
      [COVERAGE_UNSUPPORTED] = PB_VALUE(COVERAGE_LEVEL__COVERAGE_LEVEL_UNSUPPORTED),
  };
  PB(Coverage) *message = call_new(call, PB(Coverage));
  if (!message)
    return NULL;
  *message = (PB(Coverage))PB_INIT(COVERAGE);
  message->resource = resource_of(call, coverage->resource);
  message->pointer = call_text(call, coverage->pointer);
  message->level = levels[coverage->level];
  message->reason = call_text(call, coverage->reason);
  struct pointers ids = {0};
  for (size_t i = 0; i < coverage->object_count; i++)
    if (coverage->objects[i])
      pointers_add(call, &ids, call_text(call, native_id(coverage->objects[i])));
  message->n_objects = ids.count;
  message->objects = (char **)ids.items;
  return message;
}

void translation_cover(struct translation *translation, const struct coverage *coverage) {
  PB(Coverage) *message = coverage_message(translation->call, coverage);
  if (message)
    pointers_add(translation->call, &translation->coverage, message);
  if (coverage->level == COVERAGE_EXACT)
    return;
  bool left_out = coverage->level == COVERAGE_UNSUPPORTED;
  translation->unsupported |= left_out;
  call_diagnose(
      translation->call,
      &(struct finding){.severity = left_out && !translation->allow_unsupported ? TRAMMEL_ERROR : TRAMMEL_WARNING,
                        .code = coverage->code,
                        .resource = coverage->resource,
                        .pointer = coverage->pointer,
                        .remedy = coverage->remedy},
      "%s: %s", left_out ? "cannot be carried over and is left out" : "carried over approximately",
      coverage->reason ? coverage->reason : "no reason given");
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *const *sorted_texts(struct call *call, char *const *texts, size_t count) {
  char **copy = arena_array(call->arena, count, sizeof *copy);
  if (!copy)
    call_out_of_memory(call);
  for (size_t i = 0; copy && i < count; i++)
    copy[i] = call_text(call, texts[i]);
  if (copy && count)
    qsort(copy, count, sizeof *copy, by_text);
  return (const char *const *)copy;
}

static int read_request(struct call *call, const PB(TranslateRequest) * message, struct translate_request *ret_request,
                        struct error **err) {
  static const PB(SmiSet) no_smi = PB_INIT(SMI_SET);
  static const PB(Inventory) no_inventory = PB_INIT(INVENTORY);
  int r = smi_from_wire(call->arena, message->smi ? message->smi : &no_smi, &ret_request->smi, err);
  if (r < 0)
    return r;
  r = inventory_from_wire(call->arena, message->inventory ? message->inventory : &no_inventory, &ret_request->inventory,
                          err);
  if (r == 0 && message->options) {
    ret_request->deny_by_default =
        sorted_texts(call, message->options->deny_by_default, message->options->n_deny_by_default);
    ret_request->deny_count = message->options->n_deny_by_default;
  }
  return r;
}

int run_translate(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response) {
  const PB(TranslateRequest) *message = (const PB(TranslateRequest) *)request;
  _cleanup_error_ struct error *err = NULL;
  struct translate_request typed = {0};
  if (read_request(call, message, &typed, &err) < 0)
    return call_bad_request(call, "Translate", err);
  if (atomic_load(&call->failed))
    return TRAMMEL_RESOURCE_EXHAUSTED;
  struct translation translation = {.call = call,
                                    .allow_unsupported = message->options && message->options->allow_unsupported};
  call_forget_request(call); /* `typed` has copies */
  int status = call_class(call)->translate(call, &typed, &translation);
  if (status == TRAMMEL_OK && translation.unsupported && !translation.allow_unsupported)
    status = TRAMMEL_UNIMPLEMENTED;
  PB(TranslateResponse) *response = status == TRAMMEL_OK ? call_new(call, PB(TranslateResponse)) : NULL;
  if (!response)
    return status;
  *response = (PB(TranslateResponse))PB_INIT(TRANSLATE_RESPONSE);
  response->n_coverage = translation.coverage.count;
  response->coverage = (PB(Coverage) **)translation.coverage.items;
  status = native_finish(call, &translation.objects, &response->n_objects, &response->objects);
  *ret_response = &response->base;
  return status;
}
