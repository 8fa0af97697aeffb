#include "host/engine/rollout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/engine/content.h"
#include "host/engine/holdings.h"
#include "host/engine/namespaces.h"
#include "host/engine/object.h"
#include "host/engine/readiness.h"
#include "host/engine/removal.h"
#include "host/engine/sources.h"
#include "host/transport/kube/discovery.h"
#include "sdk/base/clock.h"

#define MANAGER_SIZE 129 /* "trammel/<adapter>" (Kubernetes: at most 128 bytes) */
#define OVER_KUBERNETES TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES

static const char *const names[ROLLOUT_OUTCOMES] = {"created", "changed", "unchanged", "removed",  "kept",
                                                    "refused", "failed",  "not done",  "not ready"};

const char *rollout_outcome_name(enum rollout_outcome outcome) {
  return names[outcome];
}

/* A rollout under way. */
struct work {
  const struct rollout *rollout;
  struct rollout_summary *summary;
  struct sources *sources;
  char manager[MANAGER_SIZE];
};

static void tell(struct work *work, const struct rollout_step *step) {
  work->summary->counts[step->outcome]++;
  if (work->rollout->told)
    work->rollout->told(work->rollout->ctx, step);
}

static bool is_cancelled(const struct work *work) {
  return work->rollout->cancel && atomic_load(work->rollout->cancel);
}

static struct kube_call call_now(const struct work *work) {
  return (struct kube_call){.deadline_ns = clock_in_ns(ROLLOUT_TIMEOUT_NS), .cancel = work->rollout->cancel};
}

/* What is wrong with one object and need not be with the next. */
static bool is_refusal(int r) {
  return r == -EEXIST || r == -EBUSY || r == -EPERM || r == -EINVAL || r == -E2BIG;
}

static bool is_of_object(int r) {
  return is_refusal(r) || r == -EACCES || r == -ENOTSUP || r == -ENOENT || r == -ESTALE || r == -EALREADY;
}

/* Deleted already, and there until its finalizers are done. */
static bool is_going(const json_t *object) {
  return json_object_get(json_object_get(object, "metadata"), "deletionTimestamp");
}

/* Tells of an object that could not be done. 0 when the next one can be tried, else `r`. */
static int tell_failure(struct work *work, const struct cluster_place *place, const json_t *before, int r,
                        struct error *why, struct error **err) {
  tell(work, &(struct rollout_step){.outcome = is_refusal(r) ? ROLLOUT_REFUSED : ROLLOUT_FAILED,
                                    .place = *place,
                                    .why = error_message(why),
                                    .before = before});
  return is_of_object(r) ? 0 : error_set(err, -r, "%s", error_message(why));
}

/* ---- applying */

static struct cluster_place place_of(const native_object *object) {
  const Trammel__Adapter__V1__KubernetesObject *kubernetes = object->kubernetes;

  return (struct cluster_place){.api_version = kubernetes->api_version,
                                .kind = kubernetes->kind,
                                .ns = kubernetes->namespace_,
                                .name = kubernetes->name};
}

int rollout_check(const struct rollout *rollout, struct error **err) {
  const struct mesh mesh = {.description = rollout->description, .cluster = rollout->cluster};
  int r = 0;

  for (size_t i = 0; r == 0 && i < rollout->translation->n_objects; i++) {
    const native_object *object = rollout->translation->objects[i];
    if (object->transport_case != OVER_KUBERNETES)
      return error_set(err, EINVAL,
                       "object %.200s is for the mesh's own HTTP API, and only objects of Kubernetes can be put on a "
                       "cluster: see whether the adapter has an option for it (`trammel adapter show`)",
                       object->id);
    r = object_check(&mesh, object, err);
  }
  return r;
}

/* An object, and where the adapter has it. */
struct ranked {
  const native_object *object;
  size_t place;
};

static int by_wave(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;

  if (x->object->wave != y->object->wave)
    return x->object->wave < y->object->wave ? -1 : 1;
  return x->place < y->place ? -1 : 1;
}

