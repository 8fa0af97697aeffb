#include "host/engine/endpoint.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/services.h"
#include "host/engine/cluster.h"
#include "host/engine/token.h"
#include "sdk/base/clock.h"

struct endpoint {
  char *url;               /* without a slash at its end; NULL: not known yet */
  struct cluster *cluster; /* in place of a URL */
  char *below;             /* the path on the cluster that all paths are below; NULL: none */
  bool outlives;
  char *token_header; /* NULL: none */
  char *token_file;
  atomic_bool silent; /* its latest request was not answered in time */
};

/* What a silent endpoint gets to show that it answers again: taking the objects of a hung mesh away must not wait for
 * each in full. */
#define SILENT_TIMEOUT_NS (500 * NS_PER_MS)

struct endpoints {
  const Trammel__Adapter__V1__DescribeResponse *description;
  const atomic_bool *cancel;
  pthread_mutex_t lock;
  struct endpoint *list; /* as in the description */
  struct http_client **idle;
  size_t idle_count;
  size_t idle_capacity;
};
DEFINE_CLEANUP(struct endpoints *, endpoints_destroy);

int endpoints_create(const Trammel__Adapter__V1__DescribeResponse *description, const atomic_bool *cancel,
                     struct endpoints **ret_endpoints, struct error **err) {
  _cleanup_(endpoints_destroy_p) struct endpoints *endpoints = calloc(1, sizeof(*endpoints));

  if (!endpoints)
    return error_set(err, ENOMEM, "out of memory for the adapter's endpoints");
  endpoints->description = description;
  endpoints->cancel = cancel;
  (void)pthread_mutex_init(&endpoints->lock, NULL);
  endpoints->list = calloc(description->n_endpoints + 1, sizeof(*endpoints->list));
  if (!endpoints->list)
    return error_set(err, ENOMEM, "out of memory for the adapter's endpoints");
  *ret_endpoints = take(endpoints);
  return 0;
}

static void endpoint_finish(struct endpoint *endpoint) {
  free(endpoint->url);
  free(endpoint->below);
  token_free(endpoint->token_header);
  free(endpoint->token_file);
}

void endpoints_destroy(struct endpoints *endpoints) {
  if (!endpoints)
    return;
  for (size_t i = 0; i < endpoints->idle_count; i++)
    http_client_destroy(endpoints->idle[i]);
  for (size_t i = 0; endpoints->list && i < endpoints->description->n_endpoints; i++)
    endpoint_finish(&endpoints->list[i]);
  (void)pthread_mutex_destroy(&endpoints->lock);
  free(endpoints->idle);
  free(endpoints->list);
  free(endpoints);
}

static struct endpoint *find(struct endpoints *endpoints, const char *name) {
  for (size_t i = 0; i < endpoints->description->n_endpoints; i++)
    if (strcmp(endpoints->description->endpoints[i]->name, name) == 0)
      return &endpoints->list[i];
  return NULL;
}

static int unknown(const char *name, struct error **err) {
  return error_set(err, ENOENT, "the adapter declares no endpoint '%s'", name);
}

/* Gives an endpoint what it is from now on, whose URL is taken. A token was for the old address. */
static int set(struct endpoints *endpoints, const char *name, struct endpoint now, struct error **err) {
  (void)pthread_mutex_lock(&endpoints->lock);
  struct endpoint *endpoint = find(endpoints, name);
  struct endpoint old = endpoint ? *endpoint : now;
  if (endpoint)
    *endpoint = now;
  (void)pthread_mutex_unlock(&endpoints->lock);
  endpoint_finish(&old);
  return endpoint ? 0 : unknown(name, err);
}

int endpoints_set_cluster(struct endpoints *endpoints, const char *name, struct cluster *cluster, struct error **err) {
  return set(endpoints, name, (struct endpoint){.cluster = cluster, .outlives = true}, err);
}

int endpoints_set_below_cluster(struct endpoints *endpoints, const char *name, struct cluster *cluster,
                                const char *path, struct error **err) {
  size_t length = strlen(path);
  if (*path != '/')
    return error_set(err, EINVAL, "the address of endpoint '%s' on the cluster must be an absolute path", name);
  while (length > 0 && path[length - 1] == '/')
    length--;
  char *below = strndup(path, length);
  if (!below)
    return error_set(err, ENOMEM, "out of memory for an endpoint's address");
  return set(endpoints, name, (struct endpoint){.cluster = cluster, .below = below}, err);
}

