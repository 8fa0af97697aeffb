/* trammel.v1.AdapterService. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "host/rpc/methods.h"
#include "host/runs/process.h"
#include "sdk/base/clock.h"
#include "trammel/v1/host.pb-c.h"

typedef Trammel__V1__Adapter adapter_message;

/* Each adapter is described in a process of its own. */
#define LIST_LIMIT_NS (60 * NS_PER_SECOND)

static char *text_of(const json_t *entry, const char *key) {
  const char *text = json_string_value(json_object_get(entry, key));
  return (char *)(uintptr_t)(text ? text : "");
}

static void fill(adapter_message *adapter, const json_t *entry) {
  trammel__v1__adapter__init(adapter);
  adapter->id = text_of(entry, "id");
  adapter->usable = json_is_true(json_object_get(entry, "usable"));
  adapter->refusal = text_of(entry, "refusal");
  adapter->version = text_of(entry, "version");
  adapter->mesh = text_of(entry, "mesh");
  adapter->path = text_of(entry, "path");
  adapter->digest = text_of(entry, "digest");
  adapter->placement = text_of(entry, "placement");
}

static int send_list(struct rpc_call *call, const json_t *list, char **ret_text) {
  size_t count = json_array_size(list);
  Trammel__V1__ListAdaptersResponse answer = TRAMMEL__V1__LIST_ADAPTERS_RESPONSE__INIT;
  _cleanup_free_ adapter_message *adapters = calloc(count + 1, sizeof(*adapters));
  _cleanup_free_ adapter_message **pointers = calloc(count + 1, sizeof(*pointers));
  if (!adapters || !pointers)
    return status_of(-ENOMEM, NULL, ret_text);
  for (size_t i = 0; i < count; i++) {
    fill(&adapters[i], json_array_get(list, i));
    pointers[i] = &adapters[i];
  }
  answer.n_adapters = count;
  answer.adapters = pointers;
  return message_send_last(call, &answer.base, ret_text);
}

int adapters_list(const struct service *service, json_t **ret_list, struct error **err) {
  json_auto_t *words = json_pack("[s, s, s, s]", service->program, "adapter", "list", "--output=json");
  return process_capture_json(service->program, words, service->state_directory, LIST_LIMIT_NS, JSON_ARRAY, ret_list,
                              err);
}

int serve_list_adapters(struct service *service, struct rpc_call *call, char **ret_text) {
  _cleanup_message_ ProtobufCMessage *asked = NULL;
  _cleanup_error_ struct error *err = NULL;
  json_auto_t *list = NULL;
  int status = message_receive_one(call, &trammel__v1__list_adapters_request__descriptor, &asked, ret_text);
  if (status != STATUS_OK)
    return status;
  int r = adapters_list(service, &list, &err);
  return r < 0 ? status_of(r, err, ret_text) : send_list(call, list, ret_text);
}
