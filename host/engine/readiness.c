#include "host/engine/readiness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/transport/kube/resource.h"
#include "sdk/base/clock.h"

typedef Trammel__Adapter__V1__NativeObject native_object;

static bool is_of(const json_t *condition, json_int_t generation) {
  const json_t *observed = json_object_get(condition, "observedGeneration");

  return !observed || json_integer_value(observed) == generation;
}

static enum readiness judge_condition(const json_t *conditions, const char *type, json_int_t generation,
                                      struct strbuf *why) {
  const json_t *condition = kube_find(conditions, "type", type);

  if (!condition || !is_of(condition, generation)) {
    strbuf_printf(why, "nobody has set the condition %s%s", type, condition ? " since it was changed" : "");
    return READINESS_SILENT;
  }
  if (strcmp(kube_text(condition, "status"), "True") == 0)
    return READINESS_READY;
  strbuf_printf(why, "its condition %s is %s (%s): %s", type, kube_text(condition, "status"),
                kube_text(condition, "reason"), kube_text(condition, "message"));
  return READINESS_REFUSED;
}

/* The first that is not True. */
static enum readiness judge_conditions(const json_t *conditions, char *const *types, size_t count,
                                       json_int_t generation, struct strbuf *why) {
  enum readiness readiness = READINESS_READY;

  for (size_t i = 0; i < count && readiness == READINESS_READY; i++)
    readiness = judge_condition(conditions, types[i], generation, why);
  return readiness;
}

enum readiness readiness_of(const json_t *object, char *const *types, size_t count, struct strbuf *why) {
  const json_t *status = json_object_get(object, "status"), *parents = json_object_get(status, "parents"), *parent;
  const json_t *wanted = json_object_get(json_object_get(object, "spec"), "parentRefs");
  json_int_t generation = json_integer_value(json_object_get(json_object_get(object, "metadata"), "generation"));
  enum readiness readiness = READINESS_READY;
  size_t i;

  if (count == 0)
    return READINESS_READY;
  if (!wanted && !parents)
    return judge_conditions(json_object_get(status, "conditions"), types, count, generation, why);
  json_array_foreach(parents, i, parent) {
    if (readiness == READINESS_READY)
      readiness = judge_conditions(json_object_get(parent, "conditions"), types, count, generation, why);
  }
  if (readiness == READINESS_READY && (i == 0 || i < json_array_size(wanted))) {
    strbuf_printf(why, "nobody has set the condition %s for %s", types[0], i ? "each of its parents" : "its parents");
    return READINESS_SILENT;
  }
  return readiness;
}

/* ---- waiting */

/* One object that is waited for. */
struct awaited {
  const native_object *object;
  enum readiness readiness;
  struct strbuf why;
  json_t *now;          /* as it was read last; NULL: it was not yet */
  struct error *unread; /* why the last look at it came to nothing; NULL: it did not */
  bool lost;            /* no further look is worth it */
};

static void awaited_finish(struct awaited *items, size_t count) {
  for (size_t i = 0; i < count; i++) {
    strbuf_finish(&items[i].why);
    json_decref(items[i].now);
    error_free(items[i].unread);
  }
  free(items);
}

static bool is_over(const struct readiness_wait *wait) {
  return clock_monotonic_ns() >= wait->deadline_ns;
}

/* The wait's deadline ends a look, too; but one that was begun in time has some. */
static int64_t look_until_ns(const struct readiness_wait *wait) {
  int64_t least_ns = clock_in_ns(READINESS_LOOK_LEAST_NS), most_ns = clock_in_ns(wait->timeout_ns);
  int64_t until_ns = wait->deadline_ns > least_ns ? wait->deadline_ns : least_ns;

  return until_ns < most_ns ? until_ns : most_ns;
}

/* What the next look would tell again. */
static bool is_lasting(int r) {
  return r == -ENOENT || r == -ENOTSUP || r == -EACCES || r == -EPERM || r == -EINVAL;
}

