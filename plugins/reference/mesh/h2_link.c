#include "plugins/reference/mesh/h2_link.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/h2.h"
#include "plugins/reference/mesh/limits.h"

struct h2_link {
  struct pool_state state; /* first, so that the pool's is this */
  struct pool_link *pooled;
  nghttp2_session *session;
  const struct h2_link_handler *handler;
  void *context;
  struct h2_head head; /* of the answer that is being read */
  int64_t due_s;
  size_t block;      /* bytes of the fields of the head that is being read */
  int32_t id;        /* of the stream; 0: idle */
  unsigned heads;    /* that were read of the answer, with the interim ones */
  bool connected;    /* the server was reached */
  bool request_sent; /* to its end */
  bool answered;     /* the answer's own head was read */
  bool answer_ended; /* with its last frame */
  enum h2_link_end end;
};

static bool is_current(const struct h2_link *link, int32_t id) {
  return id != 0 && id == link->id && link->end == H2_LINK_OPEN;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  (void)session;
  (void)frame;
  struct h2_link *link = context;
  h2_head_clear(&link->head);
  link->block = 0;
  return 0;
}

/* Trailers are read and forgotten, as those of HTTP/1.1 are. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *context) {
  (void)session;
  (void)flags;
  struct h2_link *link = context;
  link->block += name_length + value_length;
  if (link->block > LIMIT_H2_BLOCK)
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  if (is_current(link, frame->hd.stream_id) && !link->answered)
    h2_head_add(&link->head, (struct slice){(const char *)name, name_length},
                (struct slice){(const char *)value, value_length});
  return 0;
}

static int reset_stream(struct h2_link *link, uint32_t code) {
  return nghttp2_submit_rst_stream(link->session, NGHTTP2_FLAG_NONE, link->id, code) == 0
             ? 0
             : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int read_head(struct h2_link *link, bool end) {
  h2_head_check_response(&link->head);
  if (link->head.problem || ++link->heads > LIMIT_H2_HEADS) {
    link->end = H2_LINK_FAILED;
    return reset_stream(link, NGHTTP2_PROTOCOL_ERROR);
  }
  link->answered = link->head.status >= 200;
  link->handler->head(link->context, &link->head, end);
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  (void)session;
  struct h2_link *link = context;
  bool message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!message || !is_current(link, frame->hd.stream_id))
    return 0;
  bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  link->answer_ended = end;
  return frame->hd.type == NGHTTP2_HEADERS && !link->answered ? read_head(link, end) : 0;
}

/* The connection's window is opened at once: one stream has it, and is bounded by a window of its own. */
static int on_body(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t length,
                   void *context) {
  (void)flags;
  struct h2_link *link = context;
  if (nghttp2_session_consume_connection(session, length) != 0)
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  if (is_current(link, id))
    link->handler->body(link->context, (const char *)data, length);
  return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *context) {
  (void)session;
  struct h2_link *link = context;
  if (!is_current(link, id))
    return 0;
  if (link->answer_ended)
    link->end = H2_LINK_COMPLETE;
  else
    link->end = code == NGHTTP2_REFUSED_STREAM && !link->answered ? H2_LINK_REFUSED : H2_LINK_FAILED;
  return 0;
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *data, size_t size, uint32_t *flags,
                       nghttp2_data_source *source, void *context) {
  (void)session;
  (void)source;
  struct h2_link *link = context;
  if (!is_current(link, id))
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  bool end = false;
  ssize_t n = link->handler->read(link->context, data, size, &end);
  if (end) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    link->request_sent = true;
  }
  return n;
}

static void extend(struct h2_link *link) {
  if (!link->connected || link->id == 0)
    return;
  int64_t left = link->due_s - stream_now_s(link->pooled->stream);
  stream_set_deadline(link->pooled->stream, left > TIMEOUT_ANSWER ? TIMEOUT_ANSWER : left > 0 ? (int)left : 1);
}

static void link_ready(void *context) {
  struct h2_link *link = context;
  link->connected = true;
  extend(link);
}

static void link_fail(struct h2_link *link, enum h2_link_end end) {
  if (link->end == H2_LINK_OPEN)
    link->end = end;
}

/* An answer that ended before the request did is whole; what is left of the request is not wanted (RFC 9113, 8.1). */
static void notice_early_end(struct h2_link *link) {
  if (link->end == H2_LINK_OPEN && link->answer_ended)
    link->end = H2_LINK_COMPLETE;
}

static size_t link_data(void *context, const char *data, size_t length) {
  struct h2_link *link = context;
  if (nghttp2_session_mem_recv(link->session, (const uint8_t *)data, length) < 0)
    link_fail(link, H2_LINK_FAILED);
  notice_early_end(link);
  extend(link);
  h2_link_flush(link);
  link->handler->changed(link->context);
  return length;
}

static void link_drained(void *context) {
  struct h2_link *link = context;
  h2_link_flush(link);
  link->handler->changed(link->context);
}

static void link_ended(void *context, enum stream_end end) {
  struct h2_link *link = context;
  link_fail(link, end == STREAM_TIMEOUT ? H2_LINK_TIMEOUT : H2_LINK_FAILED);
  link->handler->changed(link->context);
}

