/* Calls by h2c with prior knowledge, one stream at a time. */
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/workload/caller.h"
#include "host/lab/workload/header.h"
#include "host/lab/workload/stream.h"

#define FIXED_HEADERS 6

struct http2_caller {
  struct caller caller;
  struct stream *stream;
  nghttp2_session *session;
  size_t sent; /* of the request's body */
  int32_t stream_id;
  uint32_t close_code;
  bool in_head;  /* not in the trailers, which are ignored */
  bool complete; /* the stream closed */
  bool too_large;
  bool going; /* the peer said that it takes no more streams */
};

static struct http2_caller *http2_of(struct caller *caller) {
  return (struct http2_caller *)caller; /* its first member */
}

/* A head after an interim one (1xx) is the answer's; one after the answer's is trailers. */
static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)session;
  struct http2_caller *http = user;
  if (!http->caller.busy || frame->hd.stream_id != http->stream_id)
    return 0;
  http->in_head = http->caller.outcome.status < 200;
  if (http->in_head)
    caller_begin_head(&http->caller);
  return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user) {
  (void)session;
  (void)flags;
  struct http2_caller *http = user;
  if (!http->caller.busy || frame->hd.stream_id != http->stream_id)
    return 0;
  http->caller.silent = false;
  if (!http->in_head)
    return 0;
  if (name_length == 7 && memcmp(name, ":status", 7) == 0)
    http->caller.outcome.status = (unsigned)strtoul((const char *)value, NULL, 10);
  else
    caller_header(&http->caller, (const char *)name, name_length, (const char *)value, value_length);
  return 0;
}

static int on_body(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data, size_t length,
                   void *user) {
  (void)flags;
  struct http2_caller *http = user;
  if (!http->caller.busy || stream_id != http->stream_id || caller_body(&http->caller, data, length))
    return 0;
  http->too_large = true;
  return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_CANCEL);
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user) {
  (void)session;
  struct http2_caller *http = user;
  if (http->caller.busy && stream_id == http->stream_id) {
    http->complete = true;
    http->close_code = code;
  }
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
  (void)session;
  struct http2_caller *http = user;
  if (frame->hd.type == NGHTTP2_GOAWAY)
    http->going = true;
  return 0;
}

static ssize_t on_read_body(nghttp2_session *session, int32_t stream_id, uint8_t *data, size_t length, uint32_t *flags,
                            nghttp2_data_source *source, void *user) {
  (void)session;
  (void)stream_id;
  (void)user;
  struct http2_caller *http = source->ptr;
  const struct call_request *request = http->caller.request;
  size_t left = request->body_length - http->sent;
  size_t part = left < length ? left : length;
  memcpy(data, request->body + http->sent, part);
  http->sent += part;
  if (part == left)
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)part;
}

static void finish_call(struct http2_caller *http) {
  char text[80];
  bool answered = http->close_code == NGHTTP2_NO_ERROR && http->caller.outcome.status >= 200 && !http->too_large;
  http->complete = false;
  if (answered) {
    caller_finish(&http->caller, CALL_ANSWERED, !http->going, NULL);
  } else if (http->too_large) {
    caller_finish(&http->caller, CALL_ERROR, false, "the response's body is over 1 MiB");
  } else {
    (void)snprintf(text, sizeof(text), "stream reset: %s", nghttp2_http2_strerror(http->close_code));
    caller_finish(&http->caller, CALL_RESET, false, text);
  }
}

/* False when the session is broken: nothing more can come of it. */
static bool flush(struct http2_caller *http) {
  const uint8_t *data = NULL;
  ssize_t n;
  while ((n = nghttp2_session_mem_send(http->session, &data)) > 0)
    strbuf_append(stream_output(http->stream), data, (size_t)n);
  stream_flush(http->stream);
  return n == 0 && (nghttp2_session_want_read(http->session) || nghttp2_session_want_write(http->session));
}

static void on_data(void *user, const uint8_t *data, size_t length) {
  struct http2_caller *http = user;
  ssize_t n = nghttp2_session_mem_recv(http->session, data, length);
  bool sound = flush(http);
  if (http->complete) {
    finish_call(http);
  } else if (n < 0 || !sound) {
    stream_pause(http->stream, true);
    if (http->caller.busy)
      caller_finish(&http->caller, CALL_ERROR, false, n < 0 ? nghttp2_strerror((int)n) : "what came was not HTTP/2");
    else
      caller_ended(&http->caller, EPROTO);
  } else if (!http->caller.busy && http->going) {
    caller_ended(&http->caller, 0);
  }
}

static void on_end(void *user, int code) {
  struct http2_caller *http = user;
  stream_pause(http->stream, true);
  caller_ended(&http->caller, code);
}

static const struct stream_handler handler = {.data = on_data, .end = on_end};

static void http2_send(struct caller *caller) {
  struct http2_caller *http = http2_of(caller);
  const struct call_request *request = caller->request;
  char length[24];
  nghttp2_nv headers[FIXED_HEADERS + WORKLOAD_HEADERS_MAX];
  size_t count = 0;
  headers[count++] = header_nv(":method", request->method);
  headers[count++] = header_nv(":scheme", "http");
  headers[count++] = header_nv(":authority", request->authority);
  headers[count++] = header_nv(":path", request->path);
  if (request->id[0])
    headers[count++] = header_nv("x-trammel-id", request->id);
  (void)snprintf(length, sizeof(length), "%zu", request->body_length);
  if (request->body)
    headers[count++] = header_nv("content-length", length);
  for (size_t i = 0; i < request->header_count && i < WORKLOAD_HEADERS_MAX; i++)
    headers[count++] = header_nv(request->headers[i].name, request->headers[i].value);
  nghttp2_data_provider body = {.source.ptr = http, .read_callback = on_read_body};
  http->sent = 0;
  http->complete = false;
  http->too_large = false;
  http->stream_id = nghttp2_submit_request(http->session, NULL, headers, count, request->body ? &body : NULL, NULL);
  (void)flush(http); /* a session that broke ends with its connection or the call's timeout */
}

static int session_create(struct http2_caller *http) {
  nghttp2_session_callbacks *callbacks = NULL;
  if (nghttp2_session_callbacks_new(&callbacks) != 0)
    return -ENOMEM;
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_body);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  int r = nghttp2_session_client_new(&http->session, callbacks, http);
  nghttp2_session_callbacks_del(callbacks);
  static const nghttp2_settings_entry entries[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  return r != 0 || nghttp2_submit_settings(http->session, NGHTTP2_FLAG_NONE, entries, 1) != 0 ? -ENOMEM : 0;
}

static void http2_destroy(struct caller *caller) {
  struct http2_caller *http = http2_of(caller);
  nghttp2_session_del(http->session);
  stream_destroy(http->stream);
  free(http);
}

static int http2_open(struct event_base *base, const struct endpoint *endpoint, struct caller **ret_caller) {
  struct http2_caller *http = calloc(1, sizeof(*http));
  if (!http)
    return -ENOMEM;
  int r = stream_connect(base, endpoint, &handler, http, &http->stream);
  if (r == 0)
    r = session_create(http);
  if (r < 0) {
    http2_destroy(&http->caller);
    return r;
  }
  *ret_caller = &http->caller;
  return 0;
}

const struct caller_type caller_http2 = {
    .protocol = CALL_H2C, .open = http2_open, .send = http2_send, .destroy = http2_destroy};
