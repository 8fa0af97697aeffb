#include "host/transport/kube/discovery_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* False for what is no text, or too long to be a name. */
static bool copy_name(const json_t *value, char *out, size_t most) {
  size_t length = json_string_length(value);

  if (!json_is_string(value) || length > most || length != strlen(json_string_value(value)))
    return false;
  memcpy(out, json_string_value(value), length + 1);
  return true;
}

static void add_version(struct kube_versions *versions, const json_t *name) {
  char *out = versions->names[versions->count < KUBE_VERSIONS_MAX ? versions->count : 0];
  char version[KUBE_LABEL_MAX + 1];

  if (versions->count == KUBE_VERSIONS_MAX || !copy_name(name, version, KUBE_LABEL_MAX) || !version[0])
    return;
  for (size_t i = 0; i < versions->count; i++)
    if (strcmp(versions->names[i], version) == 0)
      return;
  memcpy(out, version, sizeof(version));
  versions->count++;
}

static void read_core(const json_t *core, struct discovery_group *group) {
  const json_t *versions = json_object_get(core, "versions");

  for (size_t i = 0; i < json_array_size(versions); i++)
    add_version(&group->versions, json_array_get(versions, i));
}

/* The server lists versions by its own order of priority, and names the preferred one. */
static bool read_group(const json_t *value, struct discovery_group *group) {
  const json_t *versions = json_object_get(value, "versions");

  if (!copy_name(json_object_get(value, "name"), group->name, KUBE_GROUP_MAX) || !group->name[0])
    return false;
  add_version(&group->versions, json_object_get(json_object_get(value, "preferredVersion"), "version"));
  for (size_t i = 0; i < json_array_size(versions); i++)
    add_version(&group->versions, json_object_get(json_array_get(versions, i), "version"));
  return group->versions.count > 0;
}

int discovery_read_groups(const json_t *core, const json_t *named, struct discovery_group **ret_groups,
                          size_t *ret_count, struct error **err) {
  const json_t *list = json_object_get(named, "groups");
  size_t count = 1;

  if (!json_is_array(json_object_get(core, "versions")) || !json_is_array(list))
    return error_set(err, EIO, "discovery: /api and /apis answer no API groups; is this a Kubernetes API server?");
  if (json_array_size(list) > KUBE_GROUPS_MAX)
    return error_set(err, E2BIG, "discovery: the server has more than %d API groups", KUBE_GROUPS_MAX);
  struct discovery_group *groups = calloc(json_array_size(list) + 1, sizeof(*groups));
  if (!groups)
    return error_set(err, ENOMEM, "out of memory for API groups");
  read_core(core, &groups[0]);
  for (size_t i = 0; i < json_array_size(list); i++) {
    groups[count] = (struct discovery_group){0};
    count += read_group(json_array_get(list, i), &groups[count]);
  }
  *ret_groups = groups;
  *ret_count = count;
  return 0;
}

static unsigned read_verbs(const json_t *list) {
  static const struct {
    const char *name;
    unsigned verb;
  } verbs[] = {{"get", KUBE_VERB_GET},       {"list", KUBE_VERB_LIST},
               {"watch", KUBE_VERB_WATCH},   {"create", KUBE_VERB_CREATE},
               {"update", KUBE_VERB_UPDATE}, {"patch", KUBE_VERB_PATCH},
               {"delete", KUBE_VERB_DELETE}, {"deletecollection", KUBE_VERB_DELETECOLLECTION}};
  unsigned set = 0;

  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *name = json_string_value(json_array_get(list, i));
    for (size_t k = 0; name && k < ARRAY_COUNT(verbs); k++)
      set |= strcmp(name, verbs[k].name) == 0 ? verbs[k].verb : 0;
  }
  return set;
}

static bool read_kind(const json_t *value, struct kube_resource *resource) {
  if (!copy_name(json_object_get(value, "name"), resource->plural, KUBE_LABEL_MAX) || !resource->plural[0] ||
      strchr(resource->plural, '/') || !copy_name(json_object_get(value, "kind"), resource->kind, KUBE_LABEL_MAX) ||
      !resource->kind[0])
    return false;
  resource->namespaced = json_is_true(json_object_get(value, "namespaced"));
  resource->verbs = read_verbs(json_object_get(value, "verbs"));
  return true;
}

int discovery_read_kinds(const json_t *answer, const struct kube_resource *version,
                         struct kube_resource **ret_resources, size_t *ret_count, struct error **err) {
  const json_t *list = json_object_get(answer, "resources");
  size_t count = 0;

  if (!json_is_array(list) && !json_is_null(list))
    return error_set(err, EIO, "discovery: the server answers no list of resources; is this a Kubernetes API server?");
  if (json_array_size(list) > KUBE_KINDS_MAX)
    return error_set(err, E2BIG, "discovery: the server has more than %d kinds in one version", KUBE_KINDS_MAX);
  struct kube_resource *resources = calloc(json_array_size(list) + 1, sizeof(*resources));
  if (!resources)
    return error_set(err, ENOMEM, "out of memory for kinds");
  for (size_t i = 0; i < json_array_size(list); i++) {
    resources[count] = *version;
    count += read_kind(json_array_get(list, i), &resources[count]);
  }
  *ret_resources = resources;
  *ret_count = count;
  return 0;
}
