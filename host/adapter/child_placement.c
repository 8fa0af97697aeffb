/* An instance in a child process. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "host/adapter/gate.h"
#include "host/adapter/op.h"
#include "host/adapter/output.h"
#include "host/adapter/placement.h"
#include "host/adapter/runner.h"
#include "host/adapter/runner_protocol.h"
#include "host/adapter/services.h"
#include "host/adapter/status.h"
#include "host/rpc/core/rpc.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/clock.h"
#include "trammel/adapter/v1/placement.pb-c.h"

#define PB(name) Trammel__Adapter__V1__##name

/* How long after the end of its call the end of a child is waited for, to tell that from an answer. */
#define END_NS (500 * NS_PER_MS)
/* A child that ran so long without trouble starts again at once. */
#define STEADY_NS (10 * NS_PER_SECOND)

struct child {
  struct runner runner;
  struct output *output;
  struct rpc_channel *channel;
  unsigned users; /* calls on it */
  bool broken;    /* no new calls; ended by its last user */
  int64_t started_ns;
};

struct child_placement {
  struct placement placement; /* first */
  const struct adapter_entry *entry;
  const struct adapter_http *http;
  char *config;
  pthread_mutex_t lock; /* guards what follows, and children's users */
  struct child *child;  /* NULL: none runs */
  unsigned ends;        /* one upon another */
  int64_t next_start_ns;
};

/* ---- a call on a child */

struct placed {
  const struct child_placement *placement;
  const struct placed_call *call;
  const struct call_options *options;
  int64_t deadline_ns;
  struct rpc_call *rpc;
  uint8_t *message; /* of a unary call */
  size_t length;
  unsigned messages;
  const char *sent; /* method of a request that may have changed the mesh; NULL: none */
  bool stopped;     /* by on_message */
};

static void from_adapter_free(PB(FromAdapter) * message) {
  if (message)
    trammel__adapter__v1__from_adapter__free_unpacked(message, NULL);
}
DEFINE_CLEANUP(PB(FromAdapter) *, from_adapter_free);

static int send_response(struct placed *placed, PB(HttpResponse) * response) {
  PB(ToAdapter) message = TRAMMEL__ADAPTER__V1__TO_ADAPTER__INIT;
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  message.body_case = TRAMMEL__ADAPTER__V1__TO_ADAPTER__BODY_HTTP;
  message.http = response;
  int r = message_pack(&message.base, &data, &length, NULL);
  return r < 0 ? r : rpc_send(placed->rpc, data, length);
}

static int refuse_request(struct placed *placed, int status, const char *reason) {
  PB(HttpResponse) response = TRAMMEL__ADAPTER__V1__HTTP_RESPONSE__INIT;
  response.error = (uint32_t)status;
  response.reason = (char *)(uintptr_t)reason;
  return send_response(placed, &response);
}

/* What the child sent is from outside: its own check of permissions does not count here. */
static int carry_out(struct placed *placed, const PB(HttpRequest) * request) {
  const struct adapter_http *http = placed->placement->http;
  const char *reason = NULL;
  if (permission_check(placed->placement->entry->description, request->endpoint, request->method, request->path,
                       &reason) < 0)
    return refuse_request(placed, TRAMMEL_PERMISSION_DENIED, reason ? reason : "it is not among the permissions");
  if (!http)
    return refuse_request(placed, TRAMMEL_FAILED_PRECONDITION, "the endpoint has no address");
  if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
    placed->sent = "a request that may have changed the mesh";
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *body = NULL;
  PB(HttpResponse) response = TRAMMEL__ADAPTER__V1__HTTP_RESPONSE__INIT;
  unsigned status = 0;
  size_t length = 0;
  int r = http->request(http->ctx, placed->options->user, request->endpoint, request->method, request->path,
                        *request->content_type ? request->content_type : NULL,
                        request->body.len ? request->body.data : NULL, request->body.len, placed->deadline_ns, &status,
                        &body, &length, &err);
  if (r < 0)
    return refuse_request(placed, http_status_of_errno(r), err ? error_message(err) : strerror(-r));
  response.status = status;
  response.body = (ProtobufCBinaryData){.data = (uint8_t *)body, .len = length};
  return send_response(placed, &response);
}

static void keep_diagnostic(struct placed *placed, const PB(CallDiagnostic) * from) {
  bool known = from->severity >= SEVERITY_INFO && from->severity <= SEVERITY_ERROR;
  const struct diagnostic diagnostic = {.severity = known ? (enum severity)from->severity : SEVERITY_ERROR,
                                        .code = from->code,
                                        .pointer = *from->pointer ? from->pointer : NULL,
                                        .summary = from->summary,
                                        .detail = *from->detail ? from->detail : NULL,
                                        .remedy = *from->remedy ? from->remedy : NULL};
  (void)diagnostics_add(placed->options->diagnostics, &diagnostic);
}