/* In the order of their waves. A heap array; NULL without memory. */
static struct ranked *rank(const struct rollout *rollout) {
  size_t count = rollout->translation->n_objects;
  struct ranked *objects = calloc(count + 1, sizeof(*objects));

  if (!objects)
    return NULL;
  for (size_t i = 0; i < count; i++)
    objects[i] = (struct ranked){.object = rollout->translation->objects[i], .place = i};
  qsort(objects, count, sizeof(*objects), by_wave);
  return objects;
}

static void tell_applied(struct work *work, const struct cluster_place *place, const json_t *before,
                         const json_t *after) {
  char remark[SOURCES_TOLD_MAX + 80], other[SOURCES_TOLD_MAX];
  enum rollout_outcome outcome = !before                        ? ROLLOUT_CREATED
                                 : content_equal(before, after) ? ROLLOUT_UNCHANGED
                                                                : ROLLOUT_CHANGED;

  bool lost = before && sources_judge(work->sources, before, other) == SOURCES_OTHER;
  if (lost)
    (void)snprintf(remark, sizeof(remark), "no longer from %s, which was not given", other);
  tell(work, &(struct rollout_step){
                 .outcome = outcome, .place = *place, .why = lost ? remark : NULL, .before = before, .after = after});
}

static int apply(struct work *work, const native_object *object, struct error **err) {
  const struct cluster_place place = place_of(object);
  const struct kube_call call = call_now(work);
  _cleanup_error_ struct error *why = NULL;
  json_auto_t *body = json_loadb((const char *)object->body.data, object->body.len, 0, NULL);
  const struct cluster_writer writer = {.view = managers_view_of(work->rollout->description, work->manager),
                                        .dry_run = work->rollout->dry_run};
  struct cluster_changed changed = {0};

  if (!body)
    return error_set(err, ENOMEM, "out of memory for %s %s", place.kind, place.name);
  int r = cluster_change(work->rollout->cluster, &place, body, &writer, &call, &changed, &why);
  if (r == 0 && is_going(changed.after)) /* whatever it says now, it is as good as not there */
    r = error_set(&why, EALREADY, "it is being removed: apply again when it is gone");
  if (r < 0)
    r = tell_failure(work, &place, changed.before, r, why, err);
  else
    tell_applied(work, &place, changed.before, changed.after);
  cluster_changed_finish(&changed);
  return r;
}

static size_t failures(const struct work *work) {
  return work->summary->counts[ROLLOUT_REFUSED] + work->summary->counts[ROLLOUT_FAILED];
}

/* -ECANCELED, or what makes it impossible to go on; what was not begun is told in any case. */
static int apply_all(struct work *work, const struct ranked *objects, size_t count, struct error **err) {
  size_t i = 0;
  int r = 0;

  for (; r == 0 && i < count; i++) {
    bool next_wave = i > 0 && objects[i].object->wave != objects[i - 1].object->wave;
    if (next_wave && failures(work) > 0 && !work->rollout->dry_run)
      break;
    if (is_cancelled(work)) {
      r = error_set(err, ECANCELED, "cancelled");
      break;
    }
    r = apply(work, objects[i].object, err);
  }
  for (; i < count; i++)
    tell(work, &(struct rollout_step){.outcome = ROLLOUT_NOT_DONE, .place = place_of(objects[i].object)});
  return r;
}

/* ---- waiting */

static void tell_waited(void *ctx, const native_object *object, enum readiness readiness, const char *why,
                        const json_t *now) {
  tell(ctx, &(struct rollout_step){.outcome = readiness == READINESS_REFUSED ? ROLLOUT_REFUSED : ROLLOUT_NOT_READY,
                                   .place = place_of(object),
                                   .why = why,
                                   .before = now,
                                   .after = now});
}

