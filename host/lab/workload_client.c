#include "host/lab/workload_client.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/engine/patience.h"
#include "host/transport/kube/client.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

#define CONTROL_URL_MAX 400
#define CONTROL_TIMEOUT_NS (10 * NS_PER_SECOND)

struct workload_client {
  struct http_client *http;
  struct kube_client *kube;      /* in place of `http`: `url` is a path there */
  char url[CONTROL_URL_MAX + 1]; /* without a slash at its end */
};

static int create(struct kube_client *kube, const char *control_url, struct workload_client **ret_client,
                  struct error **err) {
  size_t length = strlen(control_url);
  while (length > 0 && control_url[length - 1] == '/')
    length--;
  if (length == 0 || length > CONTROL_URL_MAX)
    return error_set(err, EINVAL, "a workload's control URL must have 1 to %d characters, not %zu", CONTROL_URL_MAX,
                     length);
  struct workload_client *client = calloc(1, sizeof(*client));
  if (!client)
    return error_set(err, ENOMEM, "out of memory for a workload's client");
  (void)snprintf(client->url, sizeof(client->url), "%.*s", (int)length, control_url);
  if (kube) {
    client->kube = kube;
    *ret_client = client;
    return 0;
  }
  int r = http_client_create(&client->http, err);
  if (r < 0) {
    free(client);
    return r;
  }
  *ret_client = client;
  return 0;
}

int workload_client_create(const char *control_url, struct workload_client **ret_client, struct error **err) {
  return create(NULL, control_url, ret_client, err);
}

int workload_client_create_proxied(struct kube_client *kube, const char *path, struct workload_client **ret_client,
                                   struct error **err) {
  return create(kube, path, ret_client, err);
}

void workload_client_destroy(struct workload_client *client) {
  if (!client)
    return;
  http_client_destroy(client->http);
  free(client);
}

/* When a batch is done at the latest, each of its calls timing out, and some time to answer. */
static int64_t batch_deadline_ns(const struct call_batch *batch) {
  int64_t concurrency = batch->concurrency > 0 ? batch->concurrency : 1;
  int64_t timeout_ms = batch->timeout_ms > 0 ? batch->timeout_ms : WORKLOAD_TIMEOUT_DEFAULT_MS;
  int64_t rounds = (int64_t)batch->count / concurrency + 1;
  for (int64_t begun = 1; begun < concurrency; begun *= 2) /* they begin with one, and double */
    rounds++;
  int64_t calls_ns = rounds * timeout_ms * 1000000 + (int64_t)batch->count * batch->spacing_us * 1000;
  return clock_in_ns(calls_ns + CONTROL_TIMEOUT_NS);
}

/* What the workload said was wrong, or the start of what it said. */
static int refused(const struct workload_client *client, const char *path, const struct http_response *response,
                   struct error **err) {
  json_t *json = json_loadb(response->body, response->body_length, 0, NULL);
  const char *reason = json_string_value(json_object_get(json, "error"));
  int code = response->status == 400   ? EINVAL
             : response->status == 409 ? EADDRINUSE
             : response->status == 413 ? E2BIG
             : response->status == 429 ? EBUSY
                                       : EIO;
  int r = error_set(err, code, "the workload at %s answered %s with status %u: %.300s", client->url, path,
                    response->status, reason ? reason : response->body);
  json_decref(json);
  return r;
}

/* Whatever way it goes. What only asks, or sets what it sets, may be sent again. */
static int send_control(const struct workload_client *client, const struct http_request *request,
                        struct http_response *ret_response, struct error **err) {
  if (!client->kube)
    return http_client_send(client->http, request, ret_response, err);
  const struct kube_raw raw = {.method = request->method,
                               .path = request->url,
                               .body = request->body,
                               .body_length = request->body_length,
                               .idempotent = strcmp(request->method, "POST") != 0};
  const struct kube_call call = {.deadline_ns = request->deadline_ns, .cancel = request->cancel};
  return kube_raw(client->kube, &raw, &call, ret_response, err);
}

/* Sends, expects 200 and a JSON object: a new reference. `body` may be NULL; `ret_json` too, for any answer. */
static int control(struct workload_client *client, const char *method, const char *path, const char *body,
                   int64_t deadline_ns, const atomic_bool *cancel, json_t **ret_json, struct error **err) {
  char url[CONTROL_URL_MAX + 512];
  (void)snprintf(url, sizeof(url), "%s%s", client->url, path);
  struct http_request request = {.method = method,
                                 .url = url,
                                 .body = body,
                                 .body_length = body ? strlen(body) : 0,
                                 .deadline_ns =
                                     deadline_ns > 0 ? deadline_ns : patience_deadline_ns(CONTROL_TIMEOUT_NS),
                                 .cancel = cancel};
  struct http_response response = {0};
  int r = send_control(client, &request, &response, err);
  if (r < 0)
    return error_wrap(err, "asking the workload at %s", client->url);
  json_error_t problem;
  json_t *json = NULL;
  if (response.status != 200)
    r = refused(client, path, &response, err);
  else if (ret_json && !(json = json_loadb(response.body, response.body_length, 0, &problem)))
    r = error_set(err, EPROTO, "the workload at %s answered %s with something that is not JSON: %s", client->url, path,
                  problem.text);
  http_response_finish(&response);
  if (r == 0 && ret_json)
    *ret_json = json;
  return r;
}

