#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "host/transport/kube/client_internal.h"
#include "sdk/base/clock.h"

#define HEADERS_MAX (KUBECONFIG_ARGUMENTS_MAX + 8) /* with one for each group */
#define RETRY_AFTER_MOST_S 3600

/* One request, while it is tried. */
struct sending {
  struct kube_client *client;
  const struct kube_request *request;
  int64_t deadline_ns;
  const atomic_bool *cancel;
  unsigned tries;
  unsigned broken; /* answers 500 that did not say to come back */
  bool renewed;    /* credentials were, after a 401 */
};

int64_t kube_backoff_ns(unsigned tries) {
  unsigned doublings = tries > 0 ? tries - 1 : 0;
  int64_t most_ns = doublings < 7 ? KUBE_BACKOFF_FIRST_NS << doublings : KUBE_BACKOFF_MOST_NS;
  uint32_t random = 0;

  if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
    random = (uint32_t)clock_monotonic_ns(); /* only spreads clients in time */
  return most_ns - ((int64_t)(random >> 8) * (most_ns / 2) >> 24);
}

static char *header(const char *name, const char *value) {
  char *line = NULL;

  return asprintf(&line, "%s: %s", name, value) < 0 ? NULL : line;
}

/* Heap strings, NULL-terminated; NULL without memory. Over plain http nothing secret is sent. */
static char **make_headers(const struct kube_client *client, const struct credential *credential) {
  const struct kube_config *config = client->config;
  bool secure = strncasecmp(config->server, "https://", 8) == 0;
  char **lines = calloc(HEADERS_MAX, sizeof(*lines));
  size_t count = 0;
  bool good = lines != NULL;

  if (good)
    good = (lines[count++] = strdup("Accept: application/json")) != NULL;
  if (good && secure && credential->authorization)
    good = (lines[count++] = strdup(credential->authorization)) != NULL;
  if (good && config->impersonate_user)
    good = (lines[count++] = header("Impersonate-User", config->impersonate_user)) != NULL;
  if (good && config->impersonate_uid)
    good = (lines[count++] = header("Impersonate-Uid", config->impersonate_uid)) != NULL;
  for (char **group = config->impersonate_groups; good && group && *group && count < HEADERS_MAX - 1; group++)
    good = (lines[count++] = header("Impersonate-Group", *group)) != NULL;
  return lines;
}

static void headers_free(char **lines) {
  for (char **line = lines; line && *line; line++) {
    explicit_bzero(*line, strlen(*line));
    free(*line);
  }
  free(lines);
}

static int send_on(struct sending *s, struct http_client *http, const struct credential *credential,
                   struct http_response *response, struct error **err) {
  const struct kube_request *request = s->request;
  _cleanup_strbuf_ struct strbuf url = STRBUF_INIT;
  int64_t try_ns = clock_in_ns(KUBE_TRY_TIMEOUT_NS);
  bool alone = request->on_data || !request->idempotent;
  char **headers = make_headers(s->client, credential);

  strbuf_printf(&url, "%s%s", s->client->config->server, request->path);
  const struct http_request http_request = {
      .method = request->method,
      .url = strbuf_text(&url),
      .content_type = request->content_type,
      .body = request->body,
      .body_length = request->body_length,
      .response_max = request->response_max ? request->response_max : KUBE_ANSWER_MAX,
      .deadline_ns = alone || s->deadline_ns < try_ns ? s->deadline_ns : try_ns,
      .cancel = s->cancel,
      .once = !request->idempotent,
      .headers = (const char *const *)headers,
      .on_data = request->on_data,
      .data_ctx = request->data_ctx,
  };
  int r = headers && !strbuf_failed(&url) ? http_client_send(http, &http_request, response, err)
                                          : error_set(err, ENOMEM, "out of memory for a request");
  headers_free(headers);
  return r;
}

static int send_once(struct sending *s, struct http_response *response, uint64_t *generation, struct error **err) {
  struct credential credential = {0};
  struct http_client *http = NULL;

  int r = credentials_get(s->client->credentials, s->deadline_ns, s->cancel, &credential, err);
  if (r < 0)
    return r;
  *generation = credential.generation;
  r = connection_take(s->client, &credential, &http, err);
  if (r == 0) {
    r = send_on(s, http, &credential, response, err);
    s->tries++;
    connection_give_back(s->client, http, credential.identity, r == 0);
  }
  credential_finish(&credential);
  return r;
}

/* Before a 429 the server has done nothing (it is the answer of its own queue), and on a refused connection neither. */
static bool may_repeat(const struct sending *s, int r, unsigned status) {
  bool untouched = (r == 0 && status == 429) || r == -ECONNREFUSED || r == -EHOSTUNREACH;
  bool passing = untouched || (r == 0 && (status == 500 || (status >= 502 && status <= 504))) || r == -ECONNRESET ||
                 (r == -ETIMEDOUT && clock_monotonic_ns() < s->deadline_ns);

  return passing && (untouched || s->request->idempotent) && !s->request->on_data;
}

