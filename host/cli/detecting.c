#include "host/cli/detecting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/engine/served_versions.h"
#include "sdk/base/clock.h"

static const char *const names[] = {"ready", "not ready", "absent", "unknown", "not asked"};

const char *detected_standing_name(enum detected_standing standing) {
  return names[standing];
}

void detected_finish(struct detected *detected) {
  if (detected->response)
    trammel__adapter__v1__detect_response__free_unpacked(detected->response, NULL);
  json_decref(detected->requests);
  error_free(detected->why);
  *detected = (struct detected){0};
}

/* ---- the cluster */

void detecting_cluster_finish(struct detecting_cluster *cluster) {
  cluster_close(cluster->cluster);
  error_free(cluster->why);
  *cluster = (struct detecting_cluster){0};
}

/* Every user may ask for the version (the role system:public-info-viewer). */
static void see_whether_it_answers(struct detecting_cluster *cluster, const atomic_bool *cancel) {
  const struct kube_call call = {.deadline_ns = clock_in_ns(DETECTING_CLUSTER_TIMEOUT_NS), .cancel = cancel};
  struct http_response response = {0};
  int r = kube_raw(cluster_client(cluster->cluster), &(struct kube_raw){.method = "GET", .path = "/version"}, &call,
                   &response, &cluster->why);
  if (r == 0)
    free(response.body);
  cluster->answers = r == 0;
}

int detecting_cluster_open(const struct mesh_options *options, const atomic_bool *cancel,
                           struct detecting_cluster *ret_cluster, struct error **err) {
  struct detecting_cluster cluster = {0};
  int r = cluster_open(&options->cluster, &cluster.cluster, &cluster.why);
  if (r < 0 && (r == -ENOMEM || cluster_options_given(&options->cluster))) {
    (void)error_set(err, -r, "%s", error_message(cluster.why));
    detecting_cluster_finish(&cluster);
    return r;
  }
  if (r == 0)
    see_whether_it_answers(&cluster, cancel);
  *ret_cluster = cluster;
  return 0;
}

/* ---- an adapter */

static bool is_given(const struct mesh_options *options, const char *endpoint) {
  size_t length = strlen(endpoint);
  for (size_t i = 0; i < options->endpoints.count; i++)
    if (strncmp(options->endpoints.items[i], endpoint, length) == 0 && options->endpoints.items[i][length] == '=')
      return true;
  return false;
}

/* It declares the endpoint of a cluster, and no --endpoint is in its place. */
static bool wants_cluster(const struct mesh_options *options, const struct adapter_entry *entry) {
  return mesh_options_declares(entry, ENGINE_CLUSTER_ENDPOINT) && !is_given(options, ENGINE_CLUSTER_ENDPOINT);
}

/* Whether there is somebody to ask; otherwise the standing says why not. */
static bool can_ask(const struct mesh_options *options, const struct detecting_cluster *cluster,
                    struct detected *detected) {
  const Trammel__Adapter__V1__DescribeResponse *description = detected->entry->description;
  const bool kubernetes = wants_cluster(options, detected->entry);
  for (size_t i = 0; i < description->n_endpoints; i++)
    if (is_given(options, description->endpoints[i]->name))
      return true;
  if (description->n_endpoints == 0 || (kubernetes && cluster->answers))
    return true;
  detected->standing = kubernetes && cluster->cluster ? DETECTED_UNKNOWN : DETECTED_NOT_ASKED;
  if (kubernetes)
    (void)error_set(&detected->why, EHOSTUNREACH, "no cluster to ask: %s", error_message(cluster->why));
  else
    (void)error_set(&detected->why, EDESTADDRREQ, "its endpoint %s has no address: give --endpoint %s=URL",
                    description->endpoints[0]->name, description->endpoints[0]->name);
  return false;
}

/* The first thing that went wrong; NULL: nothing did. */
static const char *problem_of(const json_t *requests) {
  const json_t *request;
  size_t i;
  json_array_foreach(requests, i, request) {
    const char *problem = json_string_value(json_object_get(request, "problem"));
    if (problem)
      return problem;
  }
  return NULL;
}

static void judge(struct detected *detected) {
  const char *problem = problem_of(detected->requests);
  if (detected->response->present)
    detected->standing = detected->response->ready ? DETECTED_READY : DETECTED_NOT_READY;
  else if (problem)
    detected->standing = DETECTED_UNKNOWN;
  else
    detected->standing = DETECTED_ABSENT;
  if (detected->standing == DETECTED_UNKNOWN)
    (void)error_set(&detected->why, EIO, "%s", problem);
}

static int make_config(const struct mesh_options *options, const struct detecting_cluster *cluster,
                       const struct adapter_entry *entry, const atomic_bool *cancel, json_t **ret_config,
                       struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *told = diagnostics_create();
  int r = told ? mesh_options_config(options, entry, told, ret_config, err) : -ENOMEM;
  diagnostics_print(told, stderr);
  if (r == 0 && cluster->answers)
    (void)served_versions_choose(cluster->cluster, entry->description, cancel, *ret_config, NULL);
  return r;
}

int detecting_ask(const struct mesh_options *options, const struct detecting_cluster *cluster,
                  const struct adapter_entry *entry, const atomic_bool *cancel, struct detected *ret_detected,
                  struct error **err) {
  struct detected detected = {.entry = entry, .requests = json_array(), .standing = DETECTED_UNKNOWN};
  struct engine *engine = NULL;
  json_auto_t *config = NULL;
  int r = make_config(options, cluster, entry, cancel, &config, err);
  if (r < 0 || !detected.requests) {
    detected_finish(&detected);
    return r < 0 ? r : error_set(err, ENOMEM, "out of memory for requests");
  }
  if (can_ask(options, cluster, &detected)) {
    r = engine_create(entry, config, NULL, cancel, NULL, &engine, &detected.why);
    if (r == 0 && wants_cluster(options, entry) && cluster->cluster)
      r = engine_set_cluster(engine, &options->cluster, &detected.why);
    if (r == 0)
      r = mesh_options_endpoints(options, engine, &detected.why);
    if (r == 0)
      r = engine_detect_recorded(engine, detected.requests, &detected.response, &detected.why);
    if (r == 0)
      judge(&detected);
  }
  engine_destroy(engine);
  *ret_detected = detected;
  return 0;
}
