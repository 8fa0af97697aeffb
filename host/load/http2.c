/* HTTP/2 on a connection, and gRPC on that: as many requests at a time as there are slots, and as the target allows. */
#include <nghttp2/nghttp2.h>
#include <string.h>
#include <sys/socket.h>

#include "host/load/protocol.h"
#include "sdk/base/memory.h"

enum {
  GATHER = 64 * 1024, /* sent at once, and up to a frame more */
  HTTP_OK = 200,
  FRAME = 16 * 1024 + 9,
  WINDOW = (1 << 30) - 1, /* what comes is counted and not kept: it may come as it likes */
};

struct http2 {
  nghttp2_session *session;
  struct connection *connection;
  struct connection_context *context;
  int64_t now_ns;
  char *unsent; /* heap: what the socket did not take; NULL: nothing */
  size_t unsent_length, unsent_at;
  int64_t heard_ns; /* when something last came */
  int64_t asked_ns; /* when it was asked whether it is there still; 0: it was not */
  bool unsettled;   /* requests were given up */
  bool leaving;     /* it takes no further requests, and is closed when it has no more on their way */
};

/* ---- what nghttp2 tells */

static struct exchange *exchange_of(nghttp2_session *session, int32_t stream) {
  return nghttp2_session_get_stream_user_data(session, stream);
}

static void set_limit(struct http2 *http2) {
  uint32_t most = nghttp2_session_get_remote_settings(http2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  unsigned slots = http2->context->target->streams;
  bool closed = http2->leaving || http2->asked_ns > 0;
  http2->connection->limit = closed ? 0 : most < slots ? most : slots;
}

static void leave(struct http2 *http2) {
  http2->leaving = true;
  http2->connection->limit = 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user_data) {
  struct http2 *http2 = user_data;
  bool is_grpc = http2->context->target->protocol == TARGET_GRPC;
  bool is_status = name[0] == ':' && name_length == strlen(":status") && value_length == 3;
  (void)flags;
  if (!is_status && !is_grpc)
    return 0;
  struct exchange *exchange = exchange_of(session, frame->hd.stream_id);
  if (!exchange)
    return 0;
  if (!is_status) {
    grpc_call_field(&exchange->call, name, name_length, value, value_length);
    return 0;
  }
  if (!exchange->begun)
    connection_begun(exchange, http2->context, http2->now_ns);
  exchange->status = (unsigned)((value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0'));
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t length,
                   void *user_data) {
  const struct http2 *http2 = user_data;
  struct exchange *exchange = exchange_of(session, stream);
  (void)flags;
  if (exchange && exchange->status == HTTP_OK && http2->context->target->protocol == TARGET_GRPC)
    grpc_call_take(&exchange->call, data, length);
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
  struct http2 *http2 = user_data;
  struct exchange *exchange = NULL;
  switch (frame->hd.type) {
  case NGHTTP2_HEADERS:
  case NGHTTP2_DATA:
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM && (exchange = exchange_of(session, frame->hd.stream_id)))
      exchange->ended = true;
    return 0;
  case NGHTTP2_RST_STREAM:
    if ((exchange = exchange_of(session, frame->hd.stream_id)))
      exchange->was_reset = true;
    return 0;
  case NGHTTP2_SETTINGS:
    if (frame->hd.flags & NGHTTP2_FLAG_ACK)
      return 0;
    set_limit(http2);
    if (http2->connection->state == CONNECTION_GREETING)
      connection_stands(http2->connection, http2->context, http2->now_ns);
    return 0;
  case NGHTTP2_GOAWAY:
    leave(http2);
    return 0;
  default:
    return 0;
  }
}

/* The call's messages are counted, and what became of it. */
static void end_call(struct http2 *http2, struct exchange *exchange) {
  struct connection_context *context = http2->context;
  const struct target *target = context->target;
  context->tally->messages_read += exchange->call.messages;
  context->tally->messages_written += exchange->body_sent / (target->body_length / target->messages);
  if (!grpc_call_end(&exchange->call, exchange->status))
    connection_fail(http2->connection, context, exchange, LOAD_ERROR_MALFORMED, http2->now_ns);
  else if (target->health && exchange->call.status == GRPC_STATUS_OK && !grpc_call_serves(&exchange->call))
    connection_fail(http2->connection, context, exchange, LOAD_ERROR_NOT_SERVING, http2->now_ns);
  else
    connection_called(http2->connection, context, exchange, http2->now_ns);
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user_data) {
  struct http2 *http2 = user_data;
  struct exchange *exchange = exchange_of(session, stream);
  if (!exchange)
    return 0;
  if (exchange->ended && code == NGHTTP2_NO_ERROR && http2->context->target->protocol == TARGET_GRPC)
    end_call(http2, exchange);
  else if (exchange->ended && code == NGHTTP2_NO_ERROR)
    connection_answered(http2->connection, http2->context, exchange, exchange->status, http2->now_ns);
  else
    connection_fail(http2->connection, http2->context, exchange,
                    exchange->was_reset ? LOAD_ERROR_STREAM_RESET
                    : http2->leaving    ? LOAD_ERROR_GO_AWAY
                                        : LOAD_ERROR_MALFORMED,
                    http2->now_ns);
  if (http2->context->target->fresh)
    leave(http2);
  return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *buffer, size_t size, uint32_t *flags,
                         nghttp2_data_source *source, void *user_data) {
  const struct http2 *http2 = user_data;
  const struct target *target = http2->context->target;
  struct exchange *exchange = source->ptr;
  size_t left = target->body_length - exchange->body_sent;
  size_t length = left < size ? left : size;
  (void)session;
  (void)stream;
  memcpy(buffer, target->body + exchange->body_sent, length);
  exchange->body_sent += length;
  if (length == left)
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)length;
}

/* ---- a session */

static int make_session(struct http2 *http2) {
  static const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                                    {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}};
  nghttp2_session_callbacks *callbacks;
  if (nghttp2_session_callbacks_new(&callbacks) != 0)
    return -1;
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  if (http2->context->target->protocol == TARGET_GRPC)
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  int r = nghttp2_session_client_new(&http2->session, callbacks, http2);
  nghttp2_session_callbacks_del(callbacks);
  if (r == 0)
    r = nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings, ARRAY_COUNT(settings));
  if (r == 0)
    r = nghttp2_session_set_local_window_size(http2->session, NGHTTP2_FLAG_NONE, 0, WINDOW);
  return r;
}

