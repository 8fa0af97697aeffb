#include "host/watch/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sdk/base/clock.h"

struct metrics {
  struct counters *counters;
  const char *adapter;
  struct event_base *base;
  struct evhttp *http;
  struct event *end;
  int end_fd;
  uint16_t port;
  pthread_t thread;
};

static void answer(struct evhttp_request *request, int status, const char *type, const char *text) {
  struct evbuffer *out = evhttp_request_get_output_buffer(request);

  (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
  if (evbuffer_add(out, text, strlen(text)) < 0)
    status = HTTP_INTERNAL;
  evhttp_send_reply(request, status, NULL, out);
}

static void answer_metrics(struct evhttp_request *request, void *ctx) {
  const struct metrics *metrics = ctx;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

  counters_write(metrics->counters, metrics->adapter, &text);
  answer(request, strbuf_failed(&text) ? HTTP_INTERNAL : HTTP_OK, "text/plain; version=0.0.4", strbuf_text(&text));
}

static void answer_health(struct evhttp_request *request, void *ctx) {
  const struct metrics *metrics = ctx;
  bool alive = clock_monotonic_ns() - atomic_load(&metrics->counters->alive_ns) < METRICS_ALIVE_NS;

  answer(request, alive ? HTTP_OK : HTTP_SERVUNAVAIL, "text/plain", alive ? "ok\n" : "the main thread hangs\n");
}

static void answer_readiness(struct evhttp_request *request, void *ctx) {
  const struct metrics *metrics = ctx;
  bool ready = atomic_load(&metrics->counters->ready);

  answer(request, ready ? HTTP_OK : HTTP_SERVUNAVAIL, "text/plain",
         ready ? "ok\n" : "not everything has been listed and translated yet\n");
}

static void on_end(evutil_socket_t fd, short what, void *ctx) {
  (void)fd;
  (void)what;
  (void)event_base_loopbreak(((struct metrics *)ctx)->base);
}

static void *run(void *ctx) {
  (void)event_base_dispatch(((struct metrics *)ctx)->base);
  return NULL;
}

static void metrics_free(struct metrics *metrics) {
  if (metrics->http)
    evhttp_free(metrics->http);
  if (metrics->end)
    event_free(metrics->end);
  if (metrics->base)
    event_base_free(metrics->base);
  if (metrics->end_fd >= 0)
    (void)close(metrics->end_fd);
  free(metrics);
}

static int prepare(struct metrics *metrics) {
  metrics->base = event_base_new();
  metrics->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  metrics->http = metrics->base ? evhttp_new(metrics->base) : NULL;
  if (!metrics->http || metrics->end_fd < 0)
    return -ENOMEM;
  metrics->end = event_new(metrics->base, metrics->end_fd, EV_READ, on_end, metrics);
  if (!metrics->end || event_add(metrics->end, NULL) < 0)
    return -ENOMEM;
  evhttp_set_allowed_methods(metrics->http, EVHTTP_REQ_GET);
  evhttp_set_max_headers_size(metrics->http, METRICS_HEAD_MAX);
  evhttp_set_max_body_size(metrics->http, METRICS_HEAD_MAX);
  evhttp_set_timeout(metrics->http, METRICS_TIMEOUT_S);
  if (evhttp_set_cb(metrics->http, "/metrics", answer_metrics, metrics) < 0 ||
      evhttp_set_cb(metrics->http, "/healthz", answer_health, metrics) < 0 ||
      evhttp_set_cb(metrics->http, "/readyz", answer_readiness, metrics) < 0)
    return -ENOMEM;
  return 0;
}

static int bind_to(struct metrics *metrics, const char *address, uint16_t port, struct error **err) {
  struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(metrics->http, address, port);
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } name = {.v6 = {0}};
  socklen_t length = sizeof(name);

  if (!bound)
    return error_set(err, EADDRNOTAVAIL, "metrics cannot be served at %s port %u: %s", address, port, strerror(errno));
  if (getsockname(evhttp_bound_socket_get_fd(bound), &name.any, &length) < 0)
    return error_set(err, errno, "metrics: %s", strerror(errno));
  metrics->port = ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
  return 0;
}

int metrics_start(const char *address, uint16_t port, const char *adapter, struct counters *counters,
                  struct metrics **ret_metrics, struct error **err) {
  struct metrics *metrics = calloc(1, sizeof(*metrics));

  if (!metrics)
    return error_set(err, ENOMEM, "out of memory for metrics");
  *metrics = (struct metrics){.counters = counters, .adapter = adapter, .end_fd = -1};
  int r = prepare(metrics);
  r = r < 0 ? error_set(err, ENOMEM, "out of memory for metrics") : bind_to(metrics, address, port, err);
  if (r == 0 && pthread_create(&metrics->thread, NULL, run, metrics) != 0)
    r = error_set(err, EAGAIN, "no thread for metrics");
  if (r < 0)
    metrics_free(metrics);
  else
    *ret_metrics = metrics;
  return r;
}

uint16_t metrics_port(const struct metrics *metrics) {
  return metrics->port;
}

void metrics_stop(struct metrics *metrics) {
  uint64_t one = 1;

  if (!metrics)
    return;
  (void)!write(metrics->end_fd, &one, sizeof(one));
  (void)pthread_join(metrics->thread, NULL);
  metrics_free(metrics);
}