static int take_message(struct placed *placed, PB(FromAdapter) * from) {
  placed->messages++;
  if (placed->call->on_message) {
    placed->stopped = placed->call->on_message(placed->call->ctx, from->message.data, from->message.len) != 0;
    return placed->stopped ? -ECANCELED : 0;
  }
  if (placed->messages == 1) {
    placed->message = take(from->message.data);
    placed->length = from->message.len;
    from->message.len = 0;
  }
  return 0;
}

static int take_in(struct placed *placed, const uint8_t *data, size_t length, struct error **err) {
  ProtobufCMessage *unpacked = NULL;
  int r =
      message_unpack(&trammel__adapter__v1__from_adapter__descriptor, data, length, MESSAGE_MEMORY_MAX, &unpacked, err);
  if (r < 0)
    return r == -ENOMEM ? r : -EPROTO;
  _cleanup_(from_adapter_free_p) PB(FromAdapter) *message = (PB(FromAdapter) *)unpacked;
  switch (message->body_case) {
  case TRAMMEL__ADAPTER__V1__FROM_ADAPTER__BODY_MESSAGE:
    return take_message(placed, message);
  case TRAMMEL__ADAPTER__V1__FROM_ADAPTER__BODY_DIAGNOSTIC:
    keep_diagnostic(placed, message->diagnostic);
    return 0;
  case TRAMMEL__ADAPTER__V1__FROM_ADAPTER__BODY_HTTP:
    (void)carry_out(placed, message->http); /* whether it arrives shows at the end */
    return 0;
  default:
    return 0; /* a later version's */
  }
}

/* Until the call is over. 0, or why it was given up: then it is cancelled. */
static int converse(struct placed *placed, struct error **err) {
  int r = 0;
  for (;;) {
    _cleanup_free_ uint8_t *data = NULL;
    size_t length = 0;
    int got = rpc_receive(placed->rpc, placed->options->cancel, &data, &length);
    if (got == 0)
      return r;
    if (r == 0)
      r = got < 0 ? error_set(err, -got, "out of memory") : take_in(placed, data, length, err);
    if (r < 0)
      rpc_cancel(placed->rpc);
  }
}

static int begin(struct placed *placed, const struct child *child, struct error **err) {
  PB(CallRequest) request = TRAMMEL__ADAPTER__V1__CALL_REQUEST__INIT;
  PB(ToAdapter) message = TRAMMEL__ADAPTER__V1__TO_ADAPTER__INIT;
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  request.method = (char *)(uintptr_t)placed->call->method;
  request.request =
      (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)placed->call->request, .len = placed->call->length};
  request.streaming = placed->call->on_message != NULL;
  message.body_case = TRAMMEL__ADAPTER__V1__TO_ADAPTER__BODY_REQUEST;
  message.request = &request;
  int r = message_pack(&message.base, &data, &length, err);
  if (r == 0 && rpc_call_start(child->channel, PLACEMENT_CALL, placed->deadline_ns, data, length, &placed->rpc) < 0)
    r = error_set(err, ENOMEM, "out of memory");
  return r;
}

/* ---- children */

static void child_free(struct child *child) {
  rpc_channel_destroy(child->channel);
  runner_stop(&child->runner);
  output_destroy(child->output);
  free(child);
}

static int start_child(const struct adapter_entry *entry, struct child *child, struct error **err) {
  _cleanup_gate_ struct gate gate = {.fd = -1};
  int pair[2] = {-1, -1};
  int r = registry_open(entry, &gate, err);
  if (r < 0)
    return r;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
    return error_set(err, errno, "no socket for adapter %s: %s", entry->id, strerror(errno));
  _cleanup_close_ int theirs = pair[1];
  r = runner_start(&(struct runner_start){RUNNER_SERVE, entry->partly, gate.fd, theirs}, &child->runner, err);
  if (r == 0)
    r = output_create(entry->id, child->runner.output, &child->output, err);
  if (r < 0) {
    (void)close(pair[0]);
    return r;
  }
  child->started_ns = clock_monotonic_ns();
  return rpc_channel_create(pair[0], &child->channel, err);
}