static int judge(struct awaited *awaited, const json_t *now, struct error **err) {
  const Trammel__Adapter__V1__KubernetesObject *object = awaited->object->kubernetes;

  json_decref(awaited->now);
  awaited->now = json_incref((json_t *)now);
  strbuf_clear(&awaited->why);
  awaited->readiness = readiness_of(now, object->ready_conditions, object->n_ready_conditions, &awaited->why);
  return strbuf_failed(&awaited->why) ? error_set(err, ENOMEM, "out of memory for conditions") : 0;
}

/* What could not be read stays what it was said to be last. */
static int look_at(const struct readiness_wait *wait, struct awaited *awaited, struct error **err) {
  const Trammel__Adapter__V1__KubernetesObject *object = awaited->object->kubernetes;
  const struct cluster_place place = {
      .api_version = object->api_version, .kind = object->kind, .ns = object->namespace_, .name = object->name};
  const struct kube_call call = {.deadline_ns = look_until_ns(wait), .cancel = wait->cancel};
  json_auto_t *now = NULL;

  error_free(take(awaited->unread));
  int r = cluster_read(wait->cluster, &place, &call, &now, &awaited->unread);
  if (r == 0)
    return judge(awaited, now, err);
  if (r == -ECANCELED || r == -ENOMEM)
    return error_set(err, -r, "%s", error_message(awaited->unread));
  awaited->lost = is_lasting(r);
  return 0;
}

static bool is_open(const struct awaited *awaited) {
  return awaited->readiness != READINESS_READY && !awaited->lost;
}

/* Those that are not ready yet; how many are not after that. A cluster that does not answer any more is not asked on
 * when the time is over. */
static int look_at_all(const struct readiness_wait *wait, struct awaited *items, size_t count, size_t *ret_open,
                       struct error **err) {
  bool silent = false;
  int r = 0;

  *ret_open = 0;
  for (size_t i = 0; r == 0 && i < count; i++) {
    if (wait->cancel && atomic_load(wait->cancel))
      return error_set(err, ECANCELED, "cancelled");
    if (is_open(&items[i]) && !(silent && is_over(wait))) {
      r = look_at(wait, &items[i], err);
      silent = items[i].unread && !items[i].lost;
    }
    *ret_open += is_open(&items[i]);
  }
  return r;
}

static int wait_for(const struct readiness_wait *wait, struct awaited *items, size_t count, struct error **err) {
  static const struct timespec pause = {.tv_nsec = READINESS_PAUSE_NS};

  for (;;) {
    size_t open = 0;
    int r = look_at_all(wait, items, count, &open, err);
    if (r < 0 || open == 0 || is_over(wait))
      return r;
    (void)nanosleep(&pause, NULL); /* a signal ends it */
  }
}

static int tell(const struct readiness_wait *wait, struct awaited *awaited, struct error **err) {
  if (awaited->unread)
    strbuf_printf(&awaited->why, "%s%s",
                  awaited->now ? "; since then it could not be read: " : "it could not be read: ",
                  error_message(awaited->unread));
  else if (!awaited->now)
    strbuf_puts(&awaited->why, "it was not read in time: the cluster did not answer for others");
  if (strbuf_failed(&awaited->why))
    return error_set(err, ENOMEM, "out of memory for conditions");
  wait->told(wait->ctx, awaited->object, awaited->readiness, strbuf_text(&awaited->why), awaited->now);
  return 0;
}

int readiness_wait(const struct readiness_wait *wait, struct error **err) {
  struct awaited *items = calloc(wait->count + 1, sizeof(*items));
  size_t count = 0;

  if (!items)
    return error_set(err, ENOMEM, "out of memory for objects to wait for");
  for (size_t i = 0; i < wait->count; i++)
    if (wait->objects[i]->kubernetes->n_ready_conditions > 0)
      items[count++] = (struct awaited){.object = wait->objects[i], .readiness = READINESS_SILENT};
  int r = wait_for(wait, items, count, err);
  for (size_t i = 0; r == 0 && i < count; i++)
    if (items[i].readiness != READINESS_READY)
      r = tell(wait, &items[i], err);
  awaited_finish(items, count);
  return r;
}
