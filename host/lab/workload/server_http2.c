/* Serves h2c: cleartext HTTP/2 with prior knowledge (RFC 9113). */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "host/lab/workload/connection.h"
#include "host/lab/workload/exchange.h"
#include "host/lab/workload/forward.h"
#include "host/lab/workload/header.h"

#define STREAMS_MAX 256

/* Streams that wait hold what came of their request, and their reply. Past these, a stream is reset. */
#define CONNECTION_HELD_MAX (8u * 1024 * 1024)
#define SERVICE_HELD_MAX (64u * 1024 * 1024)

LIST_HEAD(request_list, request);

struct http2 {
  struct connection *connection;
  nghttp2_session *session;
  size_t held;                  /* bytes of its requests and replies */
  struct request_list requests; /* nghttp2 does not report the streams that are open when a session goes */
};

struct request {
  LIST_ENTRY(request) link;
  struct http2 *http;
  struct exchange exchange;
  struct forward *forward;
  size_t sent; /* of the reply */
  size_t held; /* counted for it in the connection and the service */
  int32_t stream_id;
  bool answered;
};

static void request_destroy(struct request *request) {
  if (!request)
    return;
  LIST_REMOVE(request, link);
  request->http->held -= request->held;
  request->http->connection->service->held -= request->held;
  forward_destroy(request->forward);
  exchange_finish(&request->exchange);
  free(request);
}

static ssize_t on_read_reply(nghttp2_session *session, int32_t stream_id, uint8_t *data, size_t length, uint32_t *flags,
                             nghttp2_data_source *source, void *user) {
  (void)session;
  (void)stream_id;
  (void)user;
  struct request *request = source->ptr;
  size_t left = request->exchange.reply.length - request->sent;
  size_t part = left < length ? left : length;
  if (part > 0)
    memcpy(data, request->exchange.reply.data + request->sent, part);
  request->sent += part;
  if (part == left)
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)part;
}

/* Counts what the request holds now. False when it is over a budget. */
static bool request_weigh(struct request *request) {
  struct http2 *http = request->http;
  struct service *service = http->connection->service;
  const struct exchange *exchange = &request->exchange;
  size_t held = exchange->path.length + exchange->body.length + exchange->reply.length;
  http->held += held - request->held;
  service->held += held - request->held;
  request->held = held;
  return http->held <= CONNECTION_HELD_MAX && service->held <= SERVICE_HELD_MAX;
}

static int request_reset(struct request *request) {
  request->answered = true;
  return nghttp2_submit_rst_stream(request->http->session, NGHTTP2_FLAG_NONE, request->stream_id,
                                   NGHTTP2_ENHANCE_YOUR_CALM);
}

static int write_answer(struct request *request) {
  const struct exchange *exchange = &request->exchange;
  if (!request_weigh(request))
    return request_reset(request);
  char status[16];
  char length[24];
  size_t count = 0;
  nghttp2_nv headers[5];
  (void)snprintf(status, sizeof(status), "%u", exchange->status);
  (void)snprintf(length, sizeof(length), "%zu", exchange->reply.length);
  headers[count++] = header_nv(":status", status);
  headers[count++] = header_nv("content-type", exchange->reply_type);
  headers[count++] = header_nv("content-length", length);
  if (exchange->nonce[0]) {
    headers[count++] = header_nv("x-trammel-nonce", exchange->nonce);
    headers[count++] = header_nv("x-trammel-server", request->http->connection->service->name);
  }
  nghttp2_data_provider body = {.source.ptr = request, .read_callback = on_read_reply};
  bool head = strcmp(exchange->method, "HEAD") == 0;
  request->answered = true;
  return nghttp2_submit_response(request->http->session, request->stream_id, headers, count, head ? NULL : &body);
}

static void http2_flush(struct http2 *http) {
  struct stream *stream = http->connection->stream;
  const uint8_t *data = NULL;
  ssize_t n;
  while ((n = nghttp2_session_mem_send(http->session, &data)) > 0)
    strbuf_append(stream_output(stream), data, (size_t)n);
  bool over = !nghttp2_session_want_read(http->session) && !nghttp2_session_want_write(http->session);
  if (n < 0 || over)
    stream_close(stream);
  else
    stream_flush(stream);
}

static void on_forwarded(void *user, const struct forward_reply *reply) {
  struct request *request = user;
  request->exchange.status = reply->status;
  strbuf_append(&request->exchange.reply, reply->body, reply->body_length);
  /* submitting copies the headers, so the reply's content type may go with the forward */
  request->exchange.reply_type = reply->content_type;
  int r = write_answer(request);
  request->exchange.reply_type = "application/json";
  forward_destroy(take(request->forward));
  if (r < 0)
    stream_close(request->http->connection->stream);
  else
    http2_flush(request->http);
}