/* A 500 with Retry-After is a server that is busy inside (k8s.io/apimachinery, NewServerTimeout). One without is often
 * about the object: a webhook or a conversion that fails, which it does each time. */
static bool is_broken(int r, const struct http_response *response) {
  return r == 0 && response->status == 500 && response->retry_after_s == 0;
}

/* Whether to try again, after the wait that is due. */
static bool wait_to_repeat(struct sending *s, int r, const struct http_response *response) {
  s->broken += is_broken(r, response);
  if (s->tries >= s->client->tries || s->broken >= KUBE_TRIES_BROKEN || !may_repeat(s, r, response->status))
    return false;
  int64_t delay_ns = kube_backoff_ns(s->tries);
  int64_t asked_s = r == 0 ? response->retry_after_s : 0;
  if (asked_s > RETRY_AFTER_MOST_S)
    return false;
  if (asked_s * NS_PER_SECOND > delay_ns)
    delay_ns = asked_s * NS_PER_SECOND;
  if (clock_in_ns(delay_ns) >= s->deadline_ns)
    return false;
  return limiter_wait(delay_ns, s->cancel) == 0;
}

static int wait_for_turn(struct sending *s, struct error **err) {
  int64_t wait_ns = limiter_reserve(&s->client->limiter, clock_monotonic_ns(), s->deadline_ns);

  if (wait_ns < 0)
    return error_set(err, ETIMEDOUT,
                     "the client's own limit of requests per second leaves no room before the "
                     "deadline");
  if (wait_ns > 0 && limiter_wait(wait_ns, s->cancel) < 0)
    return error_set(err, ECANCELED, "cancelled");
  return 0;
}

static int try_until_done(struct sending *s, struct http_response *response, struct error **err) {
  for (;;) {
    uint64_t generation = 0;
    int r = wait_for_turn(s, err);
    if (r < 0)
      return r;
    unsigned before = s->tries;
    r = send_once(s, response, &generation, err);
    if (s->tries == before)
      return r; /* there was nothing to send */
    bool again = false;
    if (r == 0 && response->status == 401 && !s->renewed)
      again = s->renewed = credentials_refused(s->client->credentials, generation);
    again = again || wait_to_repeat(s, r, response);
    if (!again)
      return r;
    if (r == 0)
      http_response_finish(response);
  }
}

int kube_error_pass(struct error **err, struct error **own) {
  int code = error_code(*own);

  if (err) {
    error_free(*err);
    *err = take(*own);
  }
  return code > 0 ? -code : -EIO;
}

/* "get pods demo/web: GET https://...: connection refused". */
static int wrap(const struct kube_request *request, unsigned tries, struct error **err) {
  _cleanup_strbuf_ struct strbuf what = STRBUF_INIT;

  if (request->ref)
    kube_ref_describe(&what, request->ref);
  else
    strbuf_printf(&what, "%.*s", (int)strcspn(request->path, "?"), request->path);
  if (tries > 1)
    strbuf_printf(&what, " (tried %u times)", tries);
  return error_wrap(err, "%s %s", request->verb, strbuf_text(&what));
}

int kube_send(struct kube_client *client, const struct kube_request *request, const struct kube_call *call,
              struct http_response *ret_response, unsigned *ret_tries, struct error **err) {
  static const struct kube_call plain;
  _cleanup_error_ struct error *own = NULL;
  struct http_response response = {0};

  call = call ? call : &plain;
  if (call->failure)
    kube_failure_finish(call->failure);
  struct sending sending = {
      .client = client,
      .request = request,
      .deadline_ns = call->deadline_ns > 0 ? call->deadline_ns : clock_in_ns(KUBE_TIMEOUT_DEFAULT_NS),
      .cancel = call->cancel,
  };
  int r = try_until_done(&sending, &response, &own);
  if (ret_tries)
    *ret_tries = sending.tries;
  if (r == 0) {
    *ret_response = response;
    return 0;
  }
  (void)wrap(request, sending.tries, &own);
  return kube_error_pass(err, &own);
}

static int parse(const struct kube_request *request, const struct http_response *response, json_t **ret_object,
                 struct error **err) {
  json_error_t reason;
  json_t *object = json_loadb(response->body, response->body_length, JSON_REJECT_DUPLICATES, &reason);

  if (!json_is_object(object)) {
    json_decref(object);
    return error_set(err, EIO, "%s %.*s: the answer is no JSON object%s; is this a Kubernetes API server?",
                     request->verb, (int)strcspn(request->path, "?"), request->path,
                     response->body_length == 0 ? ", but empty" : "");
  }
  *ret_object = object;
  return 0;
}

int kube_send_object(struct kube_client *client, const struct kube_request *request, const struct kube_call *call,
                     json_t **ret_object, unsigned *ret_tries, struct error **err) {
  struct http_response response = {0};

  int r = kube_send(client, request, call, &response, ret_tries, err);
  if (r < 0)
    return r;
  if (response.status < 200 || response.status > 299)
    r = kube_failure_read(request->verb, request->ref, request->path, &response, call ? call->failure : NULL, err);
  else if (ret_object)
    r = parse(request, &response, ret_object, err);
  http_response_finish(&response);
  return r;
}
