#include "host/kit/translation_json.h"

#include <string.h>

#define PB(name) Trammel__Adapter__V1__##name

static json_t *text(const char *value) {
  return json_string(value ? value : "");
}

static json_t *reference(const PB(ResourceRef) * ref) {
  return ref ? json_sprintf("%s %s/%s", ref->kind, ref->namespace_, ref->name) : json_null();
}

static json_t *references(PB(ResourceRef) * *refs, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    (void)json_array_append_new(list, reference(refs[i]));
  return list;
}

static json_t *texts(char *const *values, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    (void)json_array_append_new(list, text(values[i]));
  return list;
}

static json_t *body_of(const PB(NativeObject) * object) {
  json_t *body = json_loadb((const char *)object->body.data, object->body.len, JSON_DECODE_ANY, NULL);
  if (!body)
    body = json_stringn((const char *)object->body.data, object->body.len);
  return body ? body : json_sprintf("%zu bytes that are no UTF-8", object->body.len);
}

static json_t *members(PB(JsonMember) * *from, size_t count) {
  json_t *object = json_object();
  for (size_t i = 0; i < count; i++)
    (void)json_object_set_new(object, from[i]->pointer, text(from[i]->value));
  return object;
}

static void add_text(json_t *object, const char *key, const char *value) {
  if (*value)
    (void)json_object_set_new(object, key, text(value));
}

static json_t *identity_to_json(const PB(HttpIdentity) * identity) {
  json_t *object = json_pack("{s:o}", "marks", members(identity->marks, identity->n_marks));
  add_text(object, "version", identity->version);
  add_text(object, "versionParameter", identity->version_parameter);
  add_text(object, "staleAnswer", identity->stale_answer);
  add_text(object, "list", identity->list_path);
  if (identity->n_match > 0)
    (void)json_object_set_new(object, "match", members(identity->match, identity->n_match));
  add_text(object, "id", identity->id);
  if (*identity->update_method)
    (void)json_object_set_new(object, "update", json_sprintf("%s %s", identity->update_method, identity->update_path));
  return object;
}

static void add_http(json_t *object, const PB(HttpObject) * http) {
  (void)json_object_set_new(object, "endpoint", text(http->endpoint));
  (void)json_object_set_new(object, "request", json_sprintf("%s %s", http->method, http->path));
  if (strcmp(http->content_type, "application/json") != 0)
    (void)json_object_set_new(object, "contentType", text(http->content_type));
  if (strcmp(http->read_path, http->path) != 0)
    (void)json_object_set_new(object, "readPath", text(http->read_path));
  if (strcmp(http->delete_method, "DELETE") != 0 || strcmp(http->delete_path, http->path) != 0)
    (void)json_object_set_new(object, "removal",
                              *http->delete_method ? json_sprintf("%s %s", http->delete_method, http->delete_path)
                                                   : json_string("none"));
  if (http->identity)
    (void)json_object_set_new(object, "identity", identity_to_json(http->identity));
}

static json_t *object_to_json(const PB(NativeObject) * from) {
  json_t *object = json_pack("{s:s, s:I}", "id", from->id, "wave", (json_int_t)from->wave);
  /* A Kubernetes object says in its body what and where it is. */
  if (from->transport_case == TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_HTTP)
    add_http(object, from->http);
  (void)json_object_set_new(object, "body", body_of(from));
  (void)json_object_set_new(object, "sources", references(from->sources, from->n_sources));
  return object;
}

static const char *level_name(PB(CoverageLevel) level) {
  switch (level) {
  case TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_EXACT:
    return "exact";
  case TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_APPROXIMATED:
    return "approximated";
  case TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_UNSUPPORTED:
    return "unsupported";
  default:
    return "?";
  }
}

static json_t *coverage_to_json(const PB(Coverage) * from) {
  return json_pack("{s:o, s:o, s:s, s:o, s:o}", "resource", reference(from->resource), "pointer", text(from->pointer),
                   "level", level_name(from->level), "reason", text(from->reason), "objects",
                   texts(from->objects, from->n_objects));
}

json_t *translation_to_json(const PB(TranslateResponse) * response) {
  json_t *objects = json_array(), *coverage = json_array();
  int failed = 0;
  for (size_t i = 0; i < response->n_objects; i++)
    failed |= json_array_append_new(objects, object_to_json(response->objects[i]));
  for (size_t i = 0; i < response->n_coverage; i++)
    failed |= json_array_append_new(coverage, coverage_to_json(response->coverage[i]));
  json_t *result = json_pack("{s:o, s:o}", "objects", objects, "coverage", coverage);
  if (result && failed) {
    json_decref(result);
    return NULL;
  }
  return result;
}
