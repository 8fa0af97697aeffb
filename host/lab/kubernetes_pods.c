#include "host/lab/kubernetes_pods.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/transport/kube/list.h"
#include "host/transport/kube/resource.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

#define POLL_MS 200

static const struct kube_resource pods_resource = {
    .version = "v1", .kind = "Pod", .plural = "pods", .namespaced = true};

/* In the order in which containers come up. */
static const char *const status_lists[] = {"initContainerStatuses", "containerStatuses"};

static const json_t *statuses(const json_t *pod, const char *list) {
  return json_object_get(json_object_get(pod, "status"), list);
}

/* A reason that no waiting helps against. */
static bool is_hopeless(const char *reason) {
  static const char *const reasons[] = {"ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName", "ErrImagePull"};
  for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
    if (strcmp(reason, reasons[i]) == 0)
      return true;
  return false;
}

/* What keeps a container of `list` from being ready, if the pod says so. */
static int read_statuses(const json_t *pod, const char *list, struct error **err) {
  size_t i;
  const json_t *status;
  json_array_foreach(statuses(pod, list), i, status) {
    const json_t *waiting = json_object_get(json_object_get(status, "state"), "waiting");
    const char *reason = kube_text(waiting, "reason");
    if (is_hopeless(reason))
      return error_set(err, ENOENT,
                       "pod %s: the image %s of container %s is not there (%s): give the node that image, or name "
                       "another one",
                       kube_object_name(pod), kube_text(status, "image"), kube_text(status, "name"), reason);
    if (!json_is_true(json_object_get(status, "ready")))
      return error_set(err, EAGAIN, "pod %s: container %s is not ready%s%s", kube_object_name(pod),
                       kube_text(status, "name"), *reason ? ": " : "", reason);
  }
  return 0;
}

static unsigned count_restarts(const json_t *pod) {
  json_int_t count = 0;
  for (size_t k = 0; k < ARRAY_COUNT(status_lists); k++) {
    size_t i;
    const json_t *status;
    json_array_foreach(statuses(pod, status_lists[k]), i, status) count +=
        json_integer_value(json_object_get(status, "restartCount"));
  }
  return (unsigned)count;
}

static int read_one(const json_t *pod, struct pod *ret_pod, struct error **err) {
  const json_t *spec = json_object_get(pod, "spec");
  const char *address = kube_text(json_object_get(pod, "status"), "podIP");
  struct in_addr in;
  int r = 0;
  for (size_t k = 0; r == 0 && k < ARRAY_COUNT(status_lists); k++)
    r = read_statuses(pod, status_lists[k], err);
  if (r < 0)
    return r;
  if (!kube_pod_ready(pod) || !*address)
    return error_set(err, EAGAIN, "pod %s is not ready: %s", kube_object_name(pod),
                     kube_text(json_object_get(pod, "status"), "phase"));
  if (inet_pton(AF_INET, address, &in) != 1)
    return error_set(err, EAFNOSUPPORT, "pod %s has the address %s: the lab needs a cluster whose pods have IPv4",
                     kube_object_name(pod), address);
  (void)snprintf(ret_pod->name, sizeof(ret_pod->name), "%s", kube_object_name(pod));
  (void)snprintf(ret_pod->address, sizeof(ret_pod->address), "%s", address);
  ret_pod->alone =
      json_array_size(json_object_get(spec, "containers")) + json_array_size(json_object_get(spec, "initContainers")) <
      2;
  ret_pod->restarts = count_restarts(pod);
  return 0;
}

int pod_read(const json_t *pods, struct pod *ret_pod, struct error **err) {
  size_t i;
  const json_t *pod;
  json_array_foreach(pods, i, pod) {
    if (kube_object_name(pod) && !json_object_get(json_object_get(pod, "metadata"), "deletionTimestamp"))
      return read_one(pod, ret_pod, err);
  }
  return error_set(err, EAGAIN, "there is no pod: its Deployment's events say why");
}

static int look(struct cluster *cluster, const char *ns, const char *app, const struct pod_wait *wait,
                struct pod *ret_pod, struct error **err) {
  const struct kube_ref ref = {.resource = &pods_resource, .namespace_ = ns};
  const struct kube_call call = {.deadline_ns = wait->deadline_ns, .cancel = wait->cancel};
  json_auto_t *pods = NULL;
  char selector[300];
  (void)snprintf(selector, sizeof(selector), "app=%s", app);
  int r = kube_list(cluster_client(cluster), &ref, &(struct kube_list_options){.label_selector = selector}, &call,
                    &pods, NULL, err);
  return r < 0 ? r : pod_read(pods, ret_pod, err);
}

int pod_wait(struct cluster *cluster, const char *ns, const char *app, const struct pod_wait *wait, struct pod *ret_pod,
             struct error **err) {
  for (;;) {
    _cleanup_error_ struct error *why = NULL;
    int r = look(cluster, ns, app, wait, ret_pod, &why);
    if (r == 0)
      return 0;
    if (wait->cancel && atomic_load(wait->cancel))
      return error_set(err, ECANCELED, "waiting for workload %s/%s: cancelled", ns, app);
    if (r != -EAGAIN)
      return error_set(err, -r, "workload %s/%s: %s", ns, app, error_message(why));
    if (clock_monotonic_ns() >= wait->deadline_ns)
      return error_set(err, ETIMEDOUT, "workload %s/%s was not ready in time: %s", ns, app, error_message(why));
    (void)poll(NULL, 0, POLL_MS);
  }
}

int pod_compare(const json_t *now, const char *ns, const struct pod *pod, struct error **err) {
  if (json_object_get(json_object_get(now, "metadata"), "deletionTimestamp"))
    return error_set(err, ECHILD, "pod %s/%s is being deleted by someone or something else", ns, pod->name);
  if (count_restarts(now) > pod->restarts)
    return error_set(err, ECHILD, "a container of pod %s/%s ended and was started anew", ns, pod->name);
  return kube_pod_ready(now) ? 0 : error_set(err, ECHILD, "pod %s/%s is no longer ready", ns, pod->name);
}

int pod_check(struct cluster *cluster, const char *ns, const struct pod *pod, int64_t deadline_ns, struct error **err) {
  const struct kube_ref ref = {.resource = &pods_resource, .namespace_ = ns, .name = pod->name};
  const struct kube_call call = {.deadline_ns = deadline_ns};
  _cleanup_error_ struct error *why = NULL;
  json_auto_t *now = NULL;
  int r = kube_get(cluster_client(cluster), &ref, &call, &now, &why);
  if (r == -ENOENT)
    return error_set(err, ECHILD, "pod %s/%s is gone: someone or something deleted it", ns, pod->name);
  return r < 0 ? error_set(err, -r, "%s", error_message(why)) : pod_compare(now, ns, pod, err);
}
