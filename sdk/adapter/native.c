#include "sdk/adapter/native.h"

#include <stdio.h>
#include <string.h>

#include "sdk/adapter/internal.h"

PB(ResourceRef) * resource_ref(struct call *call, const char *kind, const char *ns, const char *name) {
  PB(ResourceRef) *ref = call_new(call, PB(ResourceRef));
  if (!ref)
    return NULL;
  *ref = (PB(ResourceRef))PB_INIT(RESOURCE_REF);
  ref->kind = call_text(call, kind);
  ref->namespace_ = call_text(call, ns);
  ref->name = call_text(call, name);
  return ref;
}

PB(ResourceRef) * resource_of(struct call *call, const struct smi_meta *meta) {
  PB(ResourceRef) *ref = call_new(call, PB(ResourceRef));
  if (!ref)
    return NULL;
  *ref = (PB(ResourceRef))PB_INIT(RESOURCE_REF);
  ref->kind = (char *)(uintptr_t)smi_kind_name(meta->kind); /* protobuf-c's members are not const; they are only read */
  ref->namespace_ = (char *)(uintptr_t)meta->ns;
  ref->name = (char *)(uintptr_t)meta->name;
  return ref;
}

static bool set_body(struct call *call, PB(NativeObject) * message, const json_t *body) {
  char *text = call_json_text(call, body);
  if (!text)
    return false;
  message->body = (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
  return true;
}

/* `id` is in the call's memory. */
static struct native_object *object_create(struct call *call, char *id, uint32_t wave, const json_t *body) {
  struct native_object *object = call_new(call, struct native_object);
  if (!object)
    return NULL;
  object->call = call;
  object->message = (PB(NativeObject))PB_INIT(NATIVE_OBJECT);
  object->message.id = id;
  object->message.wave = wave;
  if (!set_body(call, &object->message, body))
    return NULL;
  return object;
}

static const char *or_else(const char *text, const char *otherwise) {
  return text ? text : otherwise;
}

static PB(JsonMember) * *members_message(struct call *call, const struct http_member *members, size_t count) {
  PB(JsonMember) **messages = arena_array(call->arena, count, sizeof(void *));
  for (size_t i = 0; messages && i < count; i++) {
    messages[i] = call_new(call, PB(JsonMember));
    if (!messages[i])
      return NULL;
    *messages[i] = (PB(JsonMember))PB_INIT(JSON_MEMBER);
    messages[i]->pointer = call_text(call, members[i].pointer);
    messages[i]->value = call_text(call, members[i].value);
  }
  if (!messages)
    call_out_of_memory(call);
  return messages;
}

static PB(HttpIdentity) * identity_message(struct call *call, const struct http_identity *identity) {
  PB(HttpIdentity) *message = call_new(call, PB(HttpIdentity));
  if (!message)
    return NULL;
  *message = (PB(HttpIdentity))PB_INIT(HTTP_IDENTITY);
  message->marks = members_message(call, identity->marks, identity->mark_count);
  message->n_marks = message->marks ? identity->mark_count : 0;
  message->version = call_text(call, identity->version);
  message->version_parameter = call_text(call, identity->version_parameter);
  message->stale_answer = call_text(call, identity->stale_answer);
  message->list_path = call_text(call, identity->list_path);
  message->match = members_message(call, identity->match, identity->match_count);
  message->n_match = message->match ? identity->match_count : 0;
  message->id = call_text(call, identity->id);
  message->update_method = call_text(call, identity->update_method);
  message->update_path = call_text(call, identity->update_path);
  return message;
}

struct native_object *native_http(struct call *call, const char *id, uint32_t wave, const struct http_place *place,
                                  json_t *body) {
  struct native_object *object = object_create(call, call_text(call, id), wave, body);
  json_decref(body);
  PB(HttpObject) *http = object ? call_new(call, PB(HttpObject)) : NULL;
  if (!http)
    return NULL;
  *http = (PB(HttpObject))PB_INIT(HTTP_OBJECT);
  http->endpoint = call_text(call, place->endpoint);
  http->method = call_text(call, or_else(place->method, "PUT"));
  http->path = call_text(call, place->path);
  http->content_type = call_text(call, or_else(place->content_type, "application/json"));
  http->read_path = call_text(call, or_else(place->read_path, place->path));
  http->delete_method = call_text(call, or_else(place->delete_method, "DELETE"));
  if (*http->delete_method)
    http->delete_path = call_text(call, or_else(place->delete_path, place->path));
  if (place->identity)
    http->identity = identity_message(call, place->identity);
  object->message.transport_case = PB_VALUE(NATIVE_OBJECT__TRANSPORT_HTTP);
  object->message.http = http;
  return object;
}

static bool set_kubernetes_head(json_t *body, const char *api_version, const char *kind, const char *ns,
                                const char *name) {
  if (!json_is_object(body))
    return false;
  json_t *metadata = json_object_get(body, "metadata");
  if (!metadata) {
    metadata = json_object();
    if (json_object_set_new(body, "metadata", metadata) < 0)
      return false;
  }
  return json_object_set_new(body, "apiVersion", json_string(api_version)) == 0 &&
         json_object_set_new(body, "kind", json_string(kind)) == 0 &&
         json_object_set_new(metadata, "name", json_string(name)) == 0 &&
         (!ns || json_object_set_new(metadata, "namespace", json_string(ns)) == 0);
}

struct native_object *native_kubernetes(struct call *call, uint32_t wave, const char *api_version, const char *kind,
                                        const char *ns, const char *name, json_t *body) {
  char *id = arena_printf(call_arena(call), "%s/%s/%s/%s", api_version, kind, ns ? ns : "", name);
  struct native_object *object = NULL;
  if (id && set_kubernetes_head(body, api_version, kind, ns, name))
    object = object_create(call, id, wave, body);
  else
    call_out_of_memory(call);
  json_decref(body);
  PB(KubernetesObject) *kubernetes = object ? call_new(call, PB(KubernetesObject)) : NULL;
  if (!kubernetes)
    return NULL;
  *kubernetes = (PB(KubernetesObject))PB_INIT(KUBERNETES_OBJECT);
  kubernetes->api_version = call_text(call, api_version);
  kubernetes->kind = call_text(call, kind);
  kubernetes->namespace_ = call_text(call, ns);
  kubernetes->name = call_text(call, name);
  object->message.transport_case = PB_VALUE(NATIVE_OBJECT__TRANSPORT_KUBERNETES);
  object->message.kubernetes = kubernetes;
  return object;
}

void native_source(struct native_object *object, const struct smi_meta *source) {
  if (!object)
    return;
  const char *kind = smi_kind_name(source->kind);
  for (size_t i = 0; i < object->sources.count; i++) {
    const PB(ResourceRef) *ref = object->sources.items[i];
    if (strcmp(ref->kind, kind) == 0 && strcmp(ref->namespace_, source->ns) == 0 &&
        strcmp(ref->name, source->name) == 0)
      return;
  }
  PB(ResourceRef) *ref = resource_of(object->call, source);
  if (ref)
    pointers_add(object->call, &object->sources, ref);
}

void native_ready_condition(struct native_object *object, const char *type) {
  if (!object)
    return;
  struct pointers *types = &object->ready_conditions;
  pointers_add(object->call, types, call_text(object->call, type));
  object->message.kubernetes->n_ready_conditions = types->count;
  object->message.kubernetes->ready_conditions = (char **)types->items;
}

const char *native_id(const struct native_object *object) {
  return object ? object->message.id : "";
}

const char *path_segment(struct call *call, const char *text) {
  static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  char *out = call_alloc(call, strlen(text) * 3 + 1);
  if (!out)
    return "";
  char *end = out;
  for (; *text; text++) {
    if (strchr(unreserved, *text))
      *end++ = *text;
    else
      end += snprintf(end, 4, "%%%02X", (unsigned char)*text);
  }
  return out;
}

static int by_wave_and_rank(const void *a, const void *b) {
  const struct native_object *x = *(struct native_object *const *)a;
  const struct native_object *y = *(struct native_object *const *)b;
  if (x->message.wave != y->message.wave)
    return x->message.wave < y->message.wave ? -1 : 1;
  return (x->rank > y->rank) - (x->rank < y->rank);
}

static int by_id(const void *a, const void *b) {
  return strcmp((*(struct native_object *const *)a)->message.id, (*(struct native_object *const *)b)->message.id);
}

int native_finish(struct call *call, const struct pointers *objects, size_t *ret_count,
                  PB(NativeObject) * **ret_messages) {
  *ret_count = 0;
  *ret_messages = NULL;
  if (objects->count == 0)
    return TRAMMEL_OK;
  qsort(objects->items, objects->count, sizeof *objects->items, by_id);
  for (size_t i = 1; i < objects->count; i++)
    if (by_id(&objects->items[i - 1], &objects->items[i]) == 0)
      return call_fail(call, TRAMMEL_INTERNAL, "SDK-0008", "the adapter made two objects with the id %s",
                       native_id(objects->items[i]));
  for (size_t i = 0; i < objects->count; i++)
    ((struct native_object *)objects->items[i])->rank = i;
  qsort(objects->items, objects->count, sizeof *objects->items, by_wave_and_rank);
  PB(NativeObject) **messages = arena_array(call->arena, objects->count, sizeof(void *));
  if (!messages)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  for (size_t i = 0; i < objects->count; i++) {
    struct native_object *object = objects->items[i];
    object->message.n_sources = object->sources.count;
    object->message.sources = (PB(ResourceRef) **)object->sources.items;
    messages[i] = &object->message;
  }
  *ret_count = objects->count;
  *ret_messages = messages;
  return TRAMMEL_OK;
}
