/* Objects of Kubernetes: made by server-side apply, removed with preconditions, never taken from others. */
#include <errno.h>
#include <string.h>

#include "host/adapter/description.h"
#include "host/engine/object_transport.h"
#include "host/engine/patience.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

/* How long one object may take, with all that is tried again: an API server that is started anew is waited for. */
#define OBJECT_TIMEOUT_NS (120 * NS_PER_SECOND)

static struct cluster_place place_of(const native_object *object) {
  const Trammel__Adapter__V1__KubernetesObject *kubernetes = object->kubernetes;

  return (struct cluster_place){.api_version = kubernetes->api_version,
                                .kind = kubernetes->kind,
                                .ns = kubernetes->namespace_,
                                .name = kubernetes->name};
}

static bool says(const json_t *body, const char *key, const char *text) {
  const char *value = json_string_value(json_object_get(body, key));

  return value && strcmp(value, text) == 0;
}

/* The body, which must be the object that it is said to be. A new reference. */
static int body_of(const native_object *object, json_t **ret_body, struct error **err) {
  const Trammel__Adapter__V1__KubernetesObject *kubernetes = object->kubernetes;
  json_auto_t *body = json_loadb((const char *)object->body.data, object->body.len, JSON_REJECT_DUPLICATES, NULL);
  const json_t *metadata = json_object_get(body, "metadata");
  bool same_ns = *kubernetes->namespace_ ? says(metadata, "namespace", kubernetes->namespace_)
                                         : !json_object_get(metadata, "namespace");

  if (!body)
    return error_set(err, EINVAL, "object %s: its body is no JSON object", object->id);
  if (!says(body, "apiVersion", kubernetes->api_version) || !says(body, "kind", kubernetes->kind) ||
      !says(metadata, "name", kubernetes->name) || !same_ns)
    return error_set(err, EINVAL, "object %s: its body names another apiVersion, kind, namespace or name", object->id);
  *ret_body = json_incref(body);
  return 0;
}

static int kubernetes_check(const struct mesh *mesh, const native_object *object, struct error **err) {
  json_t *body = NULL;

  if (!mesh->cluster)
    return error_set(err, ENOENT, "object %s goes to a Kubernetes cluster: say which with --kubeconfig or --context",
                     object->id);
  if (!description_has_kind(mesh->description, object->kubernetes->api_version, object->kubernetes->kind))
    return error_set(err, EACCES, "object %s: the adapter's description has no Kubernetes kind %s of %s", object->id,
                     object->kubernetes->kind, object->kubernetes->api_version);
  int r = body_of(object, &body, err);
  json_decref(body);
  return r;
}

static bool kubernetes_same_place(const native_object *a, const native_object *b) {
  const struct cluster_place x = place_of(a), y = place_of(b);

  return strcmp(x.api_version, y.api_version) == 0 && strcmp(x.kind, y.kind) == 0 && strcmp(x.ns, y.ns) == 0 &&
         strcmp(x.name, y.name) == 0;
}

static bool kubernetes_same(const native_object *a, const native_object *b) {
  return kubernetes_same_place(a, b) && a->body.len == b->body.len &&
         (a->body.len == 0 || memcmp(a->body.data, b->body.data, a->body.len) == 0);
}

/* The journal's name of an object. NULL without memory. */
static char *journal_name(const struct mesh *mesh, const struct cluster_place *place) {
  struct strbuf name = STRBUF_INIT;

  strbuf_printf(&name, "%s %s %s%s%s at %s", place->api_version, place->kind, place->ns, *place->ns ? "/" : "",
                place->name, cluster_server(mesh->cluster));
  return strbuf_steal(&name);
}

static int kubernetes_put(const struct mesh *mesh, const native_object *object, struct error **err) {
  const struct cluster_place place = place_of(object);
  const struct kube_call call = {.deadline_ns = patience_deadline_ns(OBJECT_TIMEOUT_NS), .cancel = mesh->cancel};
  const struct cluster_writer writer = {.view = managers_view_of(mesh->description, mesh->manager)};
  _cleanup_free_ char *name = journal_name(mesh, &place);
  json_auto_t *body = NULL;

  if (!name)
    return error_set(err, ENOMEM, "object %s: out of memory", object->id);
  int r = body_of(object, &body, err);
  if (r == 0)
    r = journal_cluster_object_intended(mesh->journal, name, mesh->cluster, &place, err);
  if (r == 0)
    r = cluster_change(mesh->cluster, &place, body, &writer, &call, NULL, err);
  if (r == -EEXIST || r == -ENOTSUP) /* it was not made, and what is there is another's */
    (void)journal_object_removed(mesh->journal, name, NULL);
  if (r < 0)
    (void)error_wrap(err, "object %s", object->id);
  return r;
}

static int kubernetes_remove(const struct mesh *mesh, const native_object *object, struct error **err) {
  const struct cluster_place place = place_of(object);
  const struct kube_call call = {.deadline_ns = clock_monotonic_ns() + OBJECT_TIMEOUT_NS};
  _cleanup_free_ char *name = journal_name(mesh, &place);

  if (!name)
    return error_set(err, ENOMEM, "object %s: out of memory", object->id);
  int r = cluster_remove(mesh->cluster, &place, &call, err);
  if (r < 0) {
    (void)error_wrap(err, "object %s", object->id);
    return r;
  }
  return journal_object_removed(mesh->journal, name, err);
}

static bool kubernetes_dies_with_run(const struct mesh *mesh, const native_object *object) {
  (void)mesh;
  (void)object;
  return false;
}

static int kubernetes_read(const struct mesh *mesh, const native_object *object, json_t **ret_value,
                           struct error **err) {
  const struct cluster_place place = place_of(object);
  const struct kube_call call = {.deadline_ns = patience_deadline_ns(OBJECT_TIMEOUT_NS), .cancel = mesh->cancel};
  _cleanup_error_ struct error *why = NULL;
  _cleanup_free_ char *path = NULL;
  json_t *body = NULL;

  int r = cluster_path(mesh->cluster, &place, &call, &path, &why);
  if (r == 0)
    r = cluster_read(mesh->cluster, &place, &call, &body, &why);
  if (r < 0 && r != -ENOENT)
    return error_set(err, -r, "object %s: %s", object->id, error_message(why));
  if (r < 0)
    body = json_null();
  *ret_value = json_pack("{s:s, s:s, s:o}", "id", object->id, "path", path, "body", body);
  return *ret_value ? 0 : error_set(err, ENOMEM, "object %s: out of memory", object->id);
}

const struct object_transport object_kubernetes_transport = {
    .check = kubernetes_check,
    .same_place = kubernetes_same_place,
    .same = kubernetes_same,
    .put = kubernetes_put,
    .remove = kubernetes_remove,
    .dies_with_run = kubernetes_dies_with_run,
    .read = kubernetes_read,
};