static void close_session(struct connection *connection) {
  struct http2 *http2 = take(connection->http2);
  if (!http2)
    return;
  nghttp2_session_del(http2->session);
  free(http2->unsent);
  free(http2);
}

/* ---- sending */

static void submit(struct connection *connection, struct connection_context *context, struct exchange *exchange) {
  struct http2 *http2 = connection->http2;
  const struct target *target = context->target;
  const nghttp2_data_provider body = {.source.ptr = exchange, .read_callback = read_body};
  exchange->stream = nghttp2_submit_request(http2->session, NULL, target->fields.list, target->fields.count,
                                            target->body_length > 0 ? &body : NULL, exchange);
  if (exchange->stream <= 0 || nghttp2_session_get_next_stream_id(http2->session) > INT32_MAX)
    leave(http2); /* there is no memory, or no further number of a stream */
  if (exchange->stream <= 0)
    connection_fail(connection, context, exchange, LOAD_ERROR_SYSTEM, exchange->shot.sent_ns);
}

/* How many bytes went, or a transport_end; `*length` of 0 is none. */
static ssize_t send_all(struct connection *connection, struct connection_context *context, const char *data,
                        size_t length, enum load_error *ret_error) {
  size_t sent = 0;
  while (sent < length) {
    ssize_t n = transport_send(&connection->transport, data + sent, length - sent, ret_error);
    if (n == TRANSPORT_FAILED)
      return n;
    if (n == TRANSPORT_WAITS)
      break;
    sent += (size_t)n;
  }
  context->tally->bytes_written += sent;
  return (ssize_t)sent;
}

static size_t gather(struct http2 *http2, char *buffer) {
  size_t length = 0;
  while (length < GATHER) {
    const uint8_t *data;
    ssize_t n = nghttp2_session_mem_send(http2->session, &data);
    if (n <= 0)
      return length;
    memcpy(buffer + length, data, (size_t)n);
    length += (size_t)n;
  }
  return length;
}

static bool keep_unsent(struct http2 *http2, const char *data, size_t length) {
  http2->unsent = malloc(length);
  if (!http2->unsent)
    return false;
  memcpy(http2->unsent, data, length);
  http2->unsent_length = length;
  http2->unsent_at = 0;
  return true;
}

/* Whether nothing is left of it. */
static bool push_unsent(struct http2 *http2, enum load_error *ret_error, bool *ret_failed) {
  ssize_t n = send_all(http2->connection, http2->context, http2->unsent + http2->unsent_at,
                       http2->unsent_length - http2->unsent_at, ret_error);
  *ret_failed = n < 0;
  http2->unsent_at += n > 0 ? (size_t)n : 0;
  if (n < 0 || http2->unsent_at < http2->unsent_length)
    return false;
  free(take(http2->unsent));
  return true;
}

static void push(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  struct http2 *http2 = connection->http2;
  char buffer[GATHER + FRAME];
  enum load_error error = LOAD_ERROR_SYSTEM;
  bool failed = false;
  size_t length;
  http2->now_ns = now_ns;
  while (!failed && (!http2->unsent || push_unsent(http2, &error, &failed)) && (length = gather(http2, buffer)) > 0) {
    ssize_t n = send_all(connection, context, buffer, length, &error);
    failed = n < 0 || ((size_t)n < length && !keep_unsent(http2, buffer + n, length - (size_t)n));
    if (failed || (size_t)n < length)
      break;
  }
  if (failed)
    connection_break(connection, context, error, now_ns);
}

