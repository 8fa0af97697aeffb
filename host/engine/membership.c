#include "host/engine/membership.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/engine/managers.h"
#include "host/engine/overlay.h"
#include "host/transport/kube/discovery.h"
#include "host/transport/kube/list.h"
#include "sdk/base/clock.h"

#define MANAGER_SIZE 129 /* (Kubernetes: at most 128 bytes) */

typedef Trammel__Adapter__V1__EnrollResponse enroll_response;

static struct kube_call call_now(const struct membership *membership) {
  return (struct kube_call){.deadline_ns = clock_in_ns(MEMBERSHIP_TIMEOUT_NS), .cancel = membership->cancel};
}

static void manager_of(const struct membership *membership, char ret_manager[MANAGER_SIZE]) {
  (void)snprintf(ret_manager, MANAGER_SIZE, "trammel-enroll/%s", membership->adapter);
}

/* ---- what is written */

static json_t *labels_json(Trammel__Adapter__V1__Label *const *labels, size_t count) {
  json_t *map = json_object();

  for (size_t i = 0; map && i < count; i++)
    if (json_object_set_new(map, labels[i]->name, json_string(labels[i]->value)) < 0) {
      json_decref(map);
      return NULL;
    }
  return map;
}

int membership_namespace_fields(const enroll_response *enrolment, json_t **ret_fields, struct error **err) {
  json_t *metadata = json_object();
  int failed = metadata ? 0 : -1;

  *ret_fields = NULL;
  if (!failed && enrolment->n_namespace_labels > 0)
    failed |= json_object_set_new(metadata, "labels",
                                  labels_json(enrolment->namespace_labels, enrolment->n_namespace_labels));
  if (!failed && enrolment->n_namespace_annotations > 0)
    failed |= json_object_set_new(metadata, "annotations",
                                  labels_json(enrolment->namespace_annotations, enrolment->n_namespace_annotations));
  if (!failed && json_object_size(metadata) > 0) {
    *ret_fields = json_pack("{s:O}", "metadata", metadata);
    failed |= *ret_fields ? 0 : -1;
  }
  json_decref(metadata);
  return failed ? error_set(err, ENOMEM, "out of memory for labels") : 0;
}

static int read_overlay(const enroll_response *enrolment, json_t **ret_overlay, struct error **err) {
  json_auto_t *overlay = NULL;

  int r = enrolment ? overlay_read(enrolment, &overlay, err) : 0;
  if (r < 0)
    return r;
  if (overlay_removes(overlay))
    return error_set(err, EPROTO,
                     "the adapter's Enroll takes something away from pods, which leaving the mesh could not give back");
  *ret_overlay = overlay ? json_incref(overlay) : json_object();
  return *ret_overlay ? 0 : error_set(err, ENOMEM, "out of memory for a pod template");
}

/* The object `key` of `parent`, made when there is none. Borrowed; NULL without memory. */
static json_t *within(json_t *parent, const char *key) {
  json_t *map = json_object_get(parent, key);

  if (json_is_object(map))
    return map;
  map = json_object();
  return json_object_set_new(parent, key, map) == 0 ? map : NULL;
}

/* As kubectl's rollout restart does it. */
static bool set_restart(json_t *annotations) {
  const int64_t now_ns = clock_realtime_ns();
  const time_t seconds = (time_t)(now_ns / NS_PER_SECOND);
  struct tm utc;
  char date[32];

  return gmtime_r(&seconds, &utc) && strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc) > 0 &&
         json_object_set_new(annotations, MEMBERSHIP_RESTART_ANNOTATION,
                             json_sprintf("%s.%03dZ", date, (int)(now_ns % NS_PER_SECOND / NS_PER_MS))) == 0;
}

int membership_workload_fields(const struct membership *membership, const enroll_response *enrolment,
                               json_t **ret_fields, struct error **err) {
  json_auto_t *overlay = NULL;

  int r = read_overlay(enrolment, &overlay, err);
  if (r < 0)
    return r;
  json_t *metadata = within(overlay, "metadata"), *annotations = metadata ? within(metadata, "annotations") : NULL;
  bool good = annotations &&
              json_object_set_new(annotations, MEMBERSHIP_ANNOTATION, json_string(membership->adapter)) == 0 &&
              (enrolment || set_restart(annotations));
  *ret_fields = good ? json_pack("{s:{s:O}}", "spec", "template", overlay) : NULL;
  return *ret_fields ? 0 : error_set(err, ENOMEM, "out of memory for a pod template");
}

