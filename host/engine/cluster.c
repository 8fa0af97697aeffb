#include "host/engine/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/managers.h"
#include "host/transport/kube/discovery.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"
#include "sdk/kube/object.h"

struct cluster {
  struct kube_client *client;
  char *kubeconfig;
  char *context;
  char *server;
};

void cluster_close(struct cluster *cluster) {
  if (!cluster)
    return;
  kube_client_destroy(cluster->client);
  free(cluster->kubeconfig);
  free(cluster->context);
  free(cluster->server);
  free(cluster);
}

/* A copy of what may be NULL. */
static bool copy(const char *text, char **ret_copy) {
  *ret_copy = text ? strdup(text) : NULL;
  return !text || *ret_copy;
}

int cluster_open(const struct cluster_options *options, struct cluster **ret_cluster, struct error **err) {
  _cleanup_(cluster_close_p) struct cluster *cluster = calloc(1, sizeof(*cluster));
  _cleanup_kube_config_ struct kube_config *config = NULL;
  const struct kube_client_options limits = {
      .rate = options->unlimited ? -1 : CLUSTER_RATE, .burst = CLUSTER_BURST, .tries = CLUSTER_TRIES};

  if (!cluster)
    return error_set(err, ENOMEM, "out of memory for a cluster");
  if (options->kubeconfig && !(cluster->kubeconfig = realpath(options->kubeconfig, NULL)))
    return error_set(err, errno, "kubeconfig %s: %s", options->kubeconfig, strerror(errno));
  int r = kube_config_load(
      &(struct kube_config_options){.kubeconfig = cluster->kubeconfig, .context = options->context}, &config, err);
  if (r < 0)
    return r;
  if (!copy(config->context, &cluster->context) || !copy(config->server, &cluster->server))
    return error_set(err, ENOMEM, "out of memory for a cluster");
  r = kube_client_create(take(config), &limits, &cluster->client, err);
  if (r < 0)
    return r;
  *ret_cluster = take(cluster);
  return 0;
}

struct kube_client *cluster_client(struct cluster *cluster) {
  return cluster->client;
}

const char *cluster_kubeconfig(const struct cluster *cluster) {
  return cluster->kubeconfig;
}

const char *cluster_context(const struct cluster *cluster) {
  return cluster->context;
}

const char *cluster_server(const struct cluster *cluster) {
  return cluster->server;
}

bool cluster_owns(const json_t *object) {
  const json_t *labels = json_object_get(json_object_get(object, "metadata"), "labels");
  const char *value = json_string_value(json_object_get(labels, KUBE_MANAGED_LABEL));

  return value && strcmp(value, KUBE_MANAGED_VALUE) == 0;
}

/* Fills `resource`, and `ret_ref` that points to it. */
static int locate(struct cluster *cluster, const struct cluster_place *place, const struct kube_call *call,
                  struct kube_resource *resource, struct kube_ref *ret_ref, struct error **err) {
  const bool named = place->ns && *place->ns;

  int r = kube_discover(cluster->client, place->api_version, place->kind, call, resource, err);
  if (r < 0)
    return r;
  if (resource->namespaced != named)
    return error_set(err, EINVAL, "%s %s has %s namespace, but its kind is %s", place->kind, place->name,
                     named ? "a" : "no", named ? "cluster-wide" : "of namespaces");
  *ret_ref = (struct kube_ref){.resource = resource, .namespace_ = named ? place->ns : NULL, .name = place->name};
  return 0;
}

static int foreign(const struct kube_ref *ref, const char *what, int error, struct error **err) {
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

  kube_ref_describe(&name, ref);
  return error_set(err, error,
                   "%s is there and not Trammel's (it lacks the label " KUBE_MANAGED_LABEL "=" KUBE_MANAGED_VALUE
                   "): it is not %s; rename it or delete it yourself",
                   strbuf_text(&name), what);
}

/* The one that is there, when it is ours; NULL when there is none. */
static int look(struct cluster *cluster, const struct kube_ref *ref, const char *what, int error,
                const struct kube_call *call, json_t **ret_object, struct error **err) {
  _cleanup_error_ struct error *why = NULL;
  json_auto_t *object = NULL;

  *ret_object = NULL;
  int r = kube_get(cluster->client, ref, call, &object, &why);
  if (r == -ENOENT)
    return 0;
  if (r < 0)
    return error_set(err, -r, "%s", error_message(why));
  if (!cluster_owns(object))
    return foreign(ref, what, error, err);
  *ret_object = json_incref(object);
  return 0;
}

/* Sets `key` of the map `name` within `parent`, making the map. */
static bool set_in(json_t *parent, const char *name, const char *key, const char *value) {
  json_t *map = json_object_get(parent, name);

  if (!map) {
    map = json_object();
    if (json_object_set_new(parent, name, map) < 0)
      return false;
  }
  return json_object_set_new(map, key, json_string(value)) == 0;
}

