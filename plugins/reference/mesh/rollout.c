#include "plugins/reference/mesh/rollout.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/series.h"
#include "plugins/reference/mesh/sidecar.h"
#include "plugins/reference/mesh/workload.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"

/* Whoever declares or asks something, until all sidecars have answered. */
struct wait {
  unsigned waiting;
  char *problem; /* the first one; NULL: none */
  char namespace[LIMIT_NAMESPACE + 1];
  rollout_done *done;
  void *context;
};

enum request_kind {
  REQUEST_CHANGE,
  REQUEST_KEY,      /* its answer makes a REQUEST_IDENTITY */
  REQUEST_IDENTITY, /* the sidecar has joined once the requests before the next one are answered */
  REQUEST_SERIES,
};

struct request {
  STAILQ_ENTRY(request) entry;
  enum request_kind kind;
  enum evhttp_cmd_type command;
  char *path;
  char *body; /* NULL: none */
  struct wait *wait;
};
STAILQ_HEAD(request_queue, request);

enum sidecar_state {
  SIDECAR_JOINING,
  SIDECAR_JOINED,
  SIDECAR_LOST, /* it did not answer: joins anew, and nobody waits for it */
  SIDECAR_LEAVING,
};

struct sidecar {
  LIST_ENTRY(sidecar) entry;
  struct rollout *rollout;
  char *namespace, *name; /* of its workload */
  char address[INET_ADDRSTRLEN];
  enum sidecar_state state;
  struct evhttp_connection *connection;
  struct request_queue queue; /* the first is on its way when `busy` */
  bool busy;
  unsigned failures; /* in a row, while it joins */
  int64_t certified_s;
  struct event *tick;
};
LIST_HEAD(sidecar_list, sidecar);

struct rollout {
  struct mesh *mesh;
  struct sidecar_list sidecars;
  struct event *renewal;
};

/* ---- waits */

static struct wait *wait_create(const char *namespace, rollout_done *done, void *context) {
  struct wait *wait = calloc(1, sizeof *wait);
  if (!wait)
    return NULL;
  wait->waiting = 1; /* whoever makes it, until all requests are queued */
  wait->done = done;
  wait->context = context;
  (void)snprintf(wait->namespace, sizeof wait->namespace, "%s", namespace);
  return wait;
}

static void wait_release(struct wait *wait, const struct sidecar *sidecar, const char *problem) {
  if (!wait)
    return;
  bool concerned = sidecar && (!*wait->namespace || strcmp(wait->namespace, sidecar->namespace) == 0);
  if (problem && concerned && !wait->problem &&
      asprintf(&wait->problem, "the sidecar of %s/%s at %s:%d: %s", sidecar->namespace, sidecar->name, sidecar->address,
               SIDECAR_PORT, problem) < 0)
    wait->problem = NULL;
  if (--wait->waiting > 0)
    return;
  wait->done(wait->context, wait->problem);
  free(wait->problem);
  free(wait);
}

/* ---- requests */

static void request_destroy(struct request *request) {
  free(request->path);
  free(request->body);
  free(request);
}

/* Takes `body`. NULL without memory. */
static struct request *request_create(enum request_kind kind, enum evhttp_cmd_type command, const char *path,
                                      char *body) {
  struct request *request = calloc(1, sizeof *request);
  if (request && (request->path = strdup(path))) {
    request->kind = kind;
    request->command = command;
    request->body = body;
    return request;
  }
  free(request);
  free(body);
  return NULL;
}

static void send_next(struct sidecar *sidecar);

/* A request without memory is a sidecar that is not told: it begins anew. */
static void enqueue(struct sidecar *sidecar, struct request *request, struct wait *wait) {
  if (!request)
    return;
  if (wait) {
    request->wait = wait;
    wait->waiting++;
  }
  STAILQ_INSERT_TAIL(&sidecar->queue, request, entry);
}

static void drop_queue(struct sidecar *sidecar, const char *problem) {
  struct request *request;
  while ((request = STAILQ_FIRST(&sidecar->queue))) {
    STAILQ_REMOVE_HEAD(&sidecar->queue, entry);
    wait_release(request->wait, sidecar, problem);
    request_destroy(request);
  }
}

static void tick_in(struct sidecar *sidecar, int ms) {
  struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  (void)event_add(sidecar->tick, &time);
}

/* ---- joining */

static struct request *object_request(const char *path, const char *key, const json_t *body) {
  char target[STORE_KEY + 32];
  (void)snprintf(target, sizeof target, "/v1/%s/%s", path, key);
  return request_create(REQUEST_CHANGE, body ? EVHTTP_REQ_PUT : EVHTTP_REQ_DELETE, target,
                        body ? json_dumps(body, JSON_COMPACT) : NULL);
}

