#include "host/engine/cleaner.h"

#include <errno.h>
#include <string.h>

#include "host/engine/identity.h"
#include "host/engine/token.h"
#include "sdk/base/clock.h"

#define DELETE_TIMEOUT_NS (10 * NS_PER_SECOND)
#define DELETE_RESPONSE_MAX (64u * 1024)

int cleaner_init(struct cleaner *cleaner, struct error **err) {
  *cleaner = (struct cleaner){0};
  return http_client_create(&cleaner->http, err);
}

void cleaner_finish(struct cleaner *cleaner) {
  cluster_close(cleaner->cluster);
  http_client_destroy(cleaner->http);
}

static int delete_url(struct cleaner *cleaner, const char *method, const char *url, const char *const *headers,
                      struct error **err) {
  struct http_response response = {0};
  struct http_request request = {.method = method,
                                 .url = url,
                                 .headers = headers,
                                 .response_max = DELETE_RESPONSE_MAX,
                                 .deadline_ns = clock_monotonic_ns() + DELETE_TIMEOUT_NS};

  int r = http_client_send(cleaner->http, &request, &response, err);
  if (r == 0 && (response.status < 200 || response.status > 299) && response.status != 404 && response.status != 410)
    r = error_set(err, EIO, "the answer to its removal was %u", response.status);
  http_response_finish(&response);
  return r;
}

/* What is there, if it is this run's; where others put something else since, that stays. */
static int delete_identified(struct cleaner *cleaner, const struct record *object, const char *const *headers,
                             struct error **err) {
  json_auto_t *identity = json_loads(object->identity, 0, NULL);
  struct http_response response = {0};
  struct identity_finding finding = {0};
  struct http_request request = {.method = "GET",
                                 .headers = headers,
                                 .url = json_string_value(json_object_get(identity, "look")),
                                 .response_max = IDENTITY_LIST_MAX,
                                 .deadline_ns = clock_monotonic_ns() + DELETE_TIMEOUT_NS};

  if (!request.url)
    return error_set(err, EINVAL, "its journal does not say where to look for it");
  int r = http_client_send(cleaner->http, &request, &response, err);
  if (r == 0)
    r = identity_judge(identity, &response, &finding, err);
  http_response_finish(&response);
  if (r == 0 && finding.standing == IDENTITY_OURS) {
    const char *pointer = json_string_value(json_object_get(identity, "id"));
    _cleanup_free_ char *id = pointer ? identity_text(finding.item, pointer) : strdup("");
    _cleanup_free_ char *url = id ? identity_place(object->url, id) : NULL;
    r = url ? delete_url(cleaner, object->method, url, headers, err)
            : error_set(err, EIO, "it is listed without an id");
  }
  identity_finding_finish(&finding);
  return r;
}

static int remove_by_http(struct cleaner *cleaner, const struct record *object, struct error **err) {
  _cleanup_token_ char *token = NULL;

  int r = object->token_file ? token_check_url(object->url, err) : 0;
  if (r == 0 && object->token_file)
    r = token_read(object->token_file, &token, err);
  if (r < 0)
    return r;
  const char *const headers[] = {token, NULL};
  return object->identity ? delete_identified(cleaner, object, headers, err)
                          : delete_url(cleaner, object->method, object->url, headers, err);
}

static bool same(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

static bool leads_to(const struct cluster *cluster, const struct record *object) {
  return cluster && same(cluster_kubeconfig(cluster), object->kubeconfig) &&
         same(cluster_context(cluster), object->context);
}

/* By the kubeconfig and context of then, which must still lead to the same server. */
static int use_cluster(struct cleaner *cleaner, const struct record *object, struct error **err) {
  const struct cluster_options options = {.kubeconfig = object->kubeconfig, .context = object->context};

  if (!leads_to(cleaner->cluster, object)) {
    cluster_close(cleaner->cluster);
    cleaner->cluster = NULL;
    int r = cluster_open(&options, &cleaner->cluster, err);
    if (r < 0)
      return r;
  }
  if (strcmp(cluster_server(cleaner->cluster), object->url) == 0)
    return 0;
  return error_set(err, ESTALE,
                   "it was made at %s, and context %s now leads to %s: set the context back, or remove it yourself",
                   object->url, object->context ? object->context : "(none)", cluster_server(cleaner->cluster));
}

static int remove_from_cluster(struct cleaner *cleaner, const struct record *object, struct error **err) {
  const struct cluster_place place = {
      .api_version = object->api_version, .kind = object->object_kind, .ns = object->ns, .name = object->object_name};
  const struct kube_call call = {.deadline_ns = clock_monotonic_ns() + DELETE_TIMEOUT_NS};

  int r = use_cluster(cleaner, object, err);
  return r < 0 ? r : cluster_remove(cleaner->cluster, &place, &call, err);
}

int cleaner_remove(struct cleaner *cleaner, const struct record *object, struct error **err) {
  return object->kind == RECORD_CLUSTER_OBJECT_INTENDED ? remove_from_cluster(cleaner, object, err)
                                                        : remove_by_http(cleaner, object, err);
}