static int wait_for_all(struct work *work, struct error **err) {
  const struct rollout *rollout = work->rollout;
  const struct readiness_wait wait = {.cluster = rollout->cluster,
                                      .objects = rollout->translation->objects,
                                      .count = rollout->translation->n_objects,
                                      .deadline_ns = clock_in_ns(rollout->wait_ns),
                                      .timeout_ns = ROLLOUT_TIMEOUT_NS,
                                      .cancel = rollout->cancel,
                                      .told = tell_waited,
                                      .ctx = work};

  int r = readiness_wait(&wait, err);
  if (r < 0 && r != -ECANCELED)
    (void)error_wrap(err, "waiting for the mesh to take the objects");
  return r;
}

/* ---- removing */

/* Once more as it is now, when it says what it said; `r` else. */
static int look_again(struct work *work, const struct kube_ref *ref, const json_t *seen, json_t **ret_now, int r,
                      struct error **err) {
  const struct kube_call call = call_now(work);
  json_auto_t *now = NULL;

  int found = kube_get(cluster_client(work->rollout->cluster), ref, &call, &now, err);
  if (found < 0)
    return found;
  if (!content_equal(seen, now))
    return error_set(err, -r, "it was changed meanwhile: do it again");
  json_decref(*ret_now);
  *ret_now = json_incref(now);
  return 0;
}

/* Removes the very object that was judged. */
static int remove_seen(struct work *work, const json_t *seen, struct error **err) {
  const struct cluster_place place = holdings_place(seen);
  const struct kube_call call = call_now(work);
  struct kube_client *client = cluster_client(work->rollout->cluster);
  struct kube_resource resource;
  json_auto_t *now = json_incref((json_t *)seen);

  int r = kube_discover(client, place.api_version, place.kind, &call, &resource, err);
  if (r < 0)
    return r;
  const struct kube_ref ref = {.resource = &resource, .namespace_ = *place.ns ? place.ns : NULL, .name = place.name};
  for (unsigned i = 0; i < CLUSTER_REMOVALS_MAX; i++) {
    const struct kube_delete_options options = {.uid = kube_object_uid(now),
                                                .resource_version = kube_object_version(now)};
    r = kube_delete(client, &ref, &options, &call, err);
    if (r != -ESTALE || look_again(work, &ref, seen, &now, r, err) < 0)
      break;
  }
  return r;
}

static bool has_finalizers(const json_t *object) {
  return json_array_size(json_object_get(json_object_get(object, "metadata"), "finalizers")) > 0;
}

static int remove_one(struct work *work, const struct removal *removal, struct error **err) {
  const struct cluster_place place = holdings_place(removal->object);
  struct rollout_step step = {.outcome = ROLLOUT_KEPT, .place = place, .why = removal->kept, .before = removal->object};
  _cleanup_error_ struct error *why = NULL;

  if (!removal->kept) {
    int r = work->rollout->dry_run ? 0 : remove_seen(work, removal->object, &why);
    if (r < 0 && r != -ENOENT)
      return tell_failure(work, &place, removal->object, r, why, err);
    step.outcome = ROLLOUT_REMOVED;
    step.why = has_finalizers(removal->object) ? "it goes when its finalizers are done" : NULL;
  }
  tell(work, &step);
  return 0;
}

static int remove_all(struct work *work, const struct removals *removals, struct error **err) {
  size_t i = 0;
  int r = 0;

  for (; r == 0 && i < removals->count; i++) {
    bool next_wave = i > 0 && removals->items[i].wave != removals->items[i - 1].wave;
    if (next_wave && failures(work) > 0 && !work->rollout->dry_run)
      break;
    if (is_cancelled(work)) {
      r = error_set(err, ECANCELED, "cancelled");
      break;
    }
    r = remove_one(work, &removals->items[i], err);
  }
  for (; i < removals->count; i++)
    tell(work, &(struct rollout_step){.outcome = ROLLOUT_NOT_DONE,
                                      .place = holdings_place(removals->items[i].object),
                                      .before = removals->items[i].object});
  return r;
}

/* The namespaces to search when all of them may not be. */
static int add_namespaces(struct namespaces *namespaces, const struct rollout *rollout) {
  int r = namespaces_add_set(namespaces, rollout->set);

  for (size_t i = 0; r == 0 && i < rollout->namespace_count; i++)
    r = namespaces_add(namespaces, rollout->namespaces[i]);
  for (size_t i = 0; r == 0 && i < rollout->translation->n_objects; i++)
    r = namespaces_add(namespaces, place_of(rollout->translation->objects[i]).ns);
  return r;
}

