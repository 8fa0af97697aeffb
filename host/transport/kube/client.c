#include "host/transport/kube/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/transport/kube/client_internal.h"
#include "host/transport/kube/proxy.h"
#include "sdk/base/utf8.h"

#define FIELD_MANAGER_MAX 128

/* In an order such that kube_client_destroy() can end what there is at any point. */
static int start(struct kube_client *client, const struct kube_client_options *options, struct error **err) {
  double rate = options->rate < 0 ? 0 : options->rate > 0 ? options->rate : KUBE_RATE_DEFAULT;

  client->tries = options->tries ? options->tries : KUBE_TRIES_DEFAULT;
  client->user_agent = strdup(options->user_agent ? options->user_agent : "trammel");
  if (!client->user_agent)
    return error_set(err, ENOMEM, "out of memory for a Kubernetes client");
  int r = limiter_init(&client->limiter, rate, options->burst ? options->burst : KUBE_BURST_DEFAULT, err);
  r = r < 0 ? r : credentials_create(client->config, &client->credentials, err);
  r = r < 0 ? r : discovery_create(&client->discovery, err);
  return r < 0 ? r : proxy_choose(client->config->server, client->config->proxy, &client->proxy, err);
}

int kube_client_create(struct kube_config *config, const struct kube_client_options *options,
                       struct kube_client **ret_client, struct error **err) {
  static const struct kube_client_options defaults;
  struct kube_client *client = calloc(1, sizeof(*client));

  if (!client || pthread_mutex_init(&client->lock, NULL) != 0) {
    free(client);
    kube_config_destroy(config);
    return error_set(err, ENOMEM, "out of memory for a Kubernetes client");
  }
  client->config = config;
  int r = start(client, options ? options : &defaults, err);
  if (r < 0)
    kube_client_destroy(client);
  else
    *ret_client = client;
  return r;
}

void kube_client_destroy(struct kube_client *client) {
  if (!client)
    return;
  for (size_t i = 0; i < client->idle_count; i++)
    http_client_destroy(client->idle[i].http);
  discovery_destroy(client->discovery);
  credentials_destroy(client->credentials);
  limiter_finish(&client->limiter);
  (void)pthread_mutex_destroy(&client->lock);
  kube_config_destroy(client->config);
  free(client->proxy);
  free(client->user_agent);
  free(client);
}

const char *kube_client_namespace(const struct kube_client *client) {
  return client->config->namespace_;
}

void kube_query_append(struct strbuf *path, const char *key, const char *value) {
  if (!value)
    return;
  strbuf_printf(path, "%c%s=", path->data && strchr(path->data, '?') ? '&' : '?', key);
  for (const unsigned char *p = (const unsigned char *)value; *p; p++)
    if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || strchr("-._~", *p))
      strbuf_putc(path, (char)*p);
    else
      strbuf_printf(path, "%%%02X", *p);
}

int kube_get(struct kube_client *client, const struct kube_ref *ref, const struct kube_call *call, json_t **ret_object,
             struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

  int r = kube_path_append(&path, ref, err);
  if (r < 0)
    return r;
  const struct kube_request request = {
      .verb = "get", .ref = ref, .method = "GET", .path = strbuf_text(&path), .idempotent = true};
  return kube_send_object(client, &request, call, ret_object, NULL, err);
}

/* Sends `object` as a body. */
static int send_body(struct kube_client *client, struct kube_request *request, const json_t *object,
                     const struct kube_call *call, json_t **ret_object, struct error **err) {
  char *body = json_dumps(object, JSON_COMPACT);

  if (!body)
    return error_set(err, ENOMEM, "%s: out of memory, or the object is no JSON object", request->verb);
  request->body = body;
  request->body_length = strlen(body);
  int r = kube_send_object(client, request, call, ret_object, NULL, err);
  explicit_bzero(body, request->body_length); /* it may be a Secret */
  free(body);
  return r;
}

int kube_create(struct kube_client *client, const struct kube_ref *ref, const json_t *object,
                const struct kube_call *call, json_t **ret_object, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  struct kube_ref collection = *ref;

  if (!ref->subresource)
    collection.name = NULL;
  int r = kube_path_append(&path, &collection, err);
  if (r < 0)
    return r;
  struct kube_request request = {.verb = "create", .ref = ref, .method = "POST", .path = strbuf_text(&path)};
  return send_body(client, &request, object, call, ret_object, err);
}

int kube_update(struct kube_client *client, const struct kube_ref *ref, const json_t *object,
                const struct kube_call *call, json_t **ret_object, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

  if (!ref->name || !kube_object_version(object))
    return error_set(err, EINVAL, "update: the object needs a name and a metadata.resourceVersion");
  int r = kube_path_append(&path, ref, err);
  if (r < 0)
    return r;
  struct kube_request request = {.verb = "update", .ref = ref, .method = "PUT", .path = strbuf_text(&path)};
  return send_body(client, &request, object, call, ret_object, err);
}

