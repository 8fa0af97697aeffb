#include "host/transport/kube/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/transport/kube/client_internal.h"
#include "host/transport/kube/watch_decoder.h"
#include "sdk/base/clock.h"

#define REFUSAL_MAX (64u * 1024)
#define GRACE_NS (30 * NS_PER_SECOND) /* beyond the period that the server was asked to keep */
#define SHORT_NS (1 * NS_PER_SECOND)  /* a connection that ends sooner, without an event, is a failure */

/* A watch under way. */
struct watching {
  struct kube_client *client;
  const struct kube_ref *ref;
  const struct kube_watch_options *options;
  const struct kube_watch_visitor *visitor;
  const struct kube_call *call;
  int64_t period_ns;
  char *version; /* of the last event */
  unsigned failures;

  /* Of one connection: */
  struct watch_decoder decoder;
  unsigned status;
  struct strbuf refusal; /* the body of an answer that is no 200 */
  size_t events;
  int result; /* of the decoder, or a visitor; 0: none has ended it */
  bool final; /* `result` is for the caller */
  struct error *reason;
};

/* The last version of a visited event is where the next connection goes on. */
static int on_event(const struct watch_event *event, void *ctx, struct error **err) {
  struct watching *w = ctx;

  if (event->kind == 0) {
    w->final = event->code == 410;
    return error_set(err, w->final ? ESTALE : EIO, "the server ended the watch: %s (%u)%s", event->message, event->code,
                     w->final ? "; list again" : "");
  }
  w->events++;
  w->failures = 0;
  int r = w->visitor->event(event->kind, event->object, w->visitor->ctx, err);
  if (r != 0) {
    w->final = true;
    return r;
  }
  char *version = strdup(event->version);
  if (!version) {
    w->final = true;
    return error_set(err, ENOMEM, "watch: out of memory");
  }
  free(w->version);
  w->version = version;
  return 0;
}

static bool on_data(unsigned status, const char *data, size_t length, void *ctx) {
  struct watching *w = ctx;

  if (w->status != status) /* after a 401, with new credentials */
    strbuf_clear(&w->refusal);
  w->status = status;
  if (status == 200) {
    w->result = watch_decoder_feed(&w->decoder, data, length, on_event, w, &w->reason);
    return w->result == 0;
  }
  size_t room = REFUSAL_MAX - w->refusal.length;
  strbuf_append(&w->refusal, data, length < room ? length : room);
  return true;
}

static void append_field_selector(struct strbuf *path, const struct watching *w) {
  _cleanup_strbuf_ struct strbuf selector = STRBUF_INIT;

  if (w->ref->name)
    strbuf_printf(&selector, "metadata.name=%s", w->ref->name);
  if (w->options->field_selector)
    strbuf_printf(&selector, "%s%s", selector.length ? "," : "", w->options->field_selector);
  kube_query_append(path, "fieldSelector", selector.length ? strbuf_text(&selector) : NULL);
}

static int make_path(const struct watching *w, struct strbuf *path, struct error **err) {
  struct kube_ref collection = *w->ref;
  char seconds[24];

  collection.name = NULL;
  int r = kube_path_append(path, &collection, err);
  if (r < 0)
    return r;
  (void)snprintf(seconds, sizeof(seconds), "%lld", (long long)(w->period_ns / NS_PER_SECOND));
  kube_query_append(path, "watch", "true");
  kube_query_append(path, "allowWatchBookmarks", "true");
  kube_query_append(path, "resourceVersion", w->version);
  kube_query_append(path, "timeoutSeconds", seconds);
  kube_query_append(path, "labelSelector", w->options->label_selector);
  append_field_selector(path, w);
  return strbuf_failed(path) ? error_set(err, ENOMEM, "watch: out of memory") : 0;
}

static void reset(struct watching *w) {
  watch_decoder_finish(&w->decoder);
  w->decoder = (struct watch_decoder){.event_max = KUBE_EVENT_MAX};
  strbuf_finish(&w->refusal);
  error_free(w->reason);
  w->reason = NULL;
  w->status = 0;
  w->events = 0;
  w->result = 0;
  w->final = false;
}

/* Whether a refusal passes by itself. */
static bool is_passing(unsigned status) {
  return status == 429 || status >= 500;
}

/* An answer that is no 200 becomes the reason. */
static int refused(struct watching *w, unsigned status, struct error **err) {
  struct http_response response = {
      .status = status, .body = (char *)(uintptr_t)strbuf_text(&w->refusal), .body_length = w->refusal.length};

  w->final = !is_passing(status);
  return kube_failure_read("watch", w->ref, "", &response, w->call->failure, err);
}

