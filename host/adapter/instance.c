#include "host/adapter/instance.h"

#include <errno.h>
#include <string.h>

#include "host/adapter/placement.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/schema.h"

/* What an adapter without a schema takes: nothing. */
#define NO_CONFIG "{\"type\":\"object\",\"additionalProperties\":false}"

/* Memory that a message of an adapter in this process may unpack to. */
#define INPROCESS_MEMORY_MAX ((size_t)8 * CALL_MESSAGE_INPROCESS_MAX)

struct instance {
  const struct adapter_entry *entry;
  struct placement *placement;
};

/* The configuration as the adapter gets it: checked, with defaults. */
static int prepare_config(const struct adapter_entry *entry, const json_t *config, struct diagnostics *diagnostics,
                          char **ret_text, struct error **err) {
  ProtobufCBinaryData text = entry->description->config_schema;
  json_auto_t *schema =
      text.len ? json_loadb((const char *)text.data, text.len, 0, NULL) : json_loads(NO_CONFIG, 0, NULL);
  json_auto_t *copy = config ? json_deep_copy(config) : json_object();
  if (!schema || !copy)
    return error_set(err, ENOMEM, "out of memory");
  size_t before = diagnostics_count_of(diagnostics, SEVERITY_ERROR);
  if (schema_validate(schema, copy, NULL, diagnostics) < 0) {
    const struct diagnostic *first = NULL;
    for (size_t i = 0; i < diagnostics_count(diagnostics) && !first; i++)
      if (diagnostics_at(diagnostics, i)->severity == SEVERITY_ERROR && before-- == 0)
        first = diagnostics_at(diagnostics, i);
    return error_set(err, EINVAL, "the configuration of adapter %s is not valid%s%s", entry->id, first ? ": " : "",
                     first ? first->summary : "");
  }
  if (schema_fill_defaults(schema, copy) < 0)
    return error_set(err, ENOMEM, "out of memory");
  *ret_text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
  return *ret_text ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int place(const struct adapter_entry *entry, const char *config, const struct adapter_http *http,
                 struct diagnostics *diagnostics, struct placement **ret_placement, struct error **err) {
  const struct placement_backoff backoff = PLACEMENT_BACKOFF_DEFAULT;
  if (entry->remote)
    return remote_placement_create(entry, config, http, &backoff, diagnostics, ret_placement, err);
  return entry->confined ? child_placement_create(entry, config, http, &backoff, diagnostics, ret_placement, err)
                         : inprocess_placement_create(entry, config, http, diagnostics, ret_placement, err);
}

int instance_create(const struct adapter_entry *entry, json_t *config, const struct adapter_http *http,
                    struct diagnostics *diagnostics, struct instance **ret_instance, struct error **err) {
  if (!entry->usable)
    return error_set(err, EINVAL, "adapter %s (%s) is not usable: %s", entry->id, entry->path, entry->refusal);
  _cleanup_diagnostics_ struct diagnostics *own = diagnostics ? NULL : diagnostics_create();
  if (!diagnostics && !own)
    return error_set(err, ENOMEM, "out of memory");
  struct diagnostics *list = diagnostics ? diagnostics : own;
  _cleanup_free_ char *text = NULL;
  int r = prepare_config(entry, config, list, &text, err);
  if (r < 0)
    return r;
  struct instance *instance = calloc(1, sizeof *instance);
  if (!instance)
    return error_set(err, ENOMEM, "out of memory");
  instance->entry = entry;
  r = place(entry, text, http, list, &instance->placement, err);
  if (r < 0) {
    instance_destroy(instance);
    return r;
  }
  *ret_instance = instance;
  return 0;
}

void instance_destroy(struct instance *instance) {
  if (!instance)
    return;
  if (instance->placement)
    instance->placement->destroy(instance->placement);
  free(instance);
}

const struct adapter_entry *instance_entry(const struct instance *instance) {
  return instance->entry;
}

static int decode(const struct instance *instance, const char *method, const ProtobufCMessageDescriptor *type,
                  const uint8_t *data, size_t length, ProtobufCMessage **ret_message, struct error **err) {
  const struct adapter_entry *entry = instance->entry;
  size_t memory_max = entry->confined || entry->remote ? MESSAGE_MEMORY_MAX : INPROCESS_MEMORY_MAX;
  if (message_unpack(type, data, length, memory_max, ret_message, err) == 0)
    return 0;
  (void)error_wrap(err, "adapter %s: %s", instance->entry->id, method);
  return -EPROTO;
}

static const struct call_options no_options;

int instance_call_packed(struct instance *instance, const char *method, const uint8_t *request, size_t length,
                         const ProtobufCMessageDescriptor *response_type, const struct call_options *options,
                         ProtobufCMessage **ret_response, struct error **err) {
  _cleanup_free_ uint8_t *answer = NULL;
  size_t answer_length = 0;
  int r = instance->placement->call(instance->placement,
                                    &(struct placed_call){.method = method, .request = request, .length = length},
                                    options ? options : &no_options, &answer, &answer_length, err);
  return r < 0 ? r : decode(instance, method, response_type, answer, answer_length, ret_response, err);
}

int instance_call(struct instance *instance, const char *method, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *response_type, const struct call_options *options,
                  ProtobufCMessage **ret_response, struct error **err) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = message_pack(request, &data, &length, err);
  return r < 0 ? r : instance_call_packed(instance, method, data, length, response_type, options, ret_response, err);
}

struct stream {
  const struct instance *instance;
  const char *method;
  const ProtobufCMessageDescriptor *type;
  int (*on_message)(void *ctx, const ProtobufCMessage *message);
  void *ctx;
  struct error *malformed;
};

static int stream_message(void *ctx, const uint8_t *data, size_t length) {
  struct stream *stream = ctx;
  ProtobufCMessage *message = NULL;
  int r = decode(stream->instance, stream->method, stream->type, data, length, &message, &stream->malformed);
  if (r < 0)
    return r;
  r = stream->on_message(stream->ctx, message);
  protobuf_c_message_free_unpacked(message, NULL);
  return r;
}

int instance_stream(struct instance *instance, const char *method, const ProtobufCMessage *request,
                    const ProtobufCMessageDescriptor *response_type,
                    int (*on_message)(void *ctx, const ProtobufCMessage *message), void *ctx,
                    const struct call_options *options, struct error **err) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = message_pack(request, &data, &length, err);
  if (r < 0)
    return r;
  struct stream stream = {
      .instance = instance, .method = method, .type = response_type, .on_message = on_message, .ctx = ctx};
  const struct placed_call call = {
      .method = method, .request = data, .length = length, .on_message = stream_message, .ctx = &stream};
  r = instance->placement->call(instance->placement, &call, options ? options : &no_options, NULL, NULL, err);
  if (stream.malformed) {
    r = error_set(err, EPROTO, "%s", error_message(stream.malformed));
    error_free(stream.malformed);
  }
  return r;
}