int endpoints_set(struct endpoints *endpoints, const char *name, const char *url, bool outlives, struct error **err) {
  if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
    return error_set(err, EINVAL, "the address of endpoint '%s' must begin with http:// or https://", name);
  size_t length = strlen(url);
  while (url[length - 1] == '/')
    length--;
  char *copy = strndup(url, length);
  if (!copy)
    return error_set(err, ENOMEM, "out of memory for an endpoint's address");
  return set(endpoints, name, (struct endpoint){.url = copy, .outlives = outlives}, err);
}

int endpoints_set_token(struct endpoints *endpoints, const char *name, const char *path, struct error **err) {
  _cleanup_free_ char *url = NULL, *file = realpath(path, NULL);
  _cleanup_token_ char *header = NULL;

  if (!file)
    return error_set(err, errno, "token file %s: %s", path, strerror(errno));
  int r = endpoints_url(endpoints, name, "", &url, err);
  if (r == 0)
    r = token_check_url(url, err);
  if (r == 0)
    r = token_read(file, &header, err);
  if (r < 0) {
    (void)error_wrap(err, "endpoint '%s'", name);
    return r;
  }
  (void)pthread_mutex_lock(&endpoints->lock);
  struct endpoint *endpoint = find(endpoints, name);
  token_free(endpoint->token_header);
  free(endpoint->token_file);
  endpoint->token_header = take(header);
  endpoint->token_file = take(file);
  (void)pthread_mutex_unlock(&endpoints->lock);
  return 0;
}

const char *endpoints_token_file(struct endpoints *endpoints, const char *name) {
  (void)pthread_mutex_lock(&endpoints->lock);
  const struct endpoint *endpoint = find(endpoints, name);
  const char *file = endpoint ? endpoint->token_file : NULL;
  (void)pthread_mutex_unlock(&endpoints->lock);
  return file;
}

bool endpoints_outlive(struct endpoints *endpoints, const char *name) {
  (void)pthread_mutex_lock(&endpoints->lock);
  const struct endpoint *endpoint = find(endpoints, name);
  bool outlives = endpoint && endpoint->outlives;
  (void)pthread_mutex_unlock(&endpoints->lock);
  return outlives;
}

int endpoints_url(struct endpoints *endpoints, const char *name, const char *path, char **ret_url, struct error **err) {
  char *url = NULL;

  (void)pthread_mutex_lock(&endpoints->lock);
  const struct endpoint *endpoint = find(endpoints, name);
  bool known = endpoint && endpoint->url;
  bool cluster = endpoint && endpoint->cluster;
  if (known && asprintf(&url, "%s%s", endpoint->url, path) < 0)
    url = NULL;
  (void)pthread_mutex_unlock(&endpoints->lock);
  if (!endpoint)
    return unknown(name, err);
  if (cluster)
    return error_set(err, ENOTSUP, "endpoint '%s' is a Kubernetes cluster", name);
  if (!known)
    return error_set(err, ENOENT, "endpoint '%s' has no address: give it one, or install the mesh first", name);
  if (!url)
    return error_set(err, ENOMEM, "out of memory for a URL");
  *ret_url = url;
  return 0;
}

/* The client that was used last, whose connection is the likeliest to be open still; or a new one. */
static int take_client(struct endpoints *endpoints, struct http_client **ret_client, struct error **err) {
  struct http_client *client = NULL;

  (void)pthread_mutex_lock(&endpoints->lock);
  if (endpoints->idle_count > 0)
    client = endpoints->idle[--endpoints->idle_count];
  (void)pthread_mutex_unlock(&endpoints->lock);
  if (!client)
    return http_client_create(ret_client, err);
  *ret_client = client;
  return 0;
}

static void give_client(struct endpoints *endpoints, struct http_client *client) {
  (void)pthread_mutex_lock(&endpoints->lock);
  int r = array_reserve((void **)&endpoints->idle, &endpoints->idle_capacity, endpoints->idle_count,
                        sizeof(struct http_client *));
  if (r == 0)
    endpoints->idle[endpoints->idle_count++] = client;
  (void)pthread_mutex_unlock(&endpoints->lock);
  if (r < 0)
    http_client_destroy(client);
}

int endpoints_permit(const struct endpoints *endpoints, const char *name, const char *method, const char *path,
                     struct error **err) {
  const char *reason = NULL;

  if (permission_check(endpoints->description, name, method, path, &reason) == 0)
    return 0;
  return error_set(err, EACCES, "%s %s at endpoint '%s': %s", method, path, name, reason);
}

