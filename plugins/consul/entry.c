#include "plugins/consul/entry.h"

#include <string.h>

#include "plugins/consul/name.h"
#include "sdk/kube/object.h"

static const struct {
  const char *resource; /* kind of the custom resource */
  const char *entry;    /* kind of the config entry */
  uint32_t wave;
} kinds[] = {
    [ENTRY_DEFAULTS] = {"ServiceDefaults", "service-defaults", 1},
    [ENTRY_INTENTIONS] = {"ServiceIntentions", "service-intentions", 2},
    [ENTRY_SPLITTER] = {"ServiceSplitter", "service-splitter", 2},
    [ENTRY_ROUTER] = {"ServiceRouter", "service-router", 3},
};

static const struct http_member marks[] = {{"/Meta/" MARK_KEY, MARK_VALUE}};

static bool is_wildcard(const struct entry *entry) {
  return strcmp(entry->service, "*") == 0;
}

static uint32_t wave_of(const struct entry *entry) {
  return is_wildcard(entry) ? 0 : kinds[entry->kind].wave;
}

/* The HTTP API writes "pathRegex" as "PathRegex", and "http" as "HTTP". */
static json_t *capitalised(const json_t *value) {
  const char *key;
  json_t *member, *copy;
  size_t i;
  if (json_is_array(value)) {
    copy = json_array();
    json_array_foreach(value, i, member) if (json_array_append_new(copy, capitalised(member)) < 0) {
      json_decref(copy);
      return NULL;
    }
    return copy;
  }
  if (!json_is_object(value))
    return json_deep_copy(value);
  copy = json_object();
  json_object_foreach((json_t *)value, key, member) {
    char name[32] = "HTTP";
    if (strcmp(key, "http") != 0) {
      (void)strncpy(name, key, sizeof name - 1);
      name[0] = (char)(name[0] - 'a' + 'A');
    }
    if (json_object_set_new(copy, name, capitalised(member)) < 0) {
      json_decref(copy);
      return NULL;
    }
  }
  return copy;
}

/* Set once the entry is in Consul (consul-k8s). */
static const char *const ready_conditions[] = {"Synced", NULL};

static struct native_object *resource(struct call *call, const struct consul_config *config, const struct entry *entry,
                                      json_t *spec) {
  const char *name = entry->service;
  int failed = 0;
  if (entry->kind == ENTRY_INTENTIONS) { /* the others are of the service that they are named after */
    name = kube_name(call, is_wildcard(entry) ? "default-deny" : entry->service, entry->service);
    json_t *destination = json_pack("{s:s}", "name", entry->service);
    if (config->namespaces)
      failed |= json_object_set_new(destination, "namespace", json_string(entry->ns));
    failed |= json_object_set_new(spec, "destination", destination);
  }
  json_t *body = failed ? NULL : json_pack("{s:O}", "spec", spec);
  json_decref(spec);
  return kube_object(call,
                     &(struct kube_object){.wave = wave_of(entry),
                                           .api_version = CONSUL_API_VERSION,
                                           .kind = kinds[entry->kind].resource,
                                           .ns = entry->ns,
                                           .name = name,
                                           .sources = entry->sources,
                                           .source_count = entry->source_count,
                                           .ready_conditions = ready_conditions},
                     body);
}

/* Consul writes an entry over another's unless it is told the version that is to be replaced. */
static struct native_object *request(struct call *call, const struct consul_config *config, const struct entry *entry,
                                     json_t *spec) {
  static const struct http_identity identity = {
      .marks = marks, .mark_count = 1, .version = "/ModifyIndex", .version_parameter = "cas", .stale_answer = "false"};
  const char *kind = kinds[entry->kind].entry;
  const char *query = config->namespaces ? arena_printf(call_arena(call), "?ns=%s", path_segment(call, entry->ns)) : "";
  const char *service = service_name(call, config, entry->ns, entry->service);
  const char *name = path_segment(call, service);
  const char *place = arena_printf(call_arena(call), "/v1/config/%s/%s%s", kind, name, query ? query : "");
  const char *path = arena_printf(call_arena(call), "/v1/config%s", query ? query : "");
  const char *id = arena_printf(call_arena(call), "%s/%s%s%s", kind, config->namespaces ? entry->ns : "",
                                config->namespaces ? "/" : "", service);
  json_t *body = capitalised(spec);
  json_decref(spec);
  int failed = json_object_set_new(body, "Kind", json_string(kind)) |
               json_object_set_new(body, "Name", json_string(service)) |
               json_object_set_new(body, "Meta", json_pack("{s:s}", MARK_KEY, MARK_VALUE));
  if (config->namespaces)
    failed |= json_object_set_new(body, "Namespace", json_string(entry->ns));
  if (failed || !query || !place || !path || !id) {
    json_decref(body);
    call_out_of_memory(call);
    return NULL;
  }
  struct native_object *object = native_http(
      call, id, wave_of(entry),
      &(struct http_place){
          .endpoint = CONSUL_ENDPOINT, .path = path, .read_path = place, .delete_path = place, .identity = &identity},
      body);
  for (size_t i = 0; i < entry->source_count; i++)
    native_source(object, entry->sources[i]);
  return object;
}

struct native_object *entry_object(struct call *call, const struct consul_config *config, const struct entry *entry,
                                   json_t *spec) {
  if (!spec) {
    call_out_of_memory(call);
    return NULL;
  }
  return config->crd ? resource(call, config, entry, spec) : request(call, config, entry, spec);
}

struct native_object *entry_old_intention(struct call *call, const char *source, const char *destination, bool allow) {
  static const char place[] = "/v1/connect/intentions/{id}";
  const struct http_member match[] = {{"/SourceName", source}, {"/DestinationName", destination}};
  const struct http_identity identity = {.marks = marks,
                                         .mark_count = 1,
                                         .list_path = "/v1/connect/intentions",
                                         .match = match,
                                         .match_count = 2,
                                         .id = "/ID",
                                         .update_method = "PUT",
                                         .update_path = place};
  const char *id = arena_printf(call_arena(call), "intentions/%s/%s", destination, source);
  json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:{s:s}}", "SourceName", source, "DestinationName", destination,
                           "SourceType", "consul", "Action", allow ? "allow" : "deny", "Meta", MARK_KEY, MARK_VALUE);
  if (!id || !body) {
    json_decref(body);
    call_out_of_memory(call);
    return NULL;
  }
  return native_http(call, id, strcmp(destination, "*") == 0 ? 0 : kinds[ENTRY_INTENTIONS].wave,
                     &(struct http_place){.endpoint = CONSUL_ENDPOINT,
                                          .path = "/v1/connect/intentions",
                                          .method = "POST",
                                          .read_path = place,
                                          .delete_path = place,
                                          .identity = &identity},
                     body);
}