static int check_manager(const char *manager, struct error **err) {
  size_t length = manager ? strlen(manager) : 0;

  for (size_t i = 0; i < length; i++)
    if ((unsigned char)manager[i] < 0x20 || (unsigned char)manager[i] == 0x7f)
      length = 0;
  if (length >= 1 && length <= FIELD_MANAGER_MAX)
    return 0;
  return error_set(err, EINVAL, "a field manager is 1 to %d printable characters", FIELD_MANAGER_MAX);
}

int kube_apply(struct kube_client *client, const struct kube_ref *ref, const json_t *object,
               const struct kube_apply_options *options, const struct kube_call *call, json_t **ret_object,
               struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

  int r = check_manager(options->field_manager, err);
  if (r == 0 && !ref->name)
    r = error_set(err, EINVAL, "apply: the object needs a name");
  if (r == 0)
    r = kube_path_append(&path, ref, err);
  if (r < 0)
    return r;
  kube_query_append(&path, "fieldManager", options->field_manager);
  kube_query_append(&path, "force", options->force ? "true" : "false");
  kube_query_append(&path, "dryRun", options->dry_run ? "All" : NULL);
  struct kube_request request = {.verb = options->exists ? "patch" : "apply",
                                 .ref = ref,
                                 .method = "PATCH",
                                 .path = strbuf_text(&path),
                                 .content_type = "application/apply-patch+yaml", /* every JSON text is YAML */
                                 .idempotent = true};
  return send_body(client, &request, object, call, ret_object, err);
}

int kube_merge(struct kube_client *client, const struct kube_ref *ref, const json_t *patch, const char *manager,
               const struct kube_call *call, json_t **ret_object, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

  int r = check_manager(manager, err);
  if (r == 0 && (!ref->name || !kube_object_version(patch)))
    r = error_set(err, EINVAL, "merge: the object needs a name, and the patch a metadata.resourceVersion");
  if (r == 0)
    r = kube_path_append(&path, ref, err);
  if (r < 0)
    return r;
  kube_query_append(&path, "fieldManager", manager);
  struct kube_request request = {.verb = "patch",
                                 .ref = ref,
                                 .method = "PATCH",
                                 .path = strbuf_text(&path),
                                 .content_type = "application/merge-patch+json",
                                 .idempotent = true};
  return send_body(client, &request, patch, call, ret_object, err);
}

static json_t *delete_body(const struct kube_delete_options *options) {
  static const char *const policies[] = {[KUBE_PROPAGATION_BACKGROUND] = "Background",
                                         [KUBE_PROPAGATION_FOREGROUND] = "Foreground",
                                         [KUBE_PROPAGATION_ORPHAN] = "Orphan"};
  json_t *preconditions = json_pack("{s:s*, s:s*}", "uid", options->uid, "resourceVersion", options->resource_version);

  return json_pack("{s:s, s:s, s:o, s:s*}", "kind", "DeleteOptions", "apiVersion", "v1", "preconditions", preconditions,
                   "propagationPolicy", policies[options->propagation]);
}

int kube_delete(struct kube_client *client, const struct kube_ref *ref, const struct kube_delete_options *options,
                const struct kube_call *call, struct error **err) {
  static const struct kube_delete_options none;
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  unsigned tries = 0;

  int r = ref->name ? kube_path_append(&path, ref, err) : error_set(err, EINVAL, "delete: a name is needed");
  if (r < 0)
    return r;
  json_t *body = delete_body(options ? options : &none);
  char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
  json_decref(body);
  if (!text)
    return error_set(err, ENOMEM, "delete: out of memory");
  const struct kube_request request = {.verb = "delete",
                                       .ref = ref,
                                       .method = "DELETE",
                                       .path = strbuf_text(&path),
                                       .body = text,
                                       .body_length = strlen(text),
                                       .idempotent = true};
  r = kube_send_object(client, &request, call, NULL, &tries, err);
  free(text);
  if (r == -ENOENT && tries > 1 && options && options->uid) {
    error_free(err ? take(*err) : NULL); /* an earlier try did it, whose answer was lost */
    r = 0;
  }
  return r;
}

int kube_raw(struct kube_client *client, const struct kube_raw *raw, const struct kube_call *call,
             struct http_response *ret_response, struct error **err) {
  bool reading = strcmp(raw->method, "GET") == 0 || strcmp(raw->method, "HEAD") == 0;
  const struct kube_request request = {.verb = raw->method,
                                       .method = raw->method,
                                       .path = raw->path,
                                       .content_type = raw->content_type,
                                       .body = raw->body,
                                       .body_length = raw->body_length,
                                       .response_max = raw->response_max,
                                       .idempotent = raw->idempotent || reading};

  if (raw->path[0] != '/')
    return error_set(err, EINVAL, "%s: a path begins with /", raw->method);
  return kube_send(client, &request, call, ret_response, NULL, err);
}
