#include "sdk/smi/conversion.h"

#include <stdio.h>
#include <string.h>

#include "sdk/smi/catalogue.h"
#include "sdk/smi/place.h"

void conversion_refuse(struct conversion *conversion, const struct smi_meta *meta, const char *code,
                       const char *pointer, const char *remedy, const char *format, ...) {
  char reason[512];
  struct smi_place place = smi_place(conversion->arena, meta, pointer);
  struct diagnostic diagnostic = {
      .severity = SEVERITY_ERROR, .code = code, .pointer = place.pointer, .position = place.position, .remedy = remedy};
  va_list args;

  va_start(args, format);
  (void)vsnprintf(reason, sizeof(reason), format, args);
  va_end(args);
  conversion->refused = true;
  if (diagnostics_addf(conversion->diagnostics, &diagnostic, "%s %s/%s: %s", smi_kind_name(meta->kind), meta->ns,
                       meta->name, reason) < 0)
    conversion->out_of_memory = true;
}

const char *conversion_pointer(struct conversion *conversion, const char *format, ...) {
  const char *text;
  va_list args;

  va_start(args, format);
  text = smi_pointer(conversion->arena, format, args);
  va_end(args);
  return text;
}

void conversion_set(struct conversion *conversion, json_t *object, const char *key, json_t *value) {
  if (!object) {
    json_decref(value);
    return;
  }
  if (json_object_set_new(object, key, value) < 0)
    conversion->out_of_memory = true;
}

void conversion_append(struct conversion *conversion, json_t *list, json_t *value) {
  if (!list) {
    json_decref(value);
    return;
  }
  if (json_array_append_new(list, value) < 0)
    conversion->out_of_memory = true;
}

void conversion_text(struct conversion *conversion, json_t *object, const char *key, const char *text) {
  conversion_set(conversion, object, key, json_string(text ? text : ""));
}

json_t *conversion_list(struct conversion *conversion, json_t *object, const char *key) {
  conversion_set(conversion, object, key, json_array());
  return json_object_get(object, key);
}

json_t *conversion_map(struct conversion *conversion, json_t *object, const char *key) {
  conversion_set(conversion, object, key, json_object());
  return json_object_get(object, key);
}

json_t *conversion_item(struct conversion *conversion, json_t *list) {
  conversion_append(conversion, list, json_object());
  return json_array_get(list, json_array_size(list) - 1);
}

void conversion_texts(struct conversion *conversion, json_t *object, const char *key, const char *const *texts,
                      size_t count) {
  json_t *list = count > 0 ? conversion_list(conversion, object, key) : NULL;

  for (size_t i = 0; i < count; i++)
    conversion_append(conversion, list, json_string(texts[i]));
}

void conversion_labels(struct conversion *conversion, json_t *object, const char *key, const struct smi_label *labels,
                       size_t count) {
  json_t *map = count > 0 ? conversion_map(conversion, object, key) : NULL;

  for (size_t i = 0; i < count; i++)
    conversion_text(conversion, map, labels[i].name, labels[i].value);
}

/* Not an error: nothing that SMI says is lost. */
static void tell_left_out(struct conversion *conversion, const struct smi_meta *meta) {
  struct diagnostic diagnostic = {
      .severity = SEVERITY_INFO, .code = "SMI-0110", .remedy = "add them to what was written where they are needed"};
  struct smi_place place = smi_place(conversion->arena, meta, "/metadata");

  if (!meta->not_read)
    return;
  diagnostic.pointer = place.pointer;
  diagnostic.position = place.position;
  if (diagnostics_addf(conversion->diagnostics, &diagnostic, "%s %s/%s: left out of its metadata: %s",
                       smi_kind_name(meta->kind), meta->ns, meta->name, meta->not_read) < 0)
    conversion->out_of_memory = true;
}

json_t *conversion_resource(struct conversion *conversion, const struct smi_meta *meta, struct smi_version version) {
  json_t *resource = conversion_item(conversion, conversion->result);
  json_t *metadata;

  conversion_set(conversion, resource, "apiVersion",
                 json_sprintf("%s%s/v1alpha%u", smi_group_name(version.group), SMI_GROUP_SUFFIX, version.alpha));
  conversion_text(conversion, resource, "kind", smi_kind_name(meta->kind));
  metadata = conversion_map(conversion, resource, "metadata");
  conversion_text(conversion, metadata, "name", meta->name);
  if (!meta->ns_implied)
    conversion_text(conversion, metadata, "namespace", meta->ns);
  conversion_labels(conversion, metadata, "labels", meta->labels, meta->label_count);
  conversion_labels(conversion, metadata, "annotations", meta->annotations, meta->annotation_count);
  tell_left_out(conversion, meta);
  return smi_body_in_spec(version) ? conversion_map(conversion, resource, "spec") : resource;
}