/* Sends within the endpoint's patience, and remembers whether it answered. */
static int send_patiently(struct endpoint *endpoint, struct http_client *client, struct http_request *http,
                          struct http_response *ret_response, struct error **err) {
  int64_t soon_ns = clock_monotonic_ns() + SILENT_TIMEOUT_NS;
  if (atomic_load(&endpoint->silent) && (http->deadline_ns == 0 || soon_ns < http->deadline_ns))
    http->deadline_ns = soon_ns;
  int r = http_client_send(client, http, ret_response, err);
  if (r == 0 || r == -ETIMEDOUT)
    atomic_store(&endpoint->silent, r == -ETIMEDOUT);
  return r;
}

/* NULL: it is no cluster. `*ret_path` is the path there, a heap string; NULL without memory. */
static struct cluster *cluster_of(struct endpoints *endpoints, const char *name, const char *path, char **ret_path) {
  (void)pthread_mutex_lock(&endpoints->lock);
  const struct endpoint *endpoint = find(endpoints, name);
  struct cluster *cluster = endpoint ? endpoint->cluster : NULL;
  if (cluster && asprintf(ret_path, "%s%s", endpoint->below ? endpoint->below : "", path) < 0)
    *ret_path = NULL;
  (void)pthread_mutex_unlock(&endpoints->lock);
  return cluster;
}

/* Those that may be sent again (RFC 9110, 9.2.2). */
static bool is_idempotent(const char *method) {
  return strcmp(method, "GET") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "DELETE") == 0;
}

static int send_to_cluster(const struct endpoints *endpoints, struct cluster *cluster, const char *path,
                           const struct endpoint_request *request, struct http_response *ret_response,
                           struct error **err) {
  const struct kube_raw raw = {.method = request->method,
                               .path = path,
                               .idempotent = is_idempotent(request->method),
                               .content_type =
                                   request->content_type && *request->content_type ? request->content_type : NULL,
                               .body = request->body,
                               .body_length = request->body_length,
                               .response_max = request->response_max};
  const struct kube_call call = {.deadline_ns = request->deadline_ns,
                                 .cancel = request->regardless ? NULL : endpoints->cancel};

  return kube_raw(cluster_client(cluster), &raw, &call, ret_response, err);
}

/* A copy of the endpoint's header with its token; NULL: none. */
static int token_of(struct endpoints *endpoints, const char *name, char **ret_header, struct error **err) {
  (void)pthread_mutex_lock(&endpoints->lock);
  const struct endpoint *endpoint = find(endpoints, name);
  const bool has = endpoint && endpoint->token_header;
  char *copy = has ? strdup(endpoint->token_header) : NULL;
  (void)pthread_mutex_unlock(&endpoints->lock);
  *ret_header = copy;
  return has && !copy ? error_set(err, ENOMEM, "out of memory for a token") : 0;
}

int endpoints_send(struct endpoints *endpoints, const struct endpoint_request *request,
                   struct http_response *ret_response, struct error **err) {
  _cleanup_free_ char *url = NULL, *path = NULL;
  struct cluster *cluster = cluster_of(endpoints, request->endpoint, request->path, &path);
  _cleanup_token_ char *header = NULL;
  struct http_client *client = NULL;

  int r = endpoints_permit(endpoints, request->endpoint, request->method, request->path, err);
  if (r == 0 && cluster && !path)
    return error_set(err, ENOMEM, "out of memory for a request");
  if (r == 0 && cluster)
    return send_to_cluster(endpoints, cluster, path, request, ret_response, err);
  if (r == 0)
    r = endpoints_url(endpoints, request->endpoint, request->path, &url, err);
  if (r == 0)
    r = token_of(endpoints, request->endpoint, &header, err);
  if (r == 0)
    r = take_client(endpoints, &client, err);
  if (r < 0)
    return r;
  struct http_request http = {
      .method = request->method,
      .url = url,
      .content_type = request->content_type && *request->content_type ? request->content_type : NULL,
      .body = request->body,
      .body_length = request->body_length,
      .response_max = request->response_max,
      .deadline_ns = request->deadline_ns,
      .cancel = request->regardless ? NULL : endpoints->cancel,
      .headers = header ? (const char *const[]){header, NULL} : NULL,
  };
  r = send_patiently(find(endpoints, request->endpoint), client, &http, ret_response, err);
  give_client(endpoints, client);
  return r;
}
