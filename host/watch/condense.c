#include "host/watch/condense.h"

#include <stdbool.h>
#include <string.h>

#include "sdk/base/memory.h"

/* kubectl's copy of the object in itself. */
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

static char *text_of(const json_t *object) {
  return object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
}

/* The members of `object` with these names (NULL-terminated); borrowed values in a new object. */
static json_t *pick(const json_t *object, const char *const *names) {
  json_t *picked = json_object();

  for (size_t i = 0; names[i]; i++) {
    json_t *value = json_object_get(object, names[i]);
    if (value && json_object_set(picked, names[i], value) < 0) {
      json_decref(picked);
      return NULL;
    }
  }
  return picked;
}

static bool put(json_t *object, const char *key, json_t *value) {
  return !value || json_object_set_new(object, key, value) == 0;
}

static json_t *resource_metadata(const json_t *metadata) {
  static const char *const names[] = {"name", "namespace", "labels", NULL};
  json_t *picked = pick(metadata, names);
  json_t *annotations = json_copy(json_object_get(metadata, "annotations"));

  (void)json_object_del(annotations, LAST_APPLIED);
  if (!picked || (json_object_size(annotations) > 0 && json_object_set(picked, "annotations", annotations) < 0)) {
    json_decref(picked);
    picked = NULL;
  }
  json_decref(annotations);
  return picked;
}

char *condense_resource(const json_t *object) {
  json_auto_t *copy = json_copy((json_t *)object);
  json_t *metadata = copy ? resource_metadata(json_object_get(object, "metadata")) : NULL;

  if (!metadata || json_object_set_new(copy, "metadata", metadata) < 0)
    return NULL;
  (void)json_object_del(copy, "status");
  return text_of(copy);
}

/* ---- who there is */

static json_t *ports_of(const json_t *containers) {
  static const char *const names[] = {"ports", NULL};
  json_t *list = json_is_array(containers) ? json_array() : NULL;
  const json_t *container;
  size_t i;

  json_array_foreach(containers, i, container) {
    if (json_array_append_new(list, pick(container, names)) < 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

/* Of a pod or a template of pods. */
static json_t *pod_spec(const json_t *spec) {
  static const char *const names[] = {"serviceAccountName", "serviceAccount", NULL};
  json_t *picked = pick(spec, names);

  if (picked && put(picked, "containers", ports_of(json_object_get(spec, "containers"))) &&
      put(picked, "initContainers", ports_of(json_object_get(spec, "initContainers"))))
    return picked;
  json_decref(picked);
  return NULL;
}

static json_t *template_of(const json_t *pod) {
  static const char *const names[] = {"labels", NULL};

  return json_pack("{s:o, s:o}", "metadata", pick(json_object_get(pod, "metadata"), names), "spec",
                   pod_spec(json_object_get(pod, "spec")));
}

static json_t *spec_of(const json_t *object) {
  static const char *const of_service[] = {"selector", "ports", "type", NULL};
  const char *kind = json_string_value(json_object_get(object, "kind"));
  const json_t *spec = json_object_get(object, "spec");

  if (!kind || strcmp(kind, "ServiceAccount") == 0)
    return NULL;
  if (strcmp(kind, "Service") == 0)
    return pick(spec, of_service);
  if (strcmp(kind, "Pod") == 0)
    return pod_spec(spec);
  if (strcmp(kind, "CronJob") != 0)
    return json_pack("{s:o}", "template", template_of(json_object_get(spec, "template")));
  const json_t *job = json_object_get(json_object_get(spec, "jobTemplate"), "spec");
  return json_pack("{s:{s:{s:o}}}", "jobTemplate", "spec", "template", template_of(json_object_get(job, "template")));
}

/* Whether a Pod has ended is all that matters of a status. */
static json_t *status_of(const json_t *object) {
  const char *phase = json_string_value(json_object_get(json_object_get(object, "status"), "phase"));
  bool ended = phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);

  return ended ? json_pack("{s:s}", "phase", phase) : NULL;
}

char *condense_population(const json_t *object) {
  static const char *const names[] = {"apiVersion", "kind", NULL};
  static const char *const of_metadata[] = {"name", "namespace", "labels", "ownerReferences", NULL};
  json_auto_t *picked = pick(object, names);

  if (!picked || !put(picked, "metadata", pick(json_object_get(object, "metadata"), of_metadata)) ||
      !put(picked, "spec", spec_of(object)) || !put(picked, "status", status_of(object)))
    return NULL;
  return text_of(picked);
}
