#include "sdk/kube/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* FNV-1a: names and changes are told apart by it, nothing is protected by it. */
static uint64_t hash_add(uint64_t hash, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
  return hash;
}

static bool is_label_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

const char *kube_name(struct call *call, const char *base, const char *key) {
  static const char prefix[] = "smi-";
  const size_t room = KUBE_NAME_MAX - (sizeof prefix - 1) - (sizeof "-01234567" - 1);
  char text[KUBE_NAME_MAX + 1];
  size_t length = strnlen(base, room);
  uint64_t hash = hash_add(HASH_START, key, strlen(key));

  memcpy(text, base, length);
  for (size_t i = 0; i < length; i++) {
    char lower = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    text[i] = is_label_character(lower) ? lower : '-';
  }
  while (length > 0 && text[length - 1] == '-')
    length--;
  const char *name = arena_printf(call_arena(call), "%s%.*s%s%08" PRIx32, prefix, (int)length, text,
                                  length > 0 ? "-" : "", (uint32_t)(hash ^ (hash >> 32)));
  if (!name)
    call_out_of_memory(call);
  return name ? name : "";
}

static json_t *hash_text(struct call *call, const json_t *body) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  char digits[17];
  int r = json_write_compact(body, &text);
  if (r < 0) {
    call_unwritten(call, r);
    return NULL;
  }
  (void)snprintf(digits, sizeof digits, "%016" PRIx64, hash_add(HASH_START, strbuf_text(&text), text.length));
  return json_string(digits);
}

static json_t *sources_text(const struct kube_object *object) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (size_t i = 0; i < object->source_count; i++) {
    const struct smi_meta *source = object->sources[i];
    if (text.length > KUBE_SOURCES_MAX) {
      strbuf_puts(&text, ",…");
      break;
    }
    strbuf_printf(&text, "%s%s/%s/%s", i > 0 ? "," : "", smi_kind_name(source->kind), source->ns, source->name);
  }
  return strbuf_failed(&text) ? NULL : json_string(strbuf_text(&text));
}

/* The map `key` of `parent`, made when there is none. Borrowed; NULL without memory. */
static json_t *map_within(json_t *parent, const char *key) {
  json_t *map = json_object_get(parent, key);
  if (map)
    return map;
  map = json_object();
  return json_object_set_new(parent, key, map) == 0 ? map : NULL;
}

static bool mark(struct call *call, const struct kube_object *object, json_t *body) {
  json_t *hash = hash_text(call, body); /* of what is to be there, before there is metadata about it */
  json_t *metadata = map_within(body, "metadata");
  json_t *labels = metadata ? map_within(metadata, "labels") : NULL;
  json_t *annotations = labels ? map_within(metadata, "annotations") : NULL;
  if (!annotations) {
    json_decref(hash);
    return false;
  }
  return json_object_set_new(annotations, KUBE_HASH_ANNOTATION, hash) == 0 &&
         json_object_set_new(labels, KUBE_MANAGED_LABEL, json_string(KUBE_MANAGED_VALUE)) == 0 &&
         (object->source_count == 0 ||
          json_object_set_new(annotations, KUBE_SOURCES_ANNOTATION, sources_text(object)) == 0);
}

struct native_object *kube_object(struct call *call, const struct kube_object *object, json_t *body) {
  if (!body || !mark(call, object, body)) {
    json_decref(body);
    call_out_of_memory(call);
    return NULL;
  }
  struct native_object *native =
      native_kubernetes(call, object->wave, object->api_version, object->kind, object->ns, object->name, body);
  for (size_t i = 0; i < object->source_count; i++)
    native_source(native, object->sources[i]);
  for (const char *const *type = object->ready_conditions; type && *type; type++)
    native_ready_condition(native, *type);
  return native;
}
