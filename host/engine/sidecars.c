#include "host/engine/sidecars.h"

#include <errno.h>
#include <string.h>

#include "host/transport/kube/discovery.h"
#include "host/transport/kube/list.h"
#include "host/transport/kube/resource.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

void sidecars_finish(struct sidecars *sidecars) {
  json_decref(sidecars->names);
  *sidecars = (struct sidecars){0};
}

static const char *text_at(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));

  return text ? text : "";
}

/* "key in (a,b)", "!key" … (Kubernetes, LabelSelectorRequirement) */
static void append_expression(struct strbuf *out, const json_t *expression) {
  const char *key = text_at(expression, "key"), *operator= text_at(expression, "operator");
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

static bool has_name(const json_t *containers, const char *name) {
  const json_t *container;
  size_t i;

  json_array_foreach(containers, i, container) {
    if (strcmp(text_at(container, "name"), name) == 0)
      return true;
  }
  return false;
}

/* Notes the names of containers that are not in the template. 1: there are some; -ENOMEM. */
static int note_added(const json_t *pod, const json_t *template, const char *key, json_t *names) {
  const json_t *own = json_object_get(template, key), *container;
  int added = 0;
  size_t i;

  json_array_foreach(json_object_get(pod, key), i, container) {
    const char *name = text_at(container, "name");
    if (has_name(own, name))
      continue;
    if (json_object_set_new(names, name, json_true()) < 0)
      return -ENOMEM;
    added = 1;
  }
  return added;
}

static bool counts(const json_t *pod) {
  const char *phase = text_at(json_object_get(pod, "status"), "phase");

  return !json_object_get(json_object_get(pod, "metadata"), "deletionTimestamp") && strcmp(phase, "Succeeded") != 0 &&
         strcmp(phase, "Failed") != 0;
}

/* A sidecar may be among the containers for initialisation, too: one that starts before the others and stays. */
static int count_pod(const json_t *pod, const json_t *template, struct sidecars *sidecars) {
  const json_t *spec = json_object_get(pod, "spec");
  int first = note_added(spec, template, "containers", sidecars->names);
  int second = note_added(spec, template, "initContainers", sidecars->names);

  sidecars->pods++;
  sidecars->with += first > 0 || second > 0;
  sidecars->ready += kube_pod_ready(pod);
  return first < 0 || second < 0 ? -ENOMEM : 0;
}

static size_t wanted_by(const json_t *workload) {
  const json_t *replicas = json_object_get(json_object_get(workload, "spec"), "replicas");
  json_int_t count = 1; /* unless it says otherwise */

  if (strcmp(text_at(workload, "kind"), "DaemonSet") == 0)
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
  const struct kube_call call = {.deadline_ns = clock_in_ns(SIDECARS_TIMEOUT_NS), .cancel = cancel};
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

int sidecars_count(struct cluster *cluster, const json_t *workload, const atomic_bool *cancel,
                   struct sidecars *ret_sidecars, struct error **err) {
  const json_t *template = json_object_get(json_object_get(json_object_get(workload, "spec"), "template"), "spec");
  struct sidecars sidecars = {.wanted = wanted_by(workload), .current = is_current(workload), .names = json_object()};
  json_auto_t *pods = NULL;
  const json_t *pod;
  size_t i;

  int r = sidecars.names ? list_pods(cluster, workload, cancel, &pods, err) : -ENOMEM;
  json_array_foreach(pods, i, pod) {
    if (r == 0 && counts(pod))
      r = count_pod(pod, template, &sidecars);
  }
  if (r < 0) {
    sidecars_finish(&sidecars);
    return r == -ENOMEM ? error_set(err, ENOMEM, "out of memory for pods") : r;
  }
  *ret_sidecars = sidecars;
  return 0;
}

bool sidecars_settled(const struct sidecars *sidecars, bool none) {
  return sidecars->current && sidecars->pods == sidecars->wanted && sidecars->ready == sidecars->pods &&
         sidecars->with == (none ? 0 : sidecars->pods);
}