static const struct stream_handler stream_handler = {
    .ready = link_ready, .data = link_data, .drained = link_drained, .ended = link_ended};

/* Whether the session can take another request: the server has not said GOAWAY, and there are stream ids left. */
static bool is_usable(struct h2_link *link) {
  return nghttp2_session_want_read(link->session) && nghttp2_session_check_request_allowed(link->session);
}

static bool idle_heard(struct pool_state *state, const char *data, size_t length) {
  struct h2_link *link = (struct h2_link *)state;
  return nghttp2_session_mem_recv(link->session, (const uint8_t *)data, length) >= 0 &&
         h2_send(link->session, link->pooled->stream) && is_usable(link);
}

static void state_destroy(struct pool_state *state) {
  struct h2_link *link = (struct h2_link *)state;
  nghttp2_session_del(link->session);
  h2_head_finish(&link->head);
  free(link);
}

static nghttp2_session_callbacks *callbacks_new(void) {
  nghttp2_session_callbacks *callbacks = NULL;
  if (nghttp2_session_callbacks_new(&callbacks) != 0)
    return NULL;
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, h2_refuse_field);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_body);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  return callbacks;
}

static struct h2_link *state_new(struct pool_link *pooled) {
  struct h2_link *link = calloc(1, sizeof *link);
  nghttp2_session_callbacks *callbacks = link ? callbacks_new() : NULL;
  if (!callbacks || h2_session_new(false, callbacks, link, &link->session) < 0) {
    free(link);
    return NULL;
  }
  link->state = (struct pool_state){.heard = idle_heard, .destroy = state_destroy};
  link->pooled = pooled;
  pooled->state = &link->state;
  return link;
}

/* The pool's handler is another one, so that a connection that fails before it has a state is seen by nobody. */
static const struct stream_handler no_handler;

static struct h2_link *take_link(struct pool *pool, struct target *target, bool idle) {
  target->h2 = true;
  struct pool_link *pooled = pool_take(pool, target, idle, &no_handler, NULL);
  if (!pooled)
    return NULL;
  struct h2_link *link = pooled->state ? (struct h2_link *)pooled->state : state_new(pooled);
  if (!link)
    pool_abort(pooled);
  return link;
}

struct h2_link *h2_link_open(struct pool *pool, struct target *target, bool idle, const struct head *head, bool body,
                             int64_t due_s, const struct h2_link_handler *handler, void *context) {
  struct h2_link *link = take_link(pool, target, idle);
  if (!link)
    return NULL;
  struct h2_fields fields;
  h2_fields_of_request(&fields, head);
  nghttp2_data_provider provider = {.read_callback = on_read};
  int32_t id = nghttp2_submit_request(link->session, NULL, fields.items, fields.count, body ? &provider : NULL, NULL);
  if (id < 0) {
    pool_abort(link->pooled);
    return NULL;
  }
  link->handler = handler;
  link->context = context;
  link->due_s = due_s;
  link->id = id;
  link->request_sent = !body;
  link->heads = 0;
  link->answered = link->answer_ended = false;
  link->end = H2_LINK_OPEN;
  link->connected = link->pooled->reused;
  stream_set_handler(link->pooled->stream, &stream_handler, link);
  extend(link);
  return link;
}

void h2_link_resume(struct h2_link *link) {
  (void)nghttp2_session_resume_data(link->session, link->id);
}

void h2_link_consumed(struct h2_link *link, size_t length) {
  if (nghttp2_session_consume_stream(link->session, link->id, length) == NGHTTP2_ERR_NOMEM)
    link_fail(link, H2_LINK_FAILED);
}

void h2_link_flush(struct h2_link *link) {
  if (!h2_send(link->session, link->pooled->stream))
    link_fail(link, H2_LINK_FAILED);
}

enum h2_link_end h2_link_end(const struct h2_link *link) {
  return link->end;
}

bool h2_link_connected(const struct h2_link *link) {
  return link->connected;
}

bool h2_link_reused(const struct h2_link *link) {
  return link->pooled->reused;
}

/* A stream that was reset may have frames on their way: the connection is not used again. */
static void give_up(struct h2_link *link) {
  struct pool_link *pooled = link->pooled;
  if (link->end == H2_LINK_OPEN || link->end == H2_LINK_COMPLETE)
    (void)nghttp2_submit_rst_stream(link->session, NGHTTP2_FLAG_NONE, link->id, NGHTTP2_CANCEL);
  link->end = H2_LINK_FAILED; /* no callback speaks of it any more */
  if (link->connected && h2_send(link->session, pooled->stream))
    pool_release(pooled);
  else
    pool_abort(pooled);
}

void h2_link_close(struct h2_link *link) {
  bool whole = link->end == H2_LINK_COMPLETE && link->request_sent;
  link->context = NULL;
  link->id = whole ? 0 : link->id;
  if (whole && is_usable(link) && !stream_full(link->pooled->stream))
    pool_give(link->pooled, true);
  else
    give_up(link);
}