/* One connection: 0 when it ended as agreed, else why not, in w->reason; w->final says whether the watch is over. */
static int connect_once(struct watching *w, int64_t *ret_retry_after_s) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  _cleanup_error_ struct error *transport = NULL;
  struct http_response response = {0};
  int64_t limit_ns = clock_in_ns(w->period_ns + GRACE_NS);
  struct kube_call call = *w->call;

  reset(w);
  int r = make_path(w, &path, &w->reason);
  if (r < 0) {
    w->final = true;
    return r;
  }
  if (call.deadline_ns == 0 || call.deadline_ns > limit_ns)
    call.deadline_ns = limit_ns;
  const struct kube_request request = {.verb = "watch",
                                       .ref = w->ref,
                                       .method = "GET",
                                       .path = strbuf_text(&path),
                                       .idempotent = true,
                                       .on_data = on_data,
                                       .data_ctx = w};
  r = kube_send(w->client, &request, &call, &response, NULL, &transport);
  if (w->result != 0)
    return w->result;
  if (r < 0)
    return kube_error_pass(&w->reason, &transport);
  *ret_retry_after_s = response.retry_after_s;
  unsigned status = response.status;
  http_response_finish(&response);
  return status == 200 ? 0 : refused(w, status, &w->reason);
}

/* What the caller asked for itself. */
static int check_call(const struct watching *w, struct error **err) {
  if (w->call->cancel && atomic_load(w->call->cancel))
    return error_set(err, ECANCELED, "watch %s: cancelled", w->ref->resource->plural);
  if (w->call->deadline_ns > 0 && clock_monotonic_ns() >= w->call->deadline_ns)
    return error_set(err, ETIMEDOUT, "watch %s: its deadline is over", w->ref->resource->plural);
  return 0;
}

/* What will not be otherwise at the next try. */
static bool is_hopeless(int r) {
  return r == -ENOMEM || r == -EINVAL || r == -EACCES || r == -EFBIG;
}

static int wait_after_failure(struct watching *w, int64_t retry_after_s) {
  int64_t delay_ns = kube_backoff_ns(w->failures);

  if (retry_after_s > 0 && retry_after_s < 3600 && retry_after_s * NS_PER_SECOND > delay_ns)
    delay_ns = retry_after_s * NS_PER_SECOND;
  if (w->call->deadline_ns > 0 && clock_in_ns(delay_ns) > w->call->deadline_ns)
    delay_ns = w->call->deadline_ns - clock_monotonic_ns();
  return limiter_wait(delay_ns, w->call->cancel);
}

static int failed(struct watching *w, int r, int64_t retry_after_s, struct error **err) {
  unsigned most = w->options->failures_max ? w->options->failures_max : KUBE_WATCH_FAILURES_MAX;

  if (w->final || is_hopeless(r))
    return w->reason ? kube_error_pass(err, &w->reason) : r;
  w->failures++;
  if (w->visitor->interrupted)
    w->visitor->interrupted(w->reason, w->visitor->ctx);
  if (w->failures >= most) {
    (void)error_wrap(&w->reason, "watch: %u failures in a row, the last", w->failures);
    return kube_error_pass(err, &w->reason);
  }
  (void)wait_after_failure(w, retry_after_s);
  return 0;
}

static int run(struct watching *w, struct error **err) {
  for (;;) {
    int64_t retry_after_s = 0;
    int64_t start_ns = clock_monotonic_ns();
    int r = check_call(w, err);
    if (r < 0)
      return r;
    r = connect_once(w, &retry_after_s);
    if (!w->final && check_call(w, NULL) < 0)
      return check_call(w, err);
    if (r == 0 && w->events == 0 && clock_monotonic_ns() - start_ns < SHORT_NS)
      r = error_set(&w->reason, EIO, "the server ended the watch at once");
    if (r != 0) {
      r = failed(w, r, retry_after_s, err);
      if (r != 0)
        return r;
    }
  }
}

int kube_watch(struct kube_client *client, const struct kube_ref *ref, const struct kube_watch_options *options,
               const struct kube_watch_visitor *visitor, const struct kube_call *call, struct error **err) {
  static const struct kube_call plain;
  struct watching w = {.client = client,
                       .ref = ref,
                       .options = options,
                       .visitor = visitor,
                       .call = call ? call : &plain,
                       .period_ns = options->period_ns > 0 ? options->period_ns : KUBE_WATCH_PERIOD_NS};

  if (!options->resource_version || !*options->resource_version)
    return error_set(err, EINVAL, "watch: the resourceVersion of a list is needed");
  if (w.period_ns < NS_PER_SECOND)
    w.period_ns = NS_PER_SECOND;
  w.version = strdup(options->resource_version);
  int r = w.version ? run(&w, err) : error_set(err, ENOMEM, "watch: out of memory");
  reset(&w);
  free(w.version);
  return r;
}
