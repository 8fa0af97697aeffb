#include "host/lab/kubernetes_pods.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/transport/kube/list.h"
#include "host/transport/kube/resource.h"
#include "sdk/base/clock.h"

#define POLL_MS 200

static const struct kube_resource pods_resource = {
    .version = "v1", .kind = "Pod", .plural = "pods", .namespaced = true};

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static const json_t *statuses(const json_t *pod) {
  return json_object_get(json_object_get(pod, "status"), "containerStatuses");
}

/* A reason that no waiting helps against. */
static bool is_hopeless(const char *reason) {
  static const char *const reasons[] = {"ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName", "ErrImagePull"};
  for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
    if (strcmp(reason, reasons[i]) == 0)
      return true;
  return false;
}

/* What keeps a container from being ready, if the pod says so. */
static int read_statuses(const json_t *pod, struct error **err) {
  size_t i;
  const json_t *status;
  json_array_foreach(statuses(pod), i, status) {
    const json_t *waiting = json_object_get(json_object_get(status, "state"), "waiting");
    const char *reason = text_of(waiting, "reason");
    if (is_hopeless(reason))
      return error_set(err, ENOENT,
                       "pod %s: the image %s of container %s is not there (%s): give the node that image, or name "
                       "another one",
                       kube_object_name(pod), text_of(status, "image"), text_of(status, "name"), reason);
    if (!json_is_true(json_object_get(status, "ready")))
      return error_set(err, EAGAIN, "pod %s: container %s is not ready%s%s", kube_object_name(pod),
                       text_of(status, "name"), *reason ? ": " : "", reason);
  }
  return 0;
}

static int read_one(const json_t *pod, struct pod *ret_pod, struct error **err) {
  const json_t *spec = json_object_get(pod, "spec");
  const char *address = text_of(json_object_get(pod, "status"), "podIP");
  struct in_addr in;
  int r = read_statuses(pod, err);
  if (r < 0)
    return r;
  if (!kube_pod_ready(pod) || !*address)
    return error_set(err, EAGAIN, "pod %s is not ready: %s", kube_object_name(pod),
                     text_of(json_object_get(pod, "status"), "phase"));
  if (inet_pton(AF_INET, address, &in) != 1)
    return error_set(err, EAFNOSUPPORT, "pod %s has the address %s: the lab needs a cluster whose pods have IPv4",
                     kube_object_name(pod), address);
  (void)snprintf(ret_pod->name, sizeof(ret_pod->name), "%s", kube_object_name(pod));
  (void)snprintf(ret_pod->address, sizeof(ret_pod->address), "%s", address);
  ret_pod->alone =
      json_array_size(json_object_get(spec, "containers")) + json_array_size(json_object_get(spec, "initContainers")) <
      2;
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

static bool has_restarted(const json_t *pod) {
  size_t i;
  const json_t *status;
  json_array_foreach(statuses(pod), i, status) {
    if (json_integer_value(json_object_get(status, "restartCount")) > 0)
      return true;
  }
  return false;
}

int pod_check(struct cluster *cluster, const char *ns, const char *name, int64_t deadline_ns, struct error **err) {
  const struct kube_ref ref = {.resource = &pods_resource, .namespace_ = ns, .name = name};
  const struct kube_call call = {.deadline_ns = deadline_ns};
  _cleanup_error_ struct error *why = NULL;
  json_auto_t *pod = NULL;
  int r = kube_get(cluster_client(cluster), &ref, &call, &pod, &why);
  if (r == -ENOENT)
    return error_set(err, ECHILD, "pod %s/%s is gone: someone or something deleted it", ns, name);
  if (r < 0)
    return error_set(err, -r, "%s", error_message(why));
  if (json_object_get(json_object_get(pod, "metadata"), "deletionTimestamp"))
    return error_set(err, ECHILD, "pod %s/%s is being deleted by someone or something else", ns, name);
  if (has_restarted(pod))
    return error_set(err, ECHILD, "a container of pod %s/%s ended and was started anew", ns, name);
  return kube_pod_ready(pod) ? 0 : error_set(err, ECHILD, "pod %s/%s is no longer ready", ns, name);
}