static int search(struct work *work, struct holdings *ret_holdings, struct error **err) {
  struct namespaces namespaces = {0};

  int r = add_namespaces(&namespaces, work->rollout);
  if (r == 0)
    r = holdings_find(&(struct holdings_search){.cluster = work->rollout->cluster,
                                                .description = work->rollout->description,
                                                .manager = work->manager,
                                                .namespaces = namespaces.names,
                                                .namespace_count = namespaces.count,
                                                .cancel = work->rollout->cancel},
                      ret_holdings, err);
  else
    (void)error_set(err, ENOMEM, "out of memory for namespaces");
  namespaces_finish(&namespaces);
  return r;
}

/* Leaves out what was told of already: what is kept, and what only waits for its finalizers. */
static void drop_told(struct removals *removals) {
  size_t kept = 0;

  for (size_t i = 0; i < removals->count; i++) {
    if (removals->items[i].kept || is_going(removals->items[i].object))
      free(removals->items[i].kept);
    else
      removals->items[kept++] = removals->items[i];
  }
  removals->count = kept;
}

/* `all`: also what the translation has. `again`: it was done once already. */
static int clear(struct work *work, bool all, bool again, struct error **err) {
  _cleanup_(removal_index_destroy_p) struct removal_index *index = removal_index_create(work->rollout->translation);
  struct removals removals = {0};
  struct holdings holdings = {0};

  int r = index ? search(work, &holdings, err) : error_set(err, ENOMEM, "out of memory for the objects");
  if (r == 0 && removals_choose(holdings.objects, work->sources, index, all, &removals) < 0)
    r = error_set(err, ENOMEM, "out of memory for the objects");
  if (r == 0) {
    work->summary->partial = holdings.partial;
    if (again)
      drop_told(&removals);
    r = remove_all(work, &removals, err);
  }
  removals_finish(&removals);
  holdings_finish(&holdings);
  return r;
}

static int begin(const struct rollout *rollout, struct rollout_summary *summary, struct work *work,
                 struct error **err) {
  *summary = (struct rollout_summary){0};
  *work = (struct work){.rollout = rollout, .summary = summary, .sources = sources_create(rollout->set)};
  (void)snprintf(work->manager, sizeof(work->manager), "trammel/%s", rollout->description->adapter_id);
  return work->sources ? 0 : error_set(err, ENOMEM, "out of memory for the resources");
}

int rollout_apply(const struct rollout *rollout, struct rollout_summary *ret_summary, struct error **err) {
  _cleanup_free_ struct ranked *objects = rank(rollout);
  struct work work;

  int r = begin(rollout, ret_summary, &work, err);
  if (r == 0 && !objects)
    r = error_set(err, ENOMEM, "out of memory for the objects");
  if (r == 0)
    r = apply_all(&work, objects, rollout->translation->n_objects, err);
  if (r == 0 && failures(&work) == 0 && rollout->wait_ns > 0 && !rollout->dry_run)
    r = wait_for_all(&work, err);
  if (r == 0 && ((failures(&work) == 0 && work.summary->counts[ROLLOUT_NOT_READY] == 0) || rollout->dry_run)) {
    r = clear(&work, false, false, err);
    if (r < 0 && r != -ECANCELED)
      (void)error_wrap(err, "looking for what is to be removed");
  }
  sources_destroy(work.sources);
  return r;
}

int rollout_remove(const struct rollout *rollout, struct rollout_summary *ret_summary, struct error **err) {
  struct work work;

  int r = begin(rollout, ret_summary, &work, err);
  if (r == 0)
    r = clear(&work, true, false, err);
  if (r == 0 && failures(&work) == 0 && ret_summary->counts[ROLLOUT_REMOVED] > 0 && !rollout->dry_run)
    r = clear(&work, true, true, err);
  sources_destroy(work.sources);
  return r;
}
