#include "host/engine/census.h"

#include <errno.h>
#include <string.h>

#include "host/transport/kube/discovery.h"
#include "host/transport/kube/list.h"
#include "sdk/base/clock.h"

/* A server has all of these versions but the second one. */
const struct census_kind census_kinds[CENSUS_KINDS] = {
    {"Deployment", {"apps/v1"}, true},
    {"StatefulSet", {"apps/v1"}, true},
    {"DaemonSet", {"apps/v1"}, true},
    {"ReplicaSet", {"apps/v1"}, true},
    {"ReplicationController", {"v1"}, true},
    {"CronJob", {"batch/v1", "batch/v1beta1"}, true},
    {"Job", {"batch/v1"}, true},
    {"Pod", {"v1"}, false},
    {"Service", {"v1"}, false},
    {"ServiceAccount", {"v1"}, false},
};

static bool same_group(const char *a, const char *b) {
  size_t length = strcspn(a, "/");
  bool core = a[length] == '\0';

  return core ? !strchr(b, '/') : strncmp(a, b, length + 1) == 0;
}

static bool is_controller(const json_t *owner) {
  const char *kind = json_string_value(json_object_get(owner, "kind"));
  const char *version = json_string_value(json_object_get(owner, "apiVersion"));

  if (!kind || !version || !json_is_true(json_object_get(owner, "controller")))
    return false;
  for (size_t i = 0; i < CENSUS_KINDS; i++)
    if (census_kinds[i].controls && strcmp(census_kinds[i].kind, kind) == 0 &&
        same_group(census_kinds[i].versions[0], version))
      return true;
  return false;
}

bool census_is_controlled(const json_t *object) {
  const json_t *owners = json_object_get(json_object_get(object, "metadata"), "ownerReferences"), *owner;
  size_t i;

  json_array_foreach(owners, i, owner) {
    if (is_controller(owner))
      return true;
  }
  return false;
}

/* What nobody reads need not be kept: of thousands of objects it is the most. */
static int trim(json_t *object) {
  json_t *metadata = json_object_get(object, "metadata");
  json_t *phase = json_object_get(json_object_get(object, "status"), "phase");
  json_t *status = phase ? json_pack("{s:O}", "phase", phase) : NULL;

  (void)json_object_del(metadata, "managedFields");
  (void)json_object_del(metadata, "annotations");
  (void)json_object_del(object, "status");
  return !phase || json_object_set_new(object, "status", status) == 0 ? 0 : -ENOMEM;
}

static int keep(json_t *item, void *ctx, struct error **err) {
  if (census_is_controlled(item))
    return 0;
  return trim(item) == 0 && json_array_append(ctx, item) == 0 ? 0 : error_set(err, ENOMEM, "out of memory for a list");
}

static void forget(void *ctx) {
  (void)json_array_clear(ctx);
}

static struct kube_call call_now(const struct census *census) {
  return (struct kube_call){.deadline_ns = clock_in_ns(CENSUS_TIMEOUT_NS), .cancel = census->cancel};
}

/* Of one namespace, or of all. */
static int list(const struct census *census, const struct kube_resource *resource, const char *ns, json_t *objects,
                struct error **err) {
  const struct kube_call call = call_now(census);
  const struct kube_ref ref = {.resource = resource, .namespace_ = ns};
  json_auto_t *found = json_array();
  const struct kube_list_visitor visitor = {.item = keep, .restart = forget, .ctx = found};

  if (!found)
    return error_set(err, ENOMEM, "out of memory for a list");
  int r = kube_list_each(cluster_client(census->cluster), &ref, NULL, &visitor, &call, NULL, err);
  if (r == 0 && json_array_extend(objects, found) < 0)
    r = error_set(err, ENOMEM, "out of memory for a list");
  return r;
}

static int find_kind(const struct census *census, const struct census_kind *kind, struct kube_resource *resource,
                     struct error **err) {
  const struct kube_call call = call_now(census);
  struct kube_client *client = cluster_client(census->cluster);
  _cleanup_error_ struct error *why = NULL;

  int r = kube_discover(client, kind->versions[0], kind->kind, &call, resource, &why);
  if (r == -ENOTSUP && kind->versions[1])
    r = kube_discover(client, kind->versions[1], kind->kind, &call, resource, &why);
  return r < 0 ? error_set(err, -r, "%s", error_message(why)) : 0;
}

static int list_kind(const struct census *census, const struct census_kind *kind, json_t *objects, struct error **err) {
  struct kube_resource resource;

  int r = find_kind(census, kind, &resource, err);
  if (r < 0)
    return r;
  if (census->namespace_count == 0 || census->namespace_count > CENSUS_NAMESPACES_MAX)
    return list(census, &resource, NULL, objects, err);
  for (size_t i = 0; r == 0 && i < census->namespace_count; i++)
    r = list(census, &resource, census->namespaces[i], objects, err);
  return r;
}

int census_take(const struct census *census, json_t **ret_objects, struct error **err) {
  json_auto_t *objects = json_array();
  int r = objects ? 0 : error_set(err, ENOMEM, "out of memory for a list");

  for (size_t i = 0; r == 0 && i < CENSUS_KINDS; i++)
    r = list_kind(census, &census_kinds[i], objects, err);
  if (r < 0)
    return r;
  *ret_objects = json_incref(objects);
  return 0;
}
