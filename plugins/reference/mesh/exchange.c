#include "plugins/reference/mesh/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/stream.h"
#include "sdk/base/clock.h"

enum {
  STATUS_OK = 200,
  STATUS_FORBIDDEN = 403,
  STATUS_BAD_GATEWAY = 502,
  STATUS_UNAVAILABLE = 503,
  STATUS_TIMEOUT = 504,
};

static const struct h2_link_handler link_handler;

struct exchange *exchange_create(struct exchanges *all, int32_t id) {
  struct exchange *exchange = calloc(1, sizeof *exchange);
  if (!exchange)
    return NULL;
  exchange->all = all;
  exchange->id = id;
  exchange->begun_s = stream_now_s(all->stream);
  TAILQ_INSERT_TAIL(&all->list, exchange, entry);
  return exchange;
}

static void served(struct exchange *exchange) {
  const struct session_handler *handler = exchange->all->handler;
  if (exchange->decided && !exchange->served && handler->served)
    handler->served(exchange->all->context, exchange->note, exchange->status,
                    clock_monotonic_ns() - exchange->start_ns);
  exchange->served = true;
}

void exchange_destroy(struct exchange *exchange) {
  if (!exchange)
    return;
  served(exchange);
  if (exchange->link)
    h2_link_close(exchange->link);
  (void)nghttp2_session_consume_connection(exchange->all->client, exchange->upload.length);
  TAILQ_REMOVE(&exchange->all->list, exchange, entry);
  free(exchange->note);
  h2_head_finish(&exchange->request);
  strbuf_finish(&exchange->upload);
  strbuf_finish(&exchange->answer);
  free(exchange);
}

/* The client's stream ends without (the rest of) an answer. */
static void reset(struct exchange *exchange, uint32_t code) {
  exchange->status = 0;
  served(exchange);
  (void)nghttp2_submit_rst_stream(exchange->all->client, NGHTTP2_FLAG_NONE, exchange->id, code);
}

static void link_to_flush(struct exchange *exchange) {
  exchange->to_flush = exchange->all->to_flush = true;
}

static size_t take_bytes(struct strbuf *from, uint8_t *data, size_t size) {
  size_t n = from->length < size ? from->length : size;
  if (n > 0)
    memcpy(data, from->data, n);
  strbuf_consume(from, n);
  return n;
}

/* Hands the answer's body to the client's stream, as its window allows. */
static ssize_t read_answer(nghttp2_session *session, int32_t id, uint8_t *data, size_t size, uint32_t *flags,
                           nghttp2_data_source *source, void *context) {
  (void)session;
  (void)id;
  (void)context;
  struct exchange *exchange = source->ptr;
  size_t n = take_bytes(&exchange->answer, data, size);
  if (exchange->answer.length == 0 && exchange->answer_ended)
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  else if (n == 0)
    return NGHTTP2_ERR_DEFERRED;
  if (n > 0 && exchange->link) {
    h2_link_consumed(exchange->link, n);
    link_to_flush(exchange);
  }
  return (ssize_t)n;
}

static void submit_answer(struct exchange *exchange, const struct h2_fields *fields, bool body) {
  nghttp2_data_provider provider = {.source.ptr = exchange, .read_callback = read_answer};
  if (nghttp2_submit_response(exchange->all->client, exchange->id, fields->items, fields->count,
                              body ? &provider : NULL) != 0)
    reset(exchange, NGHTTP2_INTERNAL_ERROR);
}

static bool is_head(const struct exchange *exchange) {
  const char *method = exchange->request.head.method;
  return method && strcmp(method, "HEAD") == 0;
}

/* What has come of the request is not passed on any more. */
static void discard_upload(struct exchange *exchange) {
  (void)nghttp2_session_consume(exchange->all->client, exchange->id, exchange->upload.length);
  strbuf_finish(&exchange->upload);
}