/* What is sent: labelled as ours, and meant for the very object that was looked at. */
static json_t *prepare(const json_t *body, const json_t *there) {
  json_t *object = json_deep_copy(body);
  json_t *metadata = json_object_get(object, "metadata");
  const char *uid = there ? kube_object_uid(there) : NULL;

  if (!json_is_object(metadata) || !set_in(metadata, "labels", KUBE_MANAGED_LABEL, KUBE_MANAGED_VALUE) ||
      (uid && json_object_set_new(metadata, "uid", json_string(uid)) < 0)) {
    json_decref(object);
    return NULL;
  }
  return object;
}

void cluster_changed_finish(struct cluster_changed *changed) {
  json_decref(changed->before);
  json_decref(changed->after);
  *changed = (struct cluster_changed){0};
}

/* A change under way. */
struct change {
  struct cluster *cluster;
  const struct kube_ref *ref;
  const struct cluster_writer *writer;
  const struct kube_call *call;
  json_t *object; /* as it is sent */
  struct cluster_changed *changed;
};

/* What others have put into it stays when it is applied, as no field of ours is in its way: a policy may admit
 * everybody by it. */
static int without_additions(const struct change *change, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT, name = STRBUF_INIT;
  const char *owner = managers_added(change->changed->after, change->object, &change->writer->view, &path);

  if (!owner)
    return 0;
  change->changed->additions = true;
  kube_ref_describe(&name, change->ref);
  return error_set(err, EBUSY,
                   "%s %s, but has a field that is not of what was translated, and changes what it says: %s of \"%s\"; "
                   "remove it, or delete the object, which is then made anew",
                   strbuf_text(&name), change->writer->dry_run ? "can be applied" : "was applied", strbuf_text(&path),
                   owner);
}

/* Says what is undone, of whom. */
static void note_undone(struct change *change, const json_t *object) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  const char *owner = managers_added(object, change->object, &change->writer->view, &path);
  struct cluster_changed *changed = change->changed;

  if (owner)
    (void)snprintf(changed->undone, sizeof(changed->undone), "%.*s of \"%.*s\"",
                   (int)utf8_fit(strbuf_text(&path), path.length, CLUSTER_UNDONE_PATH), strbuf_text(&path),
                   (int)utf8_fit(owner, strlen(owner), CLUSTER_UNDONE_OWNER), owner);
}

/* Names the very object, as it is: -ESTALE when it is another by the time that this arrives. */
static int pin(json_t *sent, const json_t *there) {
  json_auto_t *metadata = json_pack("{s:{s:s, s:s}}", "metadata", "uid", kube_object_uid(there), "resourceVersion",
                                    kube_object_version(there));

  return metadata && json_object_update_recursive(sent, metadata) == 0 ? 0 : -ENOMEM;
}

/* Takes away what is there besides, of an object that was applied just now; in a dry run it is only noted. */
static int take_away(struct change *change, struct error **err) {
  const struct cluster_writer *writer = change->writer;
  json_auto_t *now = json_incref(change->changed->after), *patch = managers_undo(now, change->object, &writer->view);

  if (patch && json_object_size(patch) == 0)
    return 0;
  note_undone(change, now);
  if (writer->dry_run)
    return 0;
  if (!patch || pin(patch, now) < 0)
    return error_set(err, ENOMEM, "out of memory for %s %s", change->ref->resource->kind, change->ref->name);
  json_decref(change->changed->after);
  change->changed->after = NULL;
  int r = kube_merge(change->cluster->client, change->ref, patch, writer->view.manager, change->call,
                     &change->changed->after, err);
  change->changed->taken |= r == 0;
  return r;
}

/* Where others have only added to an object that this manager has applied, it takes back the lists that it shares with
 * them, by force, and what it does not share is taken away. */
static int apply_once(struct change *change, const json_t *there, struct error **err) {
  const struct cluster_writer *writer = change->writer;
  bool ours = there && managers_applied(there, writer->view.manager), undo = ours && writer->undo;
  bool additions = ours && managers_only_added(there, change->object, &writer->view);
  struct kube_apply_options options = {.field_manager = writer->view.manager, .dry_run = writer->dry_run};

  if (undo && additions) {
    options.force = true;
    note_undone(change, there);
    if (pin(change->object, there) < 0)
      return error_set(err, ENOMEM, "out of memory for %s %s", change->ref->resource->kind, change->ref->name);
  }
  int r = kube_apply(change->cluster->client, change->ref, change->object, &options, change->call,
                     &change->changed->after, err);
  change->changed->taken |= r == 0 && options.force && !writer->dry_run;
  change->changed->additions = r == -EBUSY && additions;
  if (r == 0 && undo)
    r = take_away(change, err);
  return r < 0 || (undo && writer->dry_run) ? r : without_additions(change, err);
}