static int serve(struct request *request) {
  struct exchange *exchange = &request->exchange;
  struct service *service = request->http->connection->service;
  if (exchange->status == 0)
    exchange_accept(exchange, service);
  if (exchange->status == 0 && exchange_is_call(exchange)) {
    _cleanup_error_ struct error *err = NULL;
    if (forward_create(request->http->connection->base, service, strbuf_text(&exchange->body), exchange->body.length,
                       on_forwarded, request, &request->forward, &err) == 0)
      return 0;
    exchange_fail(exchange, 400, error_message(err));
  }
  exchange_answer(exchange, service);
  return write_answer(request);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
    return 0;
  struct http2 *http = user;
  struct request *request = calloc(1, sizeof(*request));
  if (!request)
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  request->http = http;
  request->stream_id = frame->hd.stream_id;
  LIST_INSERT_HEAD(&http->requests, request, link);
  exchange_begin(&request->exchange, "h2c", http->connection->port);
  return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, request);
}

/* A request over a limit is answered at once, and the rest of it is not wanted. */
static int refuse(struct request *request) {
  if (request->answered)
    return 0;
  return write_answer(request) < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user) {
  (void)flags;
  (void)user;
  struct request *request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!request || request->exchange.status != 0 || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
    return 0; /* the last: trailers */
  struct exchange *exchange = &request->exchange;
  const char *key = (const char *)name;
  const char *text = (const char *)value;
  if (name_length == 7 && memcmp(key, ":method", 7) == 0) {
    if (value_length > EXCHANGE_METHOD_MAX)
      exchange_fail(exchange, 400, "the method is longer than 31 characters");
    else
      memcpy(exchange->method, text, value_length + 1); /* nghttp2 puts a NUL after every value */
  } else if (name_length == 5 && memcmp(key, ":path", 5) == 0) {
    (void)exchange_path(exchange, text, value_length);
  } else if (name_length > 0 && key[0] != ':') {
    (void)exchange_header(exchange, key, name_length, text, value_length);
  }
  return 0; /* a limit that was passed is answered at the end of the head */
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)user;
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
    return 0;
  struct request *request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!request || request->answered)
    return 0;
  if (strcmp(request->exchange.method, "CONNECT") == 0 && request->exchange.status == 0)
    exchange_fail(&request->exchange, 405, "CONNECT asks for a tunnel, and this is no proxy");
  if (request->exchange.status != 0)
    return refuse(request);
  if (!request_weigh(request))
    return request_reset(request) != 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
  if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
    return serve(request) < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
  return 0;
}

static int on_body(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data, size_t length,
                   void *user) {
  (void)flags;
  (void)user;
  struct request *request = nghttp2_session_get_stream_user_data(session, stream_id);
  if (!request || request->answered)
    return 0;
  if (exchange_body(&request->exchange, data, length) < 0)
    return refuse(request);
  if (!request_weigh(request) && request_reset(request) != 0)
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user) {
  (void)code;
  (void)user;
  request_destroy(nghttp2_session_get_stream_user_data(session, stream_id));
  return nghttp2_session_set_stream_user_data(session, stream_id, NULL) < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int session_create(struct http2 *http) {
  nghttp2_session_callbacks *callbacks = NULL;
  if (nghttp2_session_callbacks_new(&callbacks) != 0)
    return -1;
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_body);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  int r = nghttp2_session_server_new(&http->session, callbacks, http);
  nghttp2_session_callbacks_del(callbacks);
  static const nghttp2_settings_entry entries[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, WORKLOAD_HEAD_MAX},
  };
  return r != 0 ? r : nghttp2_submit_settings(http->session, NGHTTP2_FLAG_NONE, entries, 2);
}

static void http2_data(struct connection *connection, const uint8_t *data, size_t length) {
  struct http2 *http = connection->state;
  if (!http) {
    http = connection->state = calloc(1, sizeof(*http));
    if (!http) {
      stream_close(connection->stream);
      return;
    }
    http->connection = connection;
    if (session_create(http) != 0) {
      stream_close(connection->stream);
      return;
    }
  }
  if (!http->session)
    return;
  if (nghttp2_session_mem_recv(http->session, data, length) < 0)
    (void)nghttp2_session_terminate_session(http->session, NGHTTP2_PROTOCOL_ERROR);
  http2_flush(http);
}

static void http2_finish(struct connection *connection) {
  struct http2 *http = connection->state;
  if (!http)
    return;
  while (!LIST_EMPTY(&http->requests))
    request_destroy(LIST_FIRST(&http->requests));
  nghttp2_session_del(http->session);
  free(http);
}

const struct connection_protocol connection_http2 = {.data = http2_data, .finish = http2_finish};