/* Answers in the mesh's own name. */
static void answer(struct exchange *exchange, unsigned status, const char *marker, const char *text) {
  struct h2_fields fields;
  char length[24];
  (void)snprintf(length, sizeof length, "%zu", strlen(text));
  h2_fields_begin_response(&fields, status);
  h2_fields_add(&fields, "x-trammel-refmesh", marker);
  h2_fields_add(&fields, "content-type", "text/plain");
  h2_fields_add(&fields, "content-length", length);
  bool body = !is_head(exchange) && *text;
  if (body)
    strbuf_puts(&exchange->answer, text);
  exchange->answer_ended = true;
  exchange->status = status;
  discard_upload(exchange);
  served(exchange);
  if (strbuf_failed(&exchange->answer))
    reset(exchange, NGHTTP2_INTERNAL_ERROR);
  else
    submit_answer(exchange, &fields, body);
}

static void forward(struct exchange *exchange, struct target *target, bool idle) {
  exchange->link = h2_link_open(exchange->all->pool, target, idle, &exchange->request.head, !exchange->request_ended,
                                exchange->begun_s + TIMEOUT_EXCHANGE, &link_handler, exchange);
  if (!exchange->link) {
    answer(exchange, STATUS_UNAVAILABLE, "unavailable", "no connection could be made\n");
    return;
  }
  exchange->written_ns = clock_monotonic_ns();
  link_to_flush(exchange);
}

/* Does what was decided. */
static void follow(struct exchange *exchange, enum route route, struct target *target, bool idle) {
  switch (route) {
  case ROUTE_FORWARD:
    forward(exchange, target, idle);
    break;
  case ROUTE_DENIED:
    answer(exchange, STATUS_FORBIDDEN, "denied", "denied by policy\n");
    break;
  case ROUTE_UNAVAILABLE:
    answer(exchange, STATUS_UNAVAILABLE, "unavailable", "no workload can take the request\n");
    break;
  case ROUTE_FAKED:
    answer(exchange, STATUS_OK, "faked", "ok\n");
    break;
  }
}

void exchange_begin(struct exchange *exchange, bool ended) {
  const struct session_handler *handler = exchange->all->handler;
  exchange->request_ended = exchange->bodiless = ended;
  h2_head_check_request(&exchange->request);
  if (exchange->request.problem) {
    answer(exchange, (unsigned)exchange->request.problem, "invalid", "");
    return;
  }
  exchange->start_ns = clock_monotonic_ns();
  if (handler->last && handler->last(exchange->all->context))
    (void)nghttp2_submit_goaway(exchange->all->client, NGHTTP2_FLAG_NONE, exchange->id, NGHTTP2_NO_ERROR, NULL, 0);
  struct target target;
  enum route route = handler->route(exchange->all->context, &exchange->request.head, &target);
  if (handler->note && !(exchange->note = handler->note(exchange->all->context)))
    route = ROUTE_UNAVAILABLE;
  else
    exchange->decided = true;
  follow(exchange, route, &target, true);
}

