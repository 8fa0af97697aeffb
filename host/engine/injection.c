#include "host/engine/injection.h"

#include <errno.h>
#include <string.h>

#include "host/transport/kube/discovery.h"
#include "host/transport/kube/list.h"
#include "host/transport/kube/resource.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

void injection_finish(struct injection *injection) {
  json_decref(injection->names);
  *injection = (struct injection){0};
}

/* "key in (a,b)", "!key" … (Kubernetes, LabelSelectorRequirement) */
static void append_expression(struct strbuf *out, const json_t *expression) {
  const char *key = kube_text(expression, "key"), *operator= kube_text(expression, "operator");
  const json_t *values = json_object_get(expression, "values"), *value;
  size_t i;

  if (strcmp(operator, "Exists") == 0 || strcmp(operator, "DoesNotExist") == 0) {
    strbuf_printf(out, "%s%s", operator[0] == 'D' ? "!" : "", key);
    return;
  }
  strbuf_printf(out, "%s %s (", key, strcmp(operator, "NotIn") == 0 ? "notin" : "in");
  json_array_foreach(values, i, value) {
    strbuf_printf(out, "%s%s", i ? "," : "", json_string_value(value) ? json_string_value(value) : "");
  }
  strbuf_putc(out, ')');
}

static void append_selector(struct strbuf *out, const json_t *selector) {
  const json_t *expression;
  const char *key;
  json_t *value;
  size_t i;

  json_object_foreach(json_object_get(selector, "matchLabels"), key, value) {
    strbuf_printf(out, "%s%s=%s", out->length ? "," : "", key,
                  json_string_value(value) ? json_string_value(value) : "");
  }
  json_array_foreach(json_object_get(selector, "matchExpressions"), i, expression) {
    strbuf_puts(out, out->length ? "," : "");
    append_expression(out, expression);
  }
}

/* Whether a container is one that the mesh adds. One for initialisation is a sidecar when it stays (Kubernetes,
 * "sidecar containers"); the others end before the workload begins. */
static bool is_added(const json_t *container, bool initial, const json_t *own, const struct injection_marks *marks) {
  const char *name = kube_text(container, "name");

  if (initial && strcmp(kube_text(container, "restartPolicy"), "Always") != 0)
    return false;
  if (marks->count == 0)
    return !kube_find(own, "name", name);
  for (size_t i = 0; i < marks->count; i++)
    if (strcmp(marks->names[i], name) == 0)
      return true;
  return false;
}

/* Notes the names of those. 1: there are some; -ENOMEM. */
static int note_added(const json_t *pod, const json_t *template, bool initial, const struct injection_marks *marks,
                      json_t *names) {
  const char *key = initial ? "initContainers" : "containers";
  const json_t *own = json_object_get(template, key), *container;
  int added = 0;
  size_t i;

  json_array_foreach(json_object_get(pod, key), i, container) {
    if (!is_added(container, initial, own, marks))
      continue;
    if (json_object_set_new(names, kube_text(container, "name"), json_true()) < 0)
      return -ENOMEM;
    added = 1;
  }
  return added;
}

static bool counts(const json_t *pod) {
  const char *phase = kube_text(json_object_get(pod, "status"), "phase");

  return !json_object_get(json_object_get(pod, "metadata"), "deletionTimestamp") && strcmp(phase, "Succeeded") != 0 &&
         strcmp(phase, "Failed") != 0;
}

static int count_pod(const json_t *pod, const json_t *template, const struct injection_marks *marks,
                     struct injection *injection) {
  const json_t *spec = json_object_get(pod, "spec");
  int first = note_added(spec, template, false, marks, injection->names);
  int second = note_added(spec, template, true, marks, injection->names);

  injection->pods++;
  injection->with += first > 0 || second > 0;
  injection->ready += kube_pod_ready(pod);
  return first < 0 || second < 0 ? -ENOMEM : 0;
}

static size_t wanted_by(const json_t *workload) {
  const json_t *replicas = json_object_get(json_object_get(workload, "spec"), "replicas");
  json_int_t count = 1; /* unless it says otherwise */

  if (strcmp(kube_text(workload, "kind"), "DaemonSet") == 0)
    count = json_integer_value(json_object_get(json_object_get(workload, "status"), "desiredNumberScheduled"));
  else if (replicas)
    count = json_integer_value(replicas);
  return count > 0 ? (size_t)count : 0;
}

static bool is_current(const json_t *workload) {
  json_int_t generation = json_integer_value(json_object_get(json_object_get(workload, "metadata"), "generation"));

  return json_integer_value(json_object_get(json_object_get(workload, "status"), "observedGeneration")) >= generation;
}

static int list_pods(struct cluster *cluster, const json_t *workload, const atomic_bool *cancel, json_t **ret_pods,
                     struct error **err) {
  const struct kube_call call = {.deadline_ns = clock_in_ns(INJECTION_TIMEOUT_NS), .cancel = cancel};
  _cleanup_strbuf_ struct strbuf selector = STRBUF_INIT;
  struct kube_resource resource;

  append_selector(&selector, json_object_get(json_object_get(workload, "spec"), "selector"));
  if (strbuf_failed(&selector))
    return error_set(err, ENOMEM, "out of memory for a selector");
  int r = kube_discover(cluster_client(cluster), "v1", "Pod", &call, &resource, err);
  if (r < 0)
    return r;
  return kube_list(cluster_client(cluster),
                   &(struct kube_ref){.resource = &resource, .namespace_ = kube_object_namespace(workload)},
                   &(struct kube_list_options){.label_selector = strbuf_text(&selector)}, &call, ret_pods, NULL, err);
}

int injection_read(const json_t *workload, const json_t *pods, const struct injection_marks *marks,
                   struct injection *ret_injection) {
  const json_t *template = json_object_get(json_object_get(json_object_get(workload, "spec"), "template"), "spec");
  struct injection injection = {.wanted = wanted_by(workload), .current = is_current(workload), .names = json_object()};
  int r = injection.names ? 0 : -ENOMEM;
  const json_t *pod;
  size_t i;

  json_array_foreach(pods, i, pod) {
    if (r == 0 && counts(pod))
      r = count_pod(pod, template, marks, &injection);
  }
  if (r < 0)
    injection_finish(&injection);
  else
    *ret_injection = injection;
  return r;
}

int injection_look(struct cluster *cluster, const json_t *workload, const struct injection_marks *marks,
                   const atomic_bool *cancel, struct injection *ret_injection, struct error **err) {
  json_auto_t *pods = NULL;

  int r = list_pods(cluster, workload, cancel, &pods, err);
  if (r < 0)
    return r;
  r = injection_read(workload, pods, marks, ret_injection);
  return r < 0 ? error_set(err, ENOMEM, "out of memory for pods") : 0;
}

bool injection_settled(const struct injection *injection, bool none) {
  return injection->current && injection->pods == injection->wanted && injection->ready == injection->pods &&
         injection->with == (none ? 0 : injection->pods);
}