/* Everything that is declared, in an order in which nothing is open that is to be closed. */
static void enqueue_join(struct sidecar *sidecar, struct wait *wait) {
  static const char *const paths[] = {"enforcement", "permissions", "services", "splits", "workloads"};
  struct mesh *mesh = sidecar->rollout->mesh;
  enqueue(sidecar, request_create(REQUEST_CHANGE, EVHTTP_REQ_DELETE, "/v1/state", NULL), wait);
  enqueue(sidecar, request_create(REQUEST_KEY, EVHTTP_REQ_GET, "/v1/identity", NULL), wait);
  for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) {
    const struct table *table = resource_kind_find(paths[k])->table(mesh);
    for (size_t i = 0; i < table->count; i++)
      enqueue(sidecar, object_request(paths[k], table->entries[i].key, table->entries[i].body), wait);
  }
}

/* The certificate for the key that the sidecar showed, next in its queue. */
static int certify(struct sidecar *sidecar, const json_t *answer, struct wait *wait, struct error **err) {
  struct mesh *mesh = sidecar->rollout->mesh;
  const char *key = json_string_value(json_object_get(answer, "publicKey"));
  const struct workload *workload = store_workload(&mesh->store, sidecar->namespace, sidecar->name);
  _cleanup_free_ char *issuer = NULL, *certificate = NULL;
  if (!key || !workload)
    return error_set(err, EPROTO, "it shows no public key");
  struct account account = workload_account(workload);
  int r = authority_certificate(mesh->authority, &issuer, err);
  if (r == 0)
    r = authority_certify(mesh->authority, key, &account, sidecar->name, &certificate, err);
  if (r < 0)
    return r;
  json_t *body = json_pack("{s:s, s:s}", "issuer", issuer, "certificate", certificate);
  struct request *request = request_create(REQUEST_IDENTITY, EVHTTP_REQ_PUT, "/v1/identity", json_dumps(body, 0));
  json_decref(body);
  if (!request)
    return error_set(err, ENOMEM, "no memory");
  request->wait = wait;
  if (wait)
    wait->waiting++;
  STAILQ_INSERT_HEAD(&sidecar->queue, request, entry);
  return 0;
}

/* ---- answers */

static void lose(struct sidecar *sidecar, const char *problem) {
  drop_queue(sidecar, problem);
  if (sidecar->state != SIDECAR_LEAVING)
    sidecar->state = SIDECAR_LOST;
  tick_in(sidecar, sidecar->state == SIDECAR_LEAVING ? 0 : SIDECAR_REJOIN_MS);
}

/* One that is just starting may not listen yet. */
static void fail(struct sidecar *sidecar) {
  if (sidecar->state == SIDECAR_JOINING && ++sidecar->failures < SIDECAR_JOIN_TRIES)
    tick_in(sidecar, SIDECAR_RETRY_MS);
  else
    lose(sidecar, "it does not answer");
}

/* 0, or what is wrong with the answer. */
static int take_answer(struct sidecar *sidecar, const struct request *request, int status, const json_t *answer,
                       struct error **err) {
  const char *reason = json_string_value(json_object_get(answer, "error"));
  bool gone = request->command == EVHTTP_REQ_DELETE && status == HTTP_NOTFOUND;
  if (status != HTTP_OK && !gone)
    return error_set(err, EIO, "%s was answered with %d: %s", request->path, status, reason ? reason : "");
  switch (request->kind) {
  case REQUEST_KEY:
    return certify(sidecar, answer, request->wait, err);
  case REQUEST_IDENTITY:
    sidecar->certified_s = clock_realtime_s();
    return 0;
  case REQUEST_SERIES:
    return series_take(sidecar->rollout->mesh, answer) < 0 ? error_set(err, EPROTO, "what it counted can't be read")
                                                           : 0;
  case REQUEST_CHANGE:
    break;
  }
  return 0;
}

static json_t *answer_body(struct evhttp_request *http) {
  struct evbuffer *in = evhttp_request_get_input_buffer(http);
  size_t length = evbuffer_get_length(in);
  const char *data = length ? (const char *)evbuffer_pullup(in, -1) : NULL;
  return data ? json_loadb(data, length, 0, NULL) : NULL;
}