/* One look at it, and one try. */
static int change_once(struct cluster *cluster, const struct kube_ref *ref, const json_t *body,
                       const struct cluster_writer *writer, const struct kube_call *call,
                       struct cluster_changed *changed, struct error **err) {
  json_auto_t *there = NULL;

  int r = look(cluster, ref, "changed", EEXIST, call, &there, err);
  if (r < 0)
    return r;
  json_auto_t *object = prepare(body, there);
  if (!object)
    return error_set(err, ENOMEM, "out of memory for %s %s", ref->resource->kind, ref->name);
  json_decref(changed->before);
  json_decref(changed->after);
  changed->before = json_incref(there);
  changed->after = NULL;
  if (!changed->taken)
    *changed->undone = '\0';
  return apply_once(
      &(struct change){
          .cluster = cluster, .ref = ref, .writer = writer, .call = call, .object = object, .changed = changed},
      there, err);
}

int cluster_change(struct cluster *cluster, const struct cluster_place *place, const json_t *body,
                   const struct cluster_writer *writer, const struct kube_call *call,
                   struct cluster_changed *ret_changed, struct error **err) {
  struct cluster_changed changed = {0};
  _cleanup_error_ struct error *why = NULL;
  struct kube_resource resource;
  struct kube_ref ref;

  int r = locate(cluster, place, call, &resource, &ref, err);
  if (r < 0)
    return r;
  for (unsigned i = 0; i < (writer->undo ? CLUSTER_CHANGES_MAX : 1); i++) {
    error_free(take(why));
    r = change_once(cluster, &ref, body, writer, call, &changed, &why);
    if (r != -ESTALE)
      break;
  }
  if (r < 0)
    (void)error_set(err, -r, "%s", error_message(why));
  if (ret_changed)
    *ret_changed = changed;
  else
    cluster_changed_finish(&changed);
  return r;
}

int cluster_apply(struct cluster *cluster, const struct cluster_place *place, const json_t *body, const char *manager,
                  const struct kube_call *call, json_t **ret_object, struct error **err) {
  struct cluster_changed changed = {0};

  int r = cluster_change(cluster, place, body, &(struct cluster_writer){.view.manager = manager}, call, &changed, err);
  if (r == 0 && ret_object)
    *ret_object = json_incref(changed.after);
  cluster_changed_finish(&changed);
  return r;
}

static int remove_once(struct cluster *cluster, const struct kube_ref *ref, const struct kube_call *call,
                       struct error **err) {
  json_auto_t *there = NULL;

  int r = look(cluster, ref, "removed", EPERM, call, &there, err);
  if (r < 0 || !there)
    return r;
  const struct kube_delete_options options = {.uid = kube_object_uid(there),
                                              .resource_version = kube_object_version(there)};
  return kube_delete(cluster->client, ref, &options, call, err);
}

int cluster_remove(struct cluster *cluster, const struct cluster_place *place, const struct kube_call *call,
                   struct error **err) {
  struct kube_resource resource;
  struct kube_ref ref;
  _cleanup_error_ struct error *why = NULL;

  int r = locate(cluster, place, call, &resource, &ref, &why);
  for (unsigned i = 0; r == 0 && i < CLUSTER_REMOVALS_MAX; i++) {
    r = remove_once(cluster, &ref, call, &why);
    if (r != -ESTALE)
      break;
    r = i + 1 < CLUSTER_REMOVALS_MAX ? 0 : r;
  }
  if (r == -ENOENT || r == -ENOTSUP)
    return 0;
  return r < 0 ? error_set(err, -r, "%s", error_message(why)) : 0;
}

int cluster_read(struct cluster *cluster, const struct cluster_place *place, const struct kube_call *call,
                 json_t **ret_object, struct error **err) {
  struct kube_resource resource;
  struct kube_ref ref;

  int r = locate(cluster, place, call, &resource, &ref, err);
  return r < 0 ? r : kube_get(cluster->client, &ref, call, ret_object, err);
}

int cluster_path(struct cluster *cluster, const struct cluster_place *place, const struct kube_call *call,
                 char **ret_path, struct error **err) {
  struct kube_resource resource;
  struct kube_ref ref;
  struct strbuf path = STRBUF_INIT;

  int r = locate(cluster, place, call, &resource, &ref, err);
  if (r == 0)
    r = kube_path_append(&path, &ref, err);
  if (r < 0) {
    strbuf_finish(&path);
    return r;
  }
  *ret_path = strbuf_steal(&path);
  return *ret_path ? 0 : error_set(err, ENOMEM, "out of memory for a path");
}