int exchange_body(struct exchange *exchange, const char *data, size_t length) {
  if (!exchange->link)
    return nghttp2_session_consume(exchange->all->client, exchange->id, length);
  strbuf_append(&exchange->upload, data, length);
  h2_link_resume(exchange->link);
  link_to_flush(exchange);
  return strbuf_failed(&exchange->upload) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

void exchange_end(struct exchange *exchange) {
  exchange->request_ended = true;
  if (!exchange->link)
    return;
  h2_link_resume(exchange->link);
  link_to_flush(exchange);
}

static ssize_t link_read(void *context, uint8_t *data, size_t size, bool *ret_end) {
  struct exchange *exchange = context;
  size_t n = take_bytes(&exchange->upload, data, size);
  *ret_end = exchange->request_ended && exchange->upload.length == 0;
  if (n > 0 && nghttp2_session_consume(exchange->all->client, exchange->id, n) != 0)
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  return n > 0 || *ret_end ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
}

static void link_head(void *context, struct h2_head *head, bool end) {
  struct exchange *exchange = context;
  struct h2_fields fields;
  if (exchange->all->handler->program)
    head_drop(&head->head, "x-trammel-refmesh");
  h2_fields_of_response(&fields, head);
  if (head->status < 200) {
    (void)nghttp2_submit_headers(exchange->all->client, NGHTTP2_FLAG_NONE, exchange->id, NULL, fields.items,
                                 fields.count, NULL);
    return;
  }
  exchange->status = head->status;
  submit_answer(exchange, &fields, !end);
}

static void link_body(void *context, const char *data, size_t length) {
  struct exchange *exchange = context;
  strbuf_append(&exchange->answer, data, length);
  (void)nghttp2_session_resume_data(exchange->all->client, exchange->id);
}

static void complete(struct exchange *exchange) {
  exchange->answer_ended = true;
  (void)nghttp2_session_resume_data(exchange->all->client, exchange->id);
  if (strbuf_failed(&exchange->answer))
    reset(exchange, NGHTTP2_INTERNAL_ERROR);
  else
    served(exchange);
  h2_link_close(take(exchange->link));
  discard_upload(exchange);
}

static bool is_safe(const char *method) {
  return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0;
}

/* A kept connection may end just as it is used. What the server did not look at may be sent again, and what has no
 * effect on it (RFC 9110, 9.2.2), when it ended at once. */
static bool may_retry(const struct exchange *exchange, enum h2_link_end end) {
  if (!h2_link_reused(exchange->link) || exchange->retried || exchange->status || !exchange->bodiless)
    return false;
  bool at_once = clock_monotonic_ns() - exchange->written_ns < RETRY_WINDOW_MS * NS_PER_MS;
  return end == H2_LINK_REFUSED || (end == H2_LINK_FAILED && at_once && is_safe(exchange->request.head.method));
}

static void link_broken(struct exchange *exchange, enum h2_link_end end) {
  bool connected = h2_link_connected(exchange->link);
  bool retry = may_retry(exchange, end);
  h2_link_close(take(exchange->link));
  if (retry) {
    exchange->retried = true;
    struct target target;
    enum route route =
        exchange->all->handler->again(exchange->all->context, exchange->note, &exchange->request.head, &target);
    follow(exchange, route, &target, false);
  } else if (exchange->status) {
    reset(exchange, NGHTTP2_INTERNAL_ERROR);
  } else if (end == H2_LINK_TIMEOUT) {
    answer(exchange, connected ? STATUS_TIMEOUT : STATUS_UNAVAILABLE, "unavailable", "no answer in time\n");
  } else if (connected) {
    answer(exchange, STATUS_BAD_GATEWAY, "unavailable", "the connection ended without an answer\n");
  } else {
    answer(exchange, STATUS_UNAVAILABLE, "unavailable", "no connection could be made\n");
  }
}

/* Does what the link's state calls for. */
static void look_at_link(struct exchange *exchange) {
  enum h2_link_end end = h2_link_end(exchange->link);
  if (end == H2_LINK_COMPLETE)
    complete(exchange);
  else if (end != H2_LINK_OPEN)
    link_broken(exchange, end);
}

static void link_changed(void *context) {
  struct exchange *exchange = context;
  look_at_link(exchange);
  exchange->all->changed(exchange->all);
}

static const struct h2_link_handler link_handler = {
    .head = link_head, .body = link_body, .read = link_read, .changed = link_changed};

void exchanges_flush(struct exchanges *all) {
  struct exchange *exchange;
  while (all->to_flush) {
    all->to_flush = false;
    TAILQ_FOREACH(exchange, &all->list, entry) {
      if (!exchange->to_flush)
        continue;
      exchange->to_flush = false;
      if (!exchange->link)
        continue;
      h2_link_flush(exchange->link);
      look_at_link(exchange);
    }
  }
}