static void on_answer(struct evhttp_request *http, void *context) {
  struct sidecar *sidecar = context;
  struct request *request = STAILQ_FIRST(&sidecar->queue);
  int status = http ? evhttp_request_get_response_code(http) : 0;
  sidecar->busy = false;
  if (!request)
    return;
  if (status == 0) {
    fail(sidecar);
    return;
  }
  _cleanup_error_ struct error *err = NULL;
  json_t *answer = answer_body(http);
  STAILQ_REMOVE_HEAD(&sidecar->queue, entry);
  sidecar->failures = 0;
  int r = take_answer(sidecar, request, status, answer, &err);
  json_decref(answer);
  wait_release(request->wait, sidecar, r < 0 ? error_message(err) : NULL);
  bool vital = request->kind == REQUEST_KEY || request->kind == REQUEST_IDENTITY || sidecar->state == SIDECAR_JOINING;
  request_destroy(request);
  if (r < 0 && vital)
    lose(sidecar, error_message(err));
  else
    tick_in(sidecar, 0); /* not from within the connection's own call */
}

/* ---- sending */

static bool fill(struct evhttp_request *http, const struct sidecar *sidecar, const struct request *request) {
  struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
  if (evhttp_add_header(headers, "Host", sidecar->address) < 0)
    return false;
  if (!request->body)
    return true;
  return evhttp_add_header(headers, "Content-Type", "application/json") == 0 &&
         evbuffer_add(evhttp_request_get_output_buffer(http), request->body, strlen(request->body)) == 0;
}

static void send_next(struct sidecar *sidecar) {
  const struct request *request = STAILQ_FIRST(&sidecar->queue);
  if (sidecar->busy || !request)
    return;
  struct evhttp_request *http = evhttp_request_new(on_answer, sidecar);
  if (!http || !fill(http, sidecar, request)) {
    if (http)
      evhttp_request_free(http);
    lose(sidecar, "no memory for a request");
    return;
  }
  sidecar->busy = true;
  if (evhttp_make_request(sidecar->connection, http, request->command, request->path) < 0) { /* frees the request */
    sidecar->busy = false;
    fail(sidecar);
  }
}

static void sidecar_destroy(struct sidecar *sidecar) {
  drop_queue(sidecar, "it is gone");
  if (sidecar->connection)
    evhttp_connection_free(sidecar->connection);
  if (sidecar->tick)
    event_free(sidecar->tick);
  free(sidecar->namespace);
  free(sidecar->name);
  free(sidecar);
}

static void on_tick(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  struct sidecar *sidecar = context;
  if (sidecar->busy)
    return;
  if (STAILQ_EMPTY(&sidecar->queue)) {
    if (sidecar->state == SIDECAR_LEAVING) {
      LIST_REMOVE(sidecar, entry);
      sidecar_destroy(sidecar);
      return;
    }
    if (sidecar->state == SIDECAR_LOST) {
      enqueue_join(sidecar, NULL);
      sidecar->state = SIDECAR_JOINING;
      sidecar->failures = SIDECAR_JOIN_TRIES; /* the first failure loses it again */
    } else {
      sidecar->state = SIDECAR_JOINED;
    }
  }
  send_next(sidecar);
}

/* ---- who there is */

static struct sidecar *sidecar_create(struct rollout *rollout, const struct workload *workload) {
  struct sidecar *sidecar = calloc(1, sizeof *sidecar);
  if (!sidecar)
    return NULL;
  STAILQ_INIT(&sidecar->queue);
  sidecar->rollout = rollout;
  sidecar->namespace = strdup(workload->namespace);
  sidecar->name = strdup(workload->name);
  (void)inet_ntop(AF_INET, &workload->spec->inbound, sidecar->address, sizeof sidecar->address);
  sidecar->tick = event_new(rollout->mesh->base, -1, 0, on_tick, sidecar);
  sidecar->connection = evhttp_connection_base_new(rollout->mesh->base, NULL, sidecar->address, SIDECAR_PORT);
  if (!sidecar->namespace || !sidecar->name || !sidecar->tick || !sidecar->connection) {
    sidecar_destroy(sidecar);
    return NULL;
  }
  evhttp_connection_set_timeout(sidecar->connection, TIMEOUT_SIDECAR);
  evhttp_connection_set_max_body_size(sidecar->connection, LIMIT_SIDECAR_ANSWER);
  LIST_INSERT_HEAD(&rollout->sidecars, sidecar, entry);
  return sidecar;
}

static struct sidecar *find(const struct rollout *rollout, const struct resource_name *name) {
  struct sidecar *sidecar;
  LIST_FOREACH(sidecar, &rollout->sidecars, entry) {
    if (sidecar->state != SIDECAR_LEAVING && strcmp(sidecar->namespace, name->namespace) == 0 &&
        strcmp(sidecar->name, name->name) == 0)
      return sidecar;
  }
  return NULL;
}