static int no_memory(struct error **err) {
  return error_set(err, ENOMEM, "out of memory for a workload's request");
}

static int add_headers(json_t *json, const struct call_batch *batch) {
  json_t *list = json_array();
  int r = json_object_set_new(json, "headers", list);
  for (size_t i = 0; r == 0 && i < batch->header_count; i++)
    r = json_array_append_new(list, json_pack("[s,s]", batch->headers[i].name, batch->headers[i].value));
  return r;
}

static int add_unsigned(json_t *json, const char *name, unsigned value) {
  return value > 0 ? json_object_set_new(json, name, json_integer(value)) : 0;
}

/* A heap string; NULL without memory or when a text is not UTF-8. */
static char *batch_encode(const struct call_batch *batch) {
  json_t *json = json_pack("{s:s,s:s,s:s,s:i,s:b,s:s*,s:s*,s:s*,s:s*,s:s*}", "id", batch->id, "protocol",
                           call_protocol_name(batch->protocol), "address", batch->address, "port", (int)batch->port,
                           "fresh", batch->fresh, "host", batch->host, "method", batch->method, "path", batch->path,
                           "body", batch->body, "keep", batch->keep);
  char *text = NULL;
  if (json && (batch->header_count == 0 || add_headers(json, batch) == 0) &&
      add_unsigned(json, "count", batch->count) == 0 && add_unsigned(json, "concurrency", batch->concurrency) == 0 &&
      add_unsigned(json, "spacing_us", batch->spacing_us) == 0 &&
      add_unsigned(json, "timeout_ms", batch->timeout_ms) == 0)
    text = json_dumps(json, JSON_COMPACT);
  json_decref(json);
  return text;
}

static void copy_text(char *field, size_t size, const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  (void)snprintf(field, size, "%s", text ? text : "");
}

static int outcome_decode(const json_t *json, struct call_outcome *ret_outcome) {
  const char *end = json_string_value(json_object_get(json, "end"));
  json_int_t status = json_integer_value(json_object_get(json, "status"));
  ret_outcome->end = end ? call_end_of(end) : 0;
  if (ret_outcome->end == 0 || status < 0 || status > 999)
    return -EPROTO;
  ret_outcome->status = (unsigned)status;
  copy_text(ret_outcome->nonce, sizeof(ret_outcome->nonce), json, "nonce");
  copy_text(ret_outcome->server, sizeof(ret_outcome->server), json, "server");
  copy_text(ret_outcome->error, sizeof(ret_outcome->error), json, "error");
  ret_outcome->latency_ns = json_integer_value(json_object_get(json, "latency_ns"));
  return 0;
}

static int outcomes_decode(const struct workload_client *client, const json_t *json, unsigned count,
                           struct call_outcome **ret_outcomes, struct error **err) {
  const json_t *list = json_object_get(json, "outcomes");
  if (json_array_size(list) != count)
    return error_set(err, EPROTO, "the workload at %s answered %zu outcomes for %u calls", client->url,
                     json_array_size(list), count);
  _cleanup_free_ struct call_outcome *outcomes = calloc(count, sizeof(*outcomes));
  if (!outcomes)
    return no_memory(err);
  for (size_t i = 0; i < count; i++)
    if (outcome_decode(json_array_get(list, i), &outcomes[i]) < 0)
      return error_set(err, EPROTO, "the workload at %s answered an outcome that is none, of call %zu", client->url, i);
  *ret_outcomes = take(outcomes);
  return 0;
}

int workload_call(struct workload_client *client, const struct call_batch *batch, int64_t deadline_ns,
                  const atomic_bool *cancel, struct call_outcome **ret_outcomes, struct error **err) {
  unsigned count = batch->count > 0 ? batch->count : 1;
  if (!call_protocol_name(batch->protocol))
    return error_set(err, EINVAL, "a batch for the workload at %s has no protocol", client->url);
  _cleanup_free_ char *body = batch_encode(batch);
  if (!body)
    return error_set(err, EINVAL, "a batch for the workload at %s cannot be written as JSON: is all of it UTF-8?",
                     client->url);
  json_t *json = NULL;
  int64_t longest_ns = batch_deadline_ns(batch); /* a workload that hangs is not waited for much longer than that */
  if (deadline_ns == 0 || longest_ns < deadline_ns)
    deadline_ns = longest_ns;
  int r = control(client, "POST", "/v1/calls", body, deadline_ns, cancel, &json, err);
  if (r < 0)
    return r;
  r = outcomes_decode(client, json, count, ret_outcomes, err);
  json_decref(json);
  return r;
}

