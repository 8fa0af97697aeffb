#include "plugins/reference/mesh/h2_session.h"

#include <stdlib.h>

#include "plugins/reference/mesh/exchange.h"
#include "plugins/reference/mesh/h2.h"
#include "plugins/reference/mesh/limits.h"

/* How often something happened in the last while. */
struct rate {
  int64_t since_s;
  unsigned count;
};

struct h2_session {
  struct stream *client;
  struct exchanges exchanges;
  struct rate resets, idle_frames;
  size_t block;           /* bytes of the fields of the head that is being read */
  unsigned continuations; /* frames of it, after the first */
  int64_t head_due_s;     /* of a head that was begun; 0: none is */
  uint32_t problem;       /* the error code for a client that is beyond a limit; 0: none */
  bool client_ended;      /* the client sends no more */
  bool broken;            /* close at once */
};

static bool is_over(struct rate *rate, int64_t now_s, unsigned limit) {
  if (now_s - rate->since_s >= H2_CALM_S)
    *rate = (struct rate){.since_s = now_s};
  return ++rate->count > limit;
}

/* The connection ends: as the result of a callback. */
static int lose_patience(struct h2_session *session) {
  session->problem = NGHTTP2_ENHANCE_YOUR_CALM;
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* A frame that costs work and brings nothing forward (CVE-2019-9511 and its like). */
static bool is_idle(const nghttp2_frame_hd *frame) {
  switch (frame->type) {
  case NGHTTP2_PING:
  case NGHTTP2_SETTINGS:
  case NGHTTP2_PRIORITY:
    return true;
  case NGHTTP2_DATA:
    return frame->length == 0 && !(frame->flags & NGHTTP2_FLAG_END_STREAM);
  default:
    return false;
  }
}

static int on_begin_frame(nghttp2_session *client, const nghttp2_frame_hd *frame, void *context) {
  (void)client;
  struct h2_session *session = context;
  int64_t now_s = stream_now_s(session->client);
  if (frame->type == NGHTTP2_HEADERS) {
    session->head_due_s = frame->flags & NGHTTP2_FLAG_END_HEADERS ? 0 : now_s + TIMEOUT_HEAD;
    session->continuations = 0;
    session->block = 0;
  }
  if (frame->type == NGHTTP2_CONTINUATION) {
    if (frame->flags & NGHTTP2_FLAG_END_HEADERS)
      session->head_due_s = 0;
    if (++session->continuations > LIMIT_H2_CONTINUATIONS)
      return lose_patience(session);
  }
  if (is_idle(frame) && is_over(&session->idle_frames, now_s, LIMIT_H2_IDLE_FRAMES))
    return lose_patience(session);
  return 0;
}

static struct exchange *exchange_of(nghttp2_session *client, int32_t id) {
  return nghttp2_session_get_stream_user_data(client, id);
}

static int on_begin_headers(nghttp2_session *client, const nghttp2_frame *frame, void *context) {
  struct h2_session *session = context;
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
    return 0;
  struct exchange *exchange = exchange_create(&session->exchanges, frame->hd.stream_id);
  if (!exchange)
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  return nghttp2_session_set_stream_user_data(client, frame->hd.stream_id, exchange);
}

/* What is over a limit is answered when the head is complete; what goes on for long after that ends the connection. */
static int on_header(nghttp2_session *client, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *context) {
  (void)flags;
  struct h2_session *session = context;
  session->block += name_length + value_length;
  if (session->block > LIMIT_H2_BLOCK)
    return lose_patience(session);
  struct exchange *exchange = exchange_of(client, frame->hd.stream_id);
  if (exchange && frame->headers.cat == NGHTTP2_HCAT_REQUEST) /* else trailers, which are read and forgotten */
    h2_head_add(&exchange->request, (struct slice){(const char *)name, name_length},
                (struct slice){(const char *)value, value_length});
  return 0;
}

static int on_frame(nghttp2_session *client, const nghttp2_frame *frame, void *context) {
  struct h2_session *session = context;
  if (frame->hd.type == NGHTTP2_RST_STREAM)
    return is_over(&session->resets, stream_now_s(session->client), LIMIT_H2_RESETS) ? lose_patience(session) : 0;
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
    return 0;
  struct exchange *exchange = exchange_of(client, frame->hd.stream_id);
  if (!exchange)
    return 0;
  bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
    exchange_begin(exchange, end);
  else if (end)
    exchange_end(exchange);
  return 0;
}

/* A client can also have its streams reset by sending what is invalid (CVE-2025-8671). */
static int on_invalid_frame(nghttp2_session *client, const nghttp2_frame *frame, int code, void *context) {
  (void)client;
  (void)frame;
  (void)code;
  struct h2_session *session = context;
  return is_over(&session->resets, stream_now_s(session->client), LIMIT_H2_RESETS) ? lose_patience(session) : 0;
}

static int on_body(nghttp2_session *client, uint8_t flags, int32_t id, const uint8_t *data, size_t length,
                   void *context) {
  (void)flags;
  (void)context;
  struct exchange *exchange = exchange_of(client, id);
  return exchange ? exchange_body(exchange, (const char *)data, length) : nghttp2_session_consume(client, id, length);
}

/* After a whole answer, the rest of a request isn't wanted (RFC 9113, 8.1). */
static int on_sent(nghttp2_session *client, const nghttp2_frame *frame, void *context) {
  (void)context;
  bool message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!message || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
    return 0;
  const struct exchange *exchange = exchange_of(client, frame->hd.stream_id);
  if (!exchange || exchange->request_ended)
    return 0;
  int r = nghttp2_submit_rst_stream(client, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  return r == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_close(nghttp2_session *client, int32_t id, uint32_t code, void *context) {
  (void)code;
  (void)context;
  exchange_destroy(exchange_of(client, id));
  return nghttp2_session_set_stream_user_data(client, id, NULL) == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* Sends all that can be sent, to servers and to the client: each may allow more of the other. */
static void flush(struct h2_session *session) {
  struct exchanges *exchanges = &session->exchanges;
  do {
    exchanges_flush(exchanges);
    if (!h2_send(exchanges->client, session->client))
      session->broken = true;
  } while (exchanges->to_flush && !session->broken);
}

/* A connection has its time from the last event when it is idle, and up to the end of its oldest request when it is
 * not: a little more than that has, so that it is answered. */
static void set_deadline(struct h2_session *session) {
  const struct exchange *oldest = TAILQ_FIRST(&session->exchanges.list);
  int64_t now_s = stream_now_s(session->client);
  int64_t due_s = oldest ? oldest->begun_s + TIMEOUT_EXCHANGE + TIMEOUT_HEAD : now_s + TIMEOUT_IDLE;
  if (session->head_due_s && session->head_due_s < due_s)
    due_s = session->head_due_s;
  stream_set_deadline(session->client, due_s > now_s ? (int)(due_s - now_s) : 1);
}

static bool is_finished(const struct h2_session *session) {
  nghttp2_session *client = session->exchanges.client;
  if (nghttp2_session_want_write(client))
    return false;
  return !nghttp2_session_want_read(client) || (session->client_ended && TAILQ_EMPTY(&session->exchanges.list));
}

/* What every entry from the loop ends with; the session may be gone after it. */
static void settle(struct h2_session *session) {
  flush(session);
  bool finished = is_finished(session);
  if (!session->broken && !finished) {
    if (stream_full(session->client))
      stream_pause(session->client);
    set_deadline(session);
    return;
  }
  if (!session->broken)
    stream_finish(take(session->client));
  session->exchanges.handler->closed(session->exchanges.context);
}

/* Reads, and ends the connection of a client that is not understood, or beyond a limit. */
static void receive(struct h2_session *session, const char *data, size_t length) {
  nghttp2_session *client = session->exchanges.client;
  ssize_t n = nghttp2_session_mem_recv(client, (const uint8_t *)data, length);
  if (n >= 0)
    return;
  uint32_t code = session->problem           ? session->problem
                  : n == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM
                  : n == NGHTTP2_ERR_NOMEM   ? NGHTTP2_INTERNAL_ERROR
                                             : NGHTTP2_PROTOCOL_ERROR;
  session->broken = nghttp2_session_terminate_session(client, code) != 0;
}

static size_t client_data(void *context, const char *data, size_t length) {
  struct h2_session *session = context;
  receive(session, data, length);
  settle(session);
  return length;
}

void h2_session_feed(struct h2_session *session, const char *data, size_t length) {
  (void)client_data(session, data, length);
}

static void client_ready(void *context) {
  (void)context;
}

static void client_drained(void *context) {
  struct h2_session *session = context;
  stream_resume(session->client);
  settle(session);
}

/* What was asked in full before a client ended its side is still answered. */
static void client_ended(void *context, enum stream_end end) {
  struct h2_session *session = context;
  session->client_ended = true;
  session->broken = session->broken || end != STREAM_EOF;
  const struct exchange *exchange;
  TAILQ_FOREACH(exchange, &session->exchanges.list, entry)
  if (!exchange->request_ended)
    (void)nghttp2_submit_rst_stream(session->exchanges.client, NGHTTP2_FLAG_NONE, exchange->id, NGHTTP2_CANCEL);
  settle(session);
}

static const struct stream_handler client_handler = {
    .ready = client_ready, .data = client_data, .drained = client_drained, .ended = client_ended};

/* An answer went on, by what a server did. */
static void answers_changed(struct exchanges *exchanges) {
  settle((struct h2_session *)((char *)exchanges - offsetof(struct h2_session, exchanges)));
}

static nghttp2_session_callbacks *callbacks_new(void) {
  nghttp2_session_callbacks *callbacks = NULL;
  if (nghttp2_session_callbacks_new(&callbacks) != 0)
    return NULL;
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, h2_refuse_field);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_body);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  return callbacks;
}

struct h2_session *h2_session_create(struct stream *client, struct pool *pool, const struct session_handler *handler,
                                     void *context) {
  struct h2_session *session = calloc(1, sizeof *session);
  nghttp2_session_callbacks *callbacks = session ? callbacks_new() : NULL;
  if (!callbacks || h2_session_new(true, callbacks, session, &session->exchanges.client) < 0) {
    stream_destroy(client);
    free(session);
    return NULL;
  }
  session->client = client;
  session->exchanges.pool = pool;
  session->exchanges.handler = handler;
  session->exchanges.context = context;
  session->exchanges.changed = answers_changed;
  session->exchanges.stream = client;
  TAILQ_INIT(&session->exchanges.list);
  stream_set_handler(client, &client_handler, session);
  stream_set_deadline(client, TIMEOUT_IDLE);
  return session;
}

void h2_session_destroy(struct h2_session *session) {
  if (!session)
    return;
  if (!TAILQ_EMPTY(&session->exchanges.list))
    stream_abort(session->client); /* nothing of what was not answered is to look whole */
  struct exchange *exchange;
  while ((exchange = TAILQ_FIRST(&session->exchanges.list)))
    exchange_destroy(exchange);
  nghttp2_session_del(session->exchanges.client);
  stream_destroy(session->client);
  free(session);
}