/* ---- writing it */

/* The fields as an object that is meant for the very one that was looked at: without that it would be made. */
static json_t *prepare(const struct cluster_place *place, const json_t *fields, const json_t *there) {
  json_t *object = fields ? json_deep_copy(fields) : json_object();
  json_t *metadata = object ? within(object, "metadata") : NULL;
  json_t *own = json_pack("{s:s, s:s*, s:s}", "name", place->name, "namespace",
                          place->ns && *place->ns ? place->ns : NULL, "uid", kube_object_uid(there));
  bool good = metadata && own && json_object_update(metadata, own) == 0 &&
              json_object_set_new(object, "apiVersion", json_string(place->api_version)) == 0 &&
              json_object_set_new(object, "kind", json_string(place->kind)) == 0;

  json_decref(own);
  if (good)
    return object;
  json_decref(object);
  return NULL;
}

int membership_set(const struct membership *membership, const struct cluster_place *place, const json_t *fields,
                   json_t **ret_before, json_t **ret_after, struct error **err) {
  const struct kube_call call = call_now(membership);
  struct kube_client *client = cluster_client(membership->cluster);
  struct kube_resource resource;
  json_auto_t *before = NULL, *body = NULL;
  json_t *after = NULL;
  char manager[MANAGER_SIZE];

  int r = kube_discover(client, place->api_version, place->kind, &call, &resource, err);
  if (r < 0)
    return r;
  const struct kube_ref ref = {
      .resource = &resource, .namespace_ = place->ns && *place->ns ? place->ns : NULL, .name = place->name};
  r = kube_get(client, &ref, &call, &before, err);
  if (r == 0 && !fields && !membership_holds(membership, before)) {
    after = json_incref(before);
  } else if (r == 0) {
    manager_of(membership, manager);
    body = prepare(place, fields, before);
    r = body ? kube_apply(client, &ref, body,
                          &(struct kube_apply_options){
                              .field_manager = manager, .dry_run = membership->dry_run, .exists = true},
                          &call, &after, err)
             : error_set(err, ENOMEM, "out of memory for %s %s", place->kind, place->name);
  }
  if (r < 0)
    return r;
  *ret_before = json_incref(before);
  *ret_after = after;
  return 0;
}

/* ---- looking */

bool membership_holds(const struct membership *membership, const json_t *object) {
  char manager[MANAGER_SIZE];

  manager_of(membership, manager);
  return managers_applied(object, manager);
}

bool membership_shows(const json_t *object, const json_t *fields) {
  const char *key;
  json_t *value;

  if (!json_is_object(fields))
    return json_equal(object, fields);
  json_object_foreach((json_t *)fields, key, value) {
    if (!membership_shows(json_object_get(object, key), value))
      return false;
  }
  return true;
}

static int list_kind(const struct membership *membership, const char *kind, const char *ns, json_t *workloads,
                     struct error **err) {
  const struct kube_call call = call_now(membership);
  struct kube_client *client = cluster_client(membership->cluster);
  struct kube_resource resource;
  json_auto_t *found = NULL;

  int r = kube_discover(client, "apps/v1", kind, &call, &resource, err);
  if (r == 0)
    r = kube_list(client, &(struct kube_ref){.resource = &resource, .namespace_ = ns}, NULL, &call, &found, NULL, err);
  if (r == 0 && json_array_extend(workloads, found) < 0)
    r = error_set(err, ENOMEM, "out of memory for workloads");
  return r;
}

int membership_workloads(const struct membership *membership, const char *ns, json_t **ret_workloads,
                         struct error **err) {
  static const char *const kinds[] = {"Deployment", "StatefulSet", "DaemonSet"};
  json_auto_t *workloads = json_array();
  int r = workloads ? 0 : error_set(err, ENOMEM, "out of memory for workloads");

  for (size_t i = 0; r == 0 && i < sizeof(kinds) / sizeof(*kinds); i++)
    r = list_kind(membership, kinds[i], ns, workloads, err);
  if (r == 0)
    *ret_workloads = json_incref(workloads);
  return r;
}