/* What its end was, as the end of a message. */
static void describe_end(struct child *child, char *text, size_t size) {
  char said[OUTPUT_LAST_MAX + 1];
  output_last(child->output, said);
  const char *before = *said ? "; it wrote: " : "";
  if (WIFSIGNALED(child->runner.status)) {
    const char *name = sigabbrev_np(WTERMSIG(child->runner.status));
    (void)snprintf(text, size, "its process was killed by SIG%s%s%s", name ? name : "?", before, said);
  } else {
    (void)snprintf(text, size, "its process ended (exit status %d)%s%s", WEXITSTATUS(child->runner.status), before,
                   said);
  }
}

/* An end shows in the call a little before it shows in the process. */
static bool ended_soon(struct child *child) {
  struct pollfd fd = {child->runner.pidfd, POLLIN, 0};
  return child->runner.ended || poll(&fd, 1, (int)(END_NS / NS_PER_MS)) > 0;
}

static const char *effects(const struct placed *placed) {
  return placed->sent ? "; whether the mesh was changed is not known: it had sent a request that may have"
                      : "; it had sent nothing that changes the mesh";
}

static int tell_effects(const struct placed *placed, const char *why) {
  const struct diagnostic diagnostic = {.severity = SEVERITY_ERROR,
                                        .code = placed->sent ? "ADAPTER-0011" : "ADAPTER-0010",
                                        .detail =
                                            "The adapter runs in a process of its own; the next call starts a new "
                                            "one.",
                                        .remedy = placed->sent ? "look at what the mesh has before you try again"
                                                               : "try again, and tell the adapter's vendor"};
  return diagnostics_addf(placed->options->diagnostics, &diagnostic, "adapter %s: %s%s", placed->placement->entry->id,
                          why, effects(placed));
}

static const char *method_name(const struct placed_call *call) {
  return *call->method ? call->method : "create";
}

/* Judges a call that is over. Sets `*ret_broken` when the child is not to be used any more. */
static int judge(struct placed *placed, struct child *child, int r, bool *ret_broken, struct error **err) {
  const char *id = placed->placement->entry->id;
  const char *method = method_name(placed->call);
  struct rpc_status status;
  rpc_call_finish(placed->rpc, &status);
  _cleanup_free_ char *text = status.text;
  *ret_broken = false;
  if (r < 0) {
    *ret_broken = r == -EPROTO;
    return placed->stopped ? error_set(err, ECANCELED, "adapter %s: %s was cancelled", id, method)
                           : error_wrap(err, "adapter %s: %s", id, method);
  }
  if (status.code == TRAMMEL_OK) {
    if (placed->call->on_message || !*placed->call->method || placed->messages == 1)
      return 0;
    *ret_broken = true;
    return error_set(err, EPROTO, "adapter %s: %s sent %u messages, a unary method sends exactly one", id, method,
                     placed->messages);
  }
  if (status.code == TRAMMEL_UNAVAILABLE && ended_soon(child)) {
    char why[OUTPUT_LAST_MAX + 200];
    *ret_broken = true;
    (void)runner_has_ended(&child->runner);
    describe_end(child, why, sizeof why);
    (void)tell_effects(placed, why);
    return error_set(err, EIO, "adapter %s: %s: %s%s", id, method, why, effects(placed));
  }
  if (status.code == TRAMMEL_DEADLINE_EXCEEDED && clock_monotonic_ns() >= placed->deadline_ns) {
    *ret_broken = true; /* it may be at it for ever */
    return error_set(err, ETIMEDOUT, "adapter %s: %s did not answer in time; its process was ended%s", id, method,
                     effects(placed));
  }
  if (status.code == TRAMMEL_CANCELLED && placed->options->cancel && atomic_load(placed->options->cancel))
    return error_set(err, ECANCELED, "adapter %s: %s was cancelled", id, method);
  return error_set(err, status_errno(status.code), "%s", text ? text : "it failed without a reason");
}

static int call_child(struct child_placement *own, struct child *child, struct placed *placed, bool *ret_broken,
                      struct error **err) {
  (void)own;
  *ret_broken = false;
  int r = begin(placed, child, err);
  if (r < 0)
    return r;
  r = converse(placed, err);
  r = judge(placed, child, r, ret_broken, err);
  rpc_call_destroy(placed->rpc);
  return r;
}

/* Makes the instance in a new child. */
static int configure(struct child_placement *own, struct child *child, const struct call_options *options,
                     int64_t deadline_ns, struct error **err) {
  const struct placed_call call = {.method = "", .request = own->config, .length = strlen(own->config)};
  struct placed placed = {.placement = own, .call = &call, .options = options, .deadline_ns = deadline_ns};
  bool broken;
  int r = call_child(own, child, &placed, &broken, err);
  free(placed.message);
  return r;
}