/* Clears it, and forgets it once that is done. */
static void leave(struct sidecar *sidecar, struct wait *wait) {
  bool answers = sidecar->state == SIDECAR_JOINED || sidecar->busy;
  sidecar->state = SIDECAR_LEAVING;
  if (answers)
    enqueue(sidecar, request_create(REQUEST_CHANGE, EVHTTP_REQ_DELETE, "/v1/state", NULL), wait);
  else
    drop_queue(sidecar, NULL);
  tick_in(sidecar, 0);
}

static bool lives_at(const struct sidecar *sidecar, const struct workload *workload) {
  char address[INET_ADDRSTRLEN] = "";
  (void)inet_ntop(AF_INET, &workload->spec->inbound, address, sizeof address);
  return strcmp(address, sidecar->address) == 0;
}

/* The sidecars follow the workloads. A new one gets the change with all the rest: true. */
static bool follow(struct rollout *rollout, const struct resource_name *name, bool declared, struct wait *wait) {
  const struct workload *workload =
      declared ? store_workload(&rollout->mesh->store, name->namespace, name->name) : NULL;
  struct sidecar *sidecar = find(rollout, name);
  if (sidecar && (!workload || !lives_at(sidecar, workload))) {
    leave(sidecar, wait);
    sidecar = NULL;
  }
  if (sidecar || !workload)
    return false;
  sidecar = sidecar_create(rollout, workload);
  if (!sidecar)
    return false;
  enqueue_join(sidecar, wait);
  tick_in(sidecar, 0);
  return true;
}

/* ---- the whole */

void rollout_change(struct rollout *rollout, const struct resource_kind *kind, const struct resource_name *name,
                    const json_t *body, rollout_done *done, void *context) {
  struct wait *wait = wait_create(name->namespace, done, context);
  if (!wait) {
    done(context, "no memory");
    return;
  }
  bool workloads = strcmp(kind->path, "workloads") == 0;
  struct sidecar *newest = workloads && follow(rollout, name, body != NULL, wait) ? find(rollout, name) : NULL;
  struct sidecar *sidecar;
  LIST_FOREACH(sidecar, &rollout->sidecars, entry) {
    if (sidecar == newest || sidecar->state == SIDECAR_LOST || sidecar->state == SIDECAR_LEAVING)
      continue;
    enqueue(sidecar, object_request(kind->path, name->key, body), wait);
    tick_in(sidecar, 0);
  }
  wait_release(wait, NULL, NULL);
}

void rollout_gather(struct rollout *rollout, rollout_done *done, void *context) {
  struct wait *wait = wait_create("", done, context);
  if (!wait) {
    done(context, "no memory");
    return;
  }
  struct sidecar *sidecar;
  LIST_FOREACH(sidecar, &rollout->sidecars, entry) {
    if (sidecar->state == SIDECAR_LOST || sidecar->state == SIDECAR_LEAVING)
      continue;
    enqueue(sidecar, request_create(REQUEST_SERIES, EVHTTP_REQ_GET, "/v1/series", NULL), wait);
    tick_in(sidecar, 0);
  }
  wait_release(wait, NULL, NULL);
}

static void on_renewal(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  const struct rollout *rollout = context;
  int64_t now_s = clock_realtime_s();
  struct sidecar *sidecar;
  LIST_FOREACH(sidecar, &rollout->sidecars, entry) {
    if (sidecar->state != SIDECAR_JOINED ||
        (now_s >= sidecar->certified_s && now_s - sidecar->certified_s < CERTIFICATE_RENEWAL))
      continue;
    enqueue(sidecar, request_create(REQUEST_KEY, EVHTTP_REQ_GET, "/v1/identity", NULL), NULL);
    tick_in(sidecar, 0);
  }
}

int rollout_create(struct mesh *mesh, struct rollout **ret_rollout, struct error **err) {
  struct rollout *rollout = calloc(1, sizeof *rollout);
  if (!rollout)
    return error_set(err, ENOMEM, "no memory for the sidecars");
  rollout->mesh = mesh;
  LIST_INIT(&rollout->sidecars);
  rollout->renewal = event_new(mesh->base, -1, EV_PERSIST, on_renewal, rollout);
  if (!rollout->renewal || event_add(rollout->renewal, &(struct timeval){.tv_sec = RENEWAL_CHECK}) < 0) {
    rollout_destroy(rollout);
    return error_set(err, ENOMEM, "no memory for the sidecars");
  }
  *ret_rollout = rollout;
  return 0;
}

void rollout_destroy(struct rollout *rollout) {
  if (!rollout)
    return;
  struct sidecar *sidecar;
  while ((sidecar = LIST_FIRST(&rollout->sidecars))) {
    LIST_REMOVE(sidecar, entry);
    sidecar_destroy(sidecar);
  }
  if (rollout->renewal)
    event_free(rollout->renewal);
  free(rollout);
}