static int received_decode(const json_t *json, struct received *ret_received) {
  const char *id = json_string_value(json_array_get(json, 0));
  const char *nonce = json_string_value(json_array_get(json, 1));
  json_int_t port = json_integer_value(json_array_get(json, 2));
  if (!id || !nonce || strlen(nonce) != NONCE_LENGTH || port < 1 || port > UINT16_MAX)
    return -EPROTO;
  (void)snprintf(ret_received->id, sizeof(ret_received->id), "%s", id);
  (void)snprintf(ret_received->nonce, sizeof(ret_received->nonce), "%s", nonce);
  ret_received->port = (uint16_t)port;
  return 0;
}

/* A record that is not whole proves nothing, so it is an error. */
static int record_decode(const struct workload_client *client, const json_t *json, struct received **ret_received,
                         size_t *ret_count, struct error **err) {
  const json_t *list = json_object_get(json, "received");
  json_int_t dropped = json_integer_value(json_object_get(json, "dropped"));
  size_t count = json_array_size(list);
  if (!json_is_array(list))
    return error_set(err, EPROTO, "the workload at %s answered no record", client->url);
  if (dropped > 0)
    return error_set(err, EOVERFLOW,
                     "the record of the workload at %s is full, %" JSON_INTEGER_FORMAT
                     " requests are not in it; reset it more often",
                     client->url, dropped);
  _cleanup_free_ struct received *received = calloc(count > 0 ? count : 1, sizeof(*received));
  if (!received)
    return no_memory(err);
  for (size_t i = 0; i < count; i++)
    if (received_decode(json_array_get(list, i), &received[i]) < 0)
      return error_set(err, EPROTO, "the workload at %s answered a record whose entry %zu is not [id, nonce, port]",
                       client->url, i);
  *ret_received = take(received);
  *ret_count = count;
  return 0;
}

int workload_received(struct workload_client *client, const char *id_prefix, struct received **ret_received,
                      size_t *ret_count, struct error **err) {
  char path[128];
  if (!call_id_valid(id_prefix, strlen(id_prefix)))
    return error_set(err, EINVAL, "the prefix \"%.80s\" is not of A-Z a-z 0-9 . _ -, at most %d", id_prefix,
                     CALL_ID_MAX);
  (void)snprintf(path, sizeof(path), "/v1/received?prefix=%s", id_prefix);
  json_t *json = NULL;
  int r = control(client, "GET", path, NULL, 0, NULL, &json, err);
  if (r < 0)
    return r;
  r = record_decode(client, json, ret_received, ret_count, err);
  json_decref(json);
  return r;
}

static const char *listener_protocol(enum call_protocol protocol) {
  return protocol == CALL_TCP ? "tcp" : protocol == CALL_UDP ? "udp" : "http";
}

static char *configuration_encode(const char *name, const char *address, const struct workload_listener *listeners,
                                  size_t count) {
  json_t *list = json_array();
  json_t *json = json_pack("{s:s,s:s,s:o}", "name", name, "address", address, "listeners", list);
  int r = json ? 0 : -1;
  for (size_t i = 0; r == 0 && i < count; i++)
    r = json_array_append_new(list, json_pack("{s:i,s:s}", "port", (int)listeners[i].port, "protocol",
                                              listener_protocol(listeners[i].protocol)));
  char *text = r == 0 ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  return text;
}

int workload_configure(struct workload_client *client, const char *name, const char *address,
                       const struct workload_listener *listeners, size_t count, struct error **err) {
  _cleanup_free_ char *body = configuration_encode(name, address, listeners, count);
  if (!body)
    return no_memory(err);
  json_t *json = NULL;
  int r = control(client, "PUT", "/v1/configuration", body, 0, NULL, &json, err);
  if (r == 0)
    json_decref(json);
  return r;
}

int workload_ready(struct workload_client *client, struct error **err) {
  json_t *json = NULL;
  int r = control(client, "GET", "/v1/ready", NULL, 0, NULL, &json, err);
  if (r == 0)
    json_decref(json);
  return r;
}

int workload_counters_clear(struct workload_client *client, struct error **err) {
  return control(client, "DELETE", "/metrics", NULL, 0, NULL, NULL, err);
}

int workload_requests_counted(struct workload_client *client, unsigned *ret_count, struct error **err) {
  json_t *json = NULL;
  int r = control(client, "GET", "/metrics", NULL, 0, NULL, &json, err);
  if (r < 0)
    return r;
  const json_t *list = json_object_get(json, "ReqReceived");
  if (json_is_array(list))
    *ret_count = (unsigned)json_array_size(list);
  else
    r = error_set(err, EPROTO, "the workload at %s answered no counters", client->url);
  json_decref(json);
  return r;
}
