#include "host/cli/enrolled_pods.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "host/cli/changes.h"
#include "host/engine/holdings.h"
#include "sdk/base/clock.h"

#define LOOK_AGAIN_NS (500 * NS_PER_MS)

static json_t *names_json(json_t *names) {
  json_t *list = json_array();
  const char *key;
  json_t *value;
  json_object_foreach(names, key, value) {
    (void)json_array_append_new(list, json_string(key));
  }
  return list;
}

static json_t *look_json(const struct cluster_place *place, const struct injection *injection, bool leave) {
  return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:b}", "kind", place->kind, "namespace", place->ns, "name",
                   place->name, "wanted", (json_int_t)injection->wanted, "pods", (json_int_t)injection->pods,
                   "withSidecar", (json_int_t)injection->with, "ready", (json_int_t)injection->ready, "sidecars",
                   names_json(injection->names), "settled", injection_settled(injection, leave));
}

/* As the workload is now, which is seldom as it was. */
static int look_at(const struct enrolled_pods *pods, const json_t *workload, json_t *looks, struct error **err) {
  const struct cluster_place place = holdings_place(workload);
  const struct kube_call call = {.deadline_ns = clock_in_ns(INJECTION_TIMEOUT_NS), .cancel = pods->cancel};
  _cleanup_error_ struct error *why = NULL;
  json_auto_t *now = NULL;
  struct injection injection = {0};
  int r = cluster_read(pods->cluster, &place, &call, &now, &why);
  if (r == -ENOENT)
    return 0;
  if (r == 0)
    r = injection_look(pods->cluster, now, &pods->marks, pods->cancel, &injection, &why);
  if (r < 0)
    return error_set(err, -r, "%s", error_message(why));
  int failed = json_array_append_new(looks, look_json(&place, &injection, pods->leave));
  injection_finish(&injection);
  return failed ? error_set(err, ENOMEM, "out of memory for pods") : 0;
}

static int look_once(const struct enrolled_pods *pods, json_t **ret_looks, struct error **err) {
  json_auto_t *looks = json_array();
  const json_t *workload;
  size_t i;
  int r = looks ? 0 : error_set(err, ENOMEM, "out of memory for pods");
  json_array_foreach(pods->workloads, i, workload) {
    r = r < 0 ? r : look_at(pods, workload, looks, err);
  }
  if (r == 0)
    *ret_looks = json_incref(looks);
  return r;
}

static bool is_cancelled(const struct enrolled_pods *pods) {
  return pods->cancel && atomic_load(pods->cancel);
}

int enrolled_pods_look(const struct enrolled_pods *pods, json_t **ret_looks, struct error **err) {
  static const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
  for (;;) {
    json_t *looks = NULL;
    int r = is_cancelled(pods) ? error_set(err, ECANCELED, "cancelled") : look_once(pods, &looks, err);
    if (r < 0)
      return r;
    if (enrolled_pods_unsettled(looks) == 0 || clock_monotonic_ns() >= pods->deadline_ns) {
      *ret_looks = looks;
      return 0;
    }
    json_decref(looks);
    (void)nanosleep(&pause, NULL); /* a signal ends it */
  }
}

size_t enrolled_pods_unsettled(const json_t *looks) {
  const json_t *look;
  size_t i, count = 0;
  json_array_foreach(looks, i, look) {
    count += !json_is_true(json_object_get(look, "settled"));
  }
  return count;
}

static long count_at(const json_t *look, const char *key) {
  return (long)json_integer_value(json_object_get(look, key));
}

static const char *text_at(const json_t *look, const char *key) {
  return json_string_value(json_object_get(look, key));
}

void enrolled_pods_print(const json_t *looks, FILE *out) {
  const json_t *look, *name;
  size_t i, j;
  json_array_foreach(looks, i, look) {
    const struct cluster_place place = {
        .kind = text_at(look, "kind"), .ns = text_at(look, "namespace"), .name = text_at(look, "name")};
    (void)fputs("pods       ", out);
    changes_print_place(&place, out);
    fprintf(out, ": %ld of %ld with a sidecar", count_at(look, "withSidecar"), count_at(look, "pods"));
    json_array_foreach(json_object_get(look, "sidecars"), j, name) {
      (void)fputs(j ? ", " : " (", out);
      changes_print_safe(json_string_value(name), out);
    }
    fprintf(out, "%s, %ld ready, %ld wanted\n", json_array_size(json_object_get(look, "sidecars")) ? ")" : "",
            count_at(look, "ready"), count_at(look, "wanted"));
  }
}