static void back_off(struct child_placement *own) {
  int64_t wait_ns = CHILD_BACKOFF_MIN_NS;
  for (unsigned i = 1; i < own->ends && wait_ns < CHILD_BACKOFF_MAX_NS; i++)
    wait_ns *= 2;
  own->next_start_ns = clock_monotonic_ns() + (wait_ns < CHILD_BACKOFF_MAX_NS ? wait_ns : CHILD_BACKOFF_MAX_NS);
}

/* With the lock held. What it waits for is bounded by the deadline. */
static int start(struct child_placement *own, const struct call_options *options, int64_t deadline_ns,
                 struct error **err) {
  int64_t wait_ns = own->ends > 0 ? own->next_start_ns - clock_monotonic_ns() : 0;
  if (wait_ns > deadline_ns - clock_monotonic_ns())
    return error_set(err, ETIMEDOUT,
                     "adapter %s ended %u times one upon another; it is started again in %" PRId64
                     " ms, which is after this call's deadline",
                     own->entry->id, own->ends, wait_ns / NS_PER_MS);
  if (wait_ns > 0)
    (void)nanosleep(&(struct timespec){wait_ns / NS_PER_SECOND, wait_ns % NS_PER_SECOND}, NULL);
  struct child *child = calloc(1, sizeof *child);
  if (!child)
    return error_set(err, ENOMEM, "out of memory");
  child->runner = RUNNER_NONE;
  int r = start_child(own->entry, child, err);
  if (r == 0)
    r = configure(own, child, options, deadline_ns, err);
  if (r < 0) {
    child_free(child);
    own->ends++;
    back_off(own);
    return r;
  }
  own->child = child;
  return 0;
}

/* The child to call, which is used until leave(). */
static int enter(struct child_placement *own, const struct call_options *options, int64_t deadline_ns,
                 struct child **ret_child, struct error **err) {
  int r = 0;
  pthread_mutex_lock(&own->lock);
  if (!own->child)
    r = start(own, options, deadline_ns, err);
  if (r == 0) {
    own->child->users++;
    *ret_child = own->child;
  }
  pthread_mutex_unlock(&own->lock);
  return r;
}

static void leave(struct child_placement *own, struct child *child, bool broken) {
  pthread_mutex_lock(&own->lock);
  if (broken && !child->broken) {
    child->broken = true;
    own->ends = clock_monotonic_ns() - child->started_ns > STEADY_NS ? 1 : own->ends + 1;
    back_off(own);
    if (own->child == child)
      own->child = NULL;
  }
  bool last = --child->users == 0 && child->broken;
  pthread_mutex_unlock(&own->lock);
  if (last)
    child_free(child);
}

/* ---- the placement */

static int call(struct placement *placement, const struct placed_call *wanted, const struct call_options *options,
                uint8_t **ret_message, size_t *ret_length, struct error **err) {
  struct child_placement *own = (struct child_placement *)placement;
  int64_t deadline_ns = options->deadline_ns ? options->deadline_ns : clock_monotonic_ns() + CALL_TIMEOUT_DEFAULT_NS;
  struct placed placed = {.placement = own, .call = wanted, .options = options, .deadline_ns = deadline_ns};
  struct child *child;
  bool broken;
  int r = enter(own, options, deadline_ns, &child, err);
  if (r < 0)
    return r;
  r = call_child(own, child, &placed, &broken, err);
  leave(own, child, broken);
  if (r == 0 && !wanted->on_message) {
    *ret_message = take(placed.message);
    *ret_length = placed.length;
  }
  free(placed.message);
  return r;
}

static void destroy(struct placement *placement) {
  struct child_placement *own = (struct child_placement *)placement;
  if (own->child)
    child_free(own->child);
  pthread_mutex_destroy(&own->lock);
  free(own->config);
  free(own);
}

int child_placement_create(const struct adapter_entry *entry, const char *config, const struct adapter_http *http,
                           struct diagnostics *diagnostics, struct placement **ret_placement, struct error **err) {
  struct child_placement *own = calloc(1, sizeof *own);
  if (!own)
    return error_set(err, ENOMEM, "out of memory");
  own->placement = (struct placement){.call = call, .destroy = destroy};
  own->entry = entry;
  own->http = http;
  own->config = strdup(config);
  pthread_mutex_init(&own->lock, NULL);
  int r = own->config ? 0 : error_set(err, ENOMEM, "out of memory");
  /* A configuration that the adapter refuses is known before the first call. */
  const struct call_options first = {.diagnostics = diagnostics};
  if (r == 0)
    r = start(own, &first, clock_monotonic_ns() + CALL_TIMEOUT_DEFAULT_NS, err);
  if (r < 0) {
    destroy(&own->placement);
    return r;
  }
  *ret_placement = &own->placement;
  return 0;
}