/* Greets; it stands when the target has greeted, too. */
static void open_session(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  struct http2 *http2 = connection->http2 = calloc(1, sizeof(*http2));
  if (http2)
    *http2 = (struct http2){.connection = connection, .context = context, .now_ns = now_ns, .heard_ns = now_ns};
  if (!http2 || make_session(http2) != 0)
    connection_break(connection, context, LOAD_ERROR_SYSTEM, now_ns);
  else
    push(connection, context, now_ns);
}

/* ---- receiving */

/* Whether more may come. */
static bool take_bytes(struct connection *connection, struct connection_context *context, size_t length,
                       int64_t now_ns) {
  struct http2 *http2 = connection->http2;
  context->tally->bytes_read += length;
  if (nghttp2_session_mem_recv(http2->session, (const uint8_t *)context->buffer, length) == (ssize_t)length)
    return true;
  connection_break(connection, context, LOAD_ERROR_MALFORMED, now_ns);
  return false;
}

/* By what name its requests fail if it has no more to say: nghttp2 ends a session whose frames are none. */
static enum load_error end_of(const struct http2 *http2) {
  if (http2->leaving)
    return LOAD_ERROR_GO_AWAY;
  return nghttp2_session_check_request_allowed(http2->session) ? LOAD_ERROR_CLOSED : LOAD_ERROR_MALFORMED;
}

/* It has to be seen what became of the session. */
static void settle(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  struct http2 *http2 = connection->http2;
  http2->unsettled = false;
  push(connection, context, now_ns);
  if (connection->state == CONNECTION_DOWN)
    return;
  if (http2->leaving && connection->on_their_way == 0)
    connection_close(connection, context, now_ns);
  else if (end_of(http2) == LOAD_ERROR_MALFORMED || !nghttp2_session_want_read(http2->session))
    connection_break(connection, context, end_of(http2), now_ns);
}

/* Something has come, after it was asked whether it is there. */
static void resume(struct http2 *http2) {
  http2->asked_ns = 0;
  set_limit(http2);
}

static void receive(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  struct http2 *http2 = connection->http2;
  enum load_error error;
  size_t taken = 0;
  ssize_t n = TRANSPORT_WAITS;
  http2->now_ns = now_ns;
  while (taken < CONNECTION_TURN_BYTES &&
         (n = transport_receive(&connection->transport, context->buffer, context->buffer_size, &error)) > 0) {
    http2->heard_ns = now_ns;
    taken += (size_t)n;
    if (!take_bytes(connection, context, (size_t)n, now_ns))
      return;
  }
  if (n < 0) {
    connection_break(connection, context, n == TRANSPORT_ENDED ? end_of(http2) : error, now_ns);
    return;
  }
  if (http2->asked_ns > 0 && taken > 0)
    resume(http2);
  if (n > 0)
    connection_rearm(connection, context);
  settle(connection, context, now_ns);
}

/* ---- requests that take too long */

/* A target that has said nothing since the request went may be gone without a word, or only slow: it is asked, and has
 * no further requests until it says something. */
static void ask(struct http2 *http2, int64_t now_ns) {
  (void)nghttp2_submit_ping(http2->session, NGHTTP2_FLAG_NONE, NULL);
  http2->asked_ns = now_ns;
  http2->connection->limit = 0;
}

/* The target is asked not to answer it any more, and the other requests go on. */
static void give_up(struct connection *connection, struct connection_context *context, struct exchange *exchange,
                    int64_t now_ns) {
  struct http2 *http2 = connection->http2;
  (void)nghttp2_session_set_stream_user_data(http2->session, exchange->stream, NULL);
  (void)nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, exchange->stream, NGHTTP2_CANCEL);
  if (context->target->fresh)
    leave(http2);
  else if (http2->asked_ns == 0 && http2->heard_ns <= exchange->shot.sent_ns)
    ask(http2, now_ns);
  http2->unsettled = true;
  connection_fail(connection, context, exchange, LOAD_ERROR_TIMEOUT, now_ns);
}

static void expire(struct connection *connection, struct connection_context *context, int64_t now_ns) {
  const struct http2 *http2 = connection->http2;
  int64_t patience_ns =
      context->timeout_ns < context->connect_timeout_ns ? context->timeout_ns : context->connect_timeout_ns;
  if (http2->asked_ns > 0 && now_ns - http2->asked_ns >= patience_ns)
    connection_break(connection, context, LOAD_ERROR_TIMEOUT, now_ns);
  else if (http2->unsettled)
    settle(connection, context, now_ns);
}

const struct protocol http2_protocol = {.socket_type = SOCK_STREAM,
                                        .open = open_session,
                                        .close = close_session,
                                        .submit = submit,
                                        .push = push,
                                        .receive = receive,
                                        .give_up = give_up,
                                        .expire = expire};
