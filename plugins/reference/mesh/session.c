#include "plugins/reference/mesh/session.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/message.h"
#include "sdk/base/clock.h"

enum {
  STATUS_FORBIDDEN = 403,
  STATUS_BAD_GATEWAY = 502,
  STATUS_UNAVAILABLE = 503,
  STATUS_TIMEOUT = 504,
};

struct session {
  struct stream *client;
  struct pool *pool;
  struct pool_link *link; /* where the request goes; NULL when nowhere */
  struct message request, response;
  const struct session_handler *handler;
  void *context;
  struct target target; /* of the request; what it borrows is the handler's until the next request */
  struct strbuf scratch;
  int64_t start_ns;
  int64_t written_ns; /* when the request's head was queued on the link */
  unsigned status;    /* of the answer that was begun */
  size_t discarded;   /* bytes of body read off after an early answer */
  bool silent;        /* what is no HTTP gets no answer */
  bool keep;          /* the client's connection stays after this exchange */
  bool answered;      /* the answer is complete */
  bool rechunk;       /* the answer's length isn't known beforehand */
  bool retried;
  bool link_connected;
  bool head_awaited; /* the deadline for the head of a request that was begun is set */
  bool client_ended; /* the client sends no more */
  bool finished;     /* nothing more is read; close when the queued is sent */
  bool broken;       /* close at once */
};

static const struct stream_handler link_handler;

static bool is_interim(unsigned status) {
  return status >= 100 && status < 200;
}

/* The answer is complete or given up. */
static void exchange_served(struct session *session) {
  session->answered = true;
  unsigned status = is_interim(session->status) ? 0 : session->status;
  if (session->handler->served)
    session->handler->served(session->context, NULL, status, clock_monotonic_ns() - session->start_ns);
}

/* Gives the exchange up: the server learns that nobody waits for its answer. */
static void drop_link(struct session *session) {
  if (session->link)
    pool_abort(take(session->link));
}

static void write_text(struct stream *stream, const struct strbuf *text) {
  stream_write(stream, text->data, text->length);
}

static const char *reason_phrase(unsigned status) {
  switch (status) {
  case HTTP_STATUS_OK:
    return "OK";
  case 400:
    return "Bad Request";
  case STATUS_FORBIDDEN:
    return "Forbidden";
  case 413:
    return "Content Too Large";
  case 431:
    return "Request Header Fields Too Large";
  case 501:
    return "Not Implemented";
  case STATUS_BAD_GATEWAY:
    return "Bad Gateway";
  case STATUS_UNAVAILABLE:
    return "Service Unavailable";
  case STATUS_TIMEOUT:
    return "Gateway Timeout";
  case 505:
    return "HTTP Version Not Supported";
  default:
    return "Error";
  }
}

/* The client has the head of this exchange's answer, and not yet its end. */
static bool answer_is_begun(const struct session *session) {
  return !session->answered && session->status != 0 && !is_interim(session->status);
}

static void write_connection(struct session *session, struct strbuf *out) {
  if (!session->keep)
    strbuf_puts(out, "Connection: close\r\n");
  else if (session->request.parser.http_minor == 0)
    strbuf_puts(out, "Connection: keep-alive\r\n");
}

/* Answers in the mesh's own name. The rest of the request is read off. */
static void answer(struct session *session, unsigned status, const char *marker, const char *text) {
  struct strbuf *out = &session->scratch;
  strbuf_clear(out);
  strbuf_printf(out, "HTTP/1.1 %u %s\r\nx-trammel-refmesh: %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n",
                status, reason_phrase(status), marker, strlen(text));
  write_connection(session, out);
  strbuf_puts(out, "\r\n");
  if (!session->request.has_head || session->request.parser.method != HTTP_HEAD)
    strbuf_puts(out, text);
  write_text(session->client, out);
  session->status = status;
  exchange_served(session);
}

/* What the client sent is no HTTP (any more): nothing after it can be understood. */
static void reject(struct session *session, unsigned status) {
  session->keep = false;
  session->finished = true;
  if (session->silent || session->answered)
    return;
  if (answer_is_begun(session)) {
    session->broken = true;
    return;
  }
  session->status = status;
  struct strbuf *out = &session->scratch;
  strbuf_clear(out);
  strbuf_printf(out, "HTTP/1.1 %u %s\r\nx-trammel-refmesh: invalid\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                status, reason_phrase(status));
  write_text(session->client, out);
}

static void write_request_head(struct session *session) {
  struct strbuf *out = &session->scratch;
  const struct head *head = &session->request.head;
  struct slice target = head_start(head);
  strbuf_clear(out);
  strbuf_puts(out, head->method);
  strbuf_putc(out, ' ');
  strbuf_append(out, target.data, target.length);
  strbuf_puts(out, " HTTP/1.1\r\n");
  if (head_count(head, "host", NULL) == 0)
    strbuf_puts(out, "Host:\r\n"); /* HTTP/1.0 needs none, but what goes on is 1.1 (RFC 9112, 3.2) */
  head_write_fields(head, out);
  if (session->request.chunked)
    strbuf_puts(out, "Transfer-Encoding: chunked\r\n");
  strbuf_puts(out, "\r\n");
  write_text(session->link->stream, out);
}

static bool expects_continue(const struct session *session) {
  return head_count(&session->request.head, "expect", NULL) > 0;
}

/* An early answer leaves a body that the client may or may not send: only closing is clear to both (RFC 9110, 10.1.1).
 */
static void answer_early(struct session *session, unsigned status, const char *marker, const char *text) {
  if (expects_continue(session))
    session->keep = false;
  answer(session, status, marker, text);
}

static void forward(struct session *session, bool idle) {
  message_reset(&session->response);
  session->response.bodiless = session->request.parser.method == HTTP_HEAD;
  session->link = pool_take(session->pool, &session->target, idle, &link_handler, session);
  if (!session->link) {
    answer_early(session, STATUS_UNAVAILABLE, "unavailable", "no connection could be made\n");
    return;
  }
  session->link_connected = session->link->reused;
  if (session->link_connected)
    stream_set_deadline(session->link->stream, TIMEOUT_ANSWER);
  write_request_head(session);
  session->written_ns = clock_monotonic_ns();
}

/* Does what was decided. */
static void follow(struct session *session, enum route route, bool idle) {
  switch (route) {
  case ROUTE_FORWARD:
    forward(session, idle);
    break;
  case ROUTE_DENIED:
    answer_early(session, STATUS_FORBIDDEN, "denied", "denied by policy\n");
    break;
  case ROUTE_UNAVAILABLE:
    answer_early(session, STATUS_UNAVAILABLE, "unavailable", "no workload can take the request\n");
    break;
  case ROUTE_FAKED:
    answer_early(session, HTTP_STATUS_OK, "faked", "ok\n");
    break;
  }
}

static void request_head(void *context) {
  struct session *session = context;
  session->start_ns = clock_monotonic_ns();
  bool last = session->handler->last && session->handler->last(session->context);
  session->keep = session->request.keep_alive && !last;
  stream_set_deadline(session->client, TIMEOUT_EXCHANGE);
  session->retried = false;
  follow(session, session->handler->route(session->context, &session->request.head, &session->target), true);
}

/* Sends body bytes, as a chunk where the length wasn't told. */
static void write_body(struct stream *stream, bool chunked, const char *data, size_t length) {
  char size[32];
  if (chunked)
    stream_write(stream, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", length));
  stream_write(stream, data, length);
  if (chunked)
    stream_write(stream, "\r\n", 2);
}

/* The server has its time anew with every byte that passes either way. */
static void await_answer(struct session *session) {
  if (session->link_connected)
    stream_set_deadline(session->link->stream, TIMEOUT_ANSWER);
}

static void request_body(void *context, const char *data, size_t length) {
  struct session *session = context;
  if (session->link && !session->answered) {
    write_body(session->link->stream, session->request.chunked, data, length);
    await_answer(session);
    if (stream_full(session->link->stream))
      stream_pause(session->client);
    return;
  }
  session->discarded += length;
  if (session->discarded > LIMIT_DISCARDED_BODY)
    session->finished = true;
}

static const struct message_handler request_handler = {.head = request_head, .body = request_body};

static void write_response_head(struct session *session) {
  struct strbuf *out = &session->scratch;
  const struct message *response = &session->response;
  struct slice reason = head_start(&response->head);
  strbuf_clear(out);
  strbuf_printf(out, "HTTP/1.1 %u ", message_status(response));
  strbuf_append(out, reason.data, reason.length);
  strbuf_puts(out, "\r\n");
  head_write_fields(&response->head, out);
}

static void response_head(void *context) {
  struct session *session = context;
  unsigned status = message_status(&session->response);
  session->status = status;
  if (session->handler->program)
    head_drop(&session->response.head, "x-trammel-refmesh");
  write_response_head(session);
  struct strbuf *out = &session->scratch;
  if (is_interim(status)) {
    strbuf_puts(out, "\r\n");
    if (status != HTTP_STATUS_SWITCHING_PROTOCOLS && session->request.parser.http_minor > 0)
      write_text(session->client, out);
    return;
  }
  bool known = head_count(&session->response.head, "content-length", NULL) > 0;
  session->rechunk = !known && !session->response.bodiless;
  if (session->rechunk && session->request.parser.http_minor == 0) {
    session->rechunk = false;
    session->keep = false; /* the connection's end tells the length */
  }
  if (session->rechunk)
    strbuf_puts(out, "Transfer-Encoding: chunked\r\n");
  write_connection(session, out);
  strbuf_puts(out, "\r\n");
  write_text(session->client, out);
}

static void response_body(void *context, const char *data, size_t length) {
  struct session *session = context;
  write_body(session->client, session->rechunk, data, length);
}

static const struct message_handler response_handler = {.head = response_head, .body = response_body};

/* Makes ready for the next request once this one was read and answered. */
static void exchange_finish(struct session *session) {
  if (!session->answered || session->finished || session->broken)
    return;
  if (!session->keep) {
    session->finished = true;
    return;
  }
  if (!session->request.complete)
    return;
  message_reset(&session->request);
  session->status = 0;
  session->answered = false;
  session->discarded = 0;
  session->head_awaited = false;
  if (session->client_ended)
    session->finished = true;
  stream_set_deadline(session->client, TIMEOUT_IDLE);
  stream_resume(session->client);
}

/* What every entry from the loop ends with; the session may be gone after it. */
static void settle(struct session *session) {
  exchange_finish(session);
  if (session->link)
    stream_flush(session->link->stream);
  if (!session->finished && !session->broken) {
    stream_flush(session->client);
    return;
  }
  if (session->request.has_head && !session->answered)
    exchange_served(session);
  drop_link(session);
  if (session->broken)
    stream_abort(take(session->client));
  else
    stream_finish(take(session->client));
  session->handler->closed(session->context);
}

static void request_step(struct session *session) {
  if (session->request.problem) {
    reject(session, (unsigned)session->request.problem);
    return;
  }
  if (!session->request.has_head)
    return;
  if (session->request.complete && session->link && !session->answered && session->request.chunked)
    stream_write(session->link->stream, "0\r\n\r\n", 5);
  exchange_finish(session);
}

/* A head has its time from its first byte on, however slowly the rest comes. */
static void await_head(struct session *session) {
  if (!session->request.begun || session->request.has_head || session->head_awaited)
    return;
  session->head_awaited = true;
  stream_set_deadline(session->client, TIMEOUT_HEAD);
}

/* The next request waits until this one is answered: responses are in order, and one can't overtake a decision. It also
 * waits while the client leaves its answers unread. */
static bool takes_more(const struct session *session) {
  return !session->request.complete && !session->finished && (session->request.begun || !stream_full(session->client));
}

static size_t client_data(void *context, const char *data, size_t length) {
  struct session *session = context;
  size_t used = 0;
  while (used < length && takes_more(session)) {
    used += message_feed(&session->request, data + used, length - used);
    request_step(session);
  }
  await_head(session);
  settle(session);
  return used;
}

static void client_ready(void *context) {
  (void)context;
}

static void client_drained(void *context) {
  struct session *session = context;
  if (session->link)
    stream_resume(session->link->stream);
  if (!session->link || !stream_full(session->link->stream))
    stream_resume(session->client);
}

/* A client that ends its side after a request still gets the answer. */
static void client_ended(void *context, enum stream_end end) {
  struct session *session = context;
  session->client_ended = true;
  if (end != STREAM_EOF)
    session->broken = true;
  else if (!session->request.complete) { /* between requests, or within one: what is answered already is sent */
    session->finished = true;
    session->broken = answer_is_begun(session);
  }
  settle(session);
}

static const struct stream_handler client_handler = {
    .ready = client_ready, .data = client_data, .drained = client_drained, .ended = client_ended};

static void link_ready(void *context) {
  struct session *session = context;
  session->link_connected = true;
  await_answer(session);
}

static void link_drained(void *context) {
  struct session *session = context;
  stream_resume(session->client);
}

/* The server failed before its answer reached the client, or in the middle of it. */
static void link_broken(struct session *session, unsigned status, const char *text) {
  drop_link(session);
  if (session->status == 0 || is_interim(session->status)) {
    answer_early(session, status, "unavailable", text);
    stream_resume(session->client);
  } else {
    session->status = 0;
    session->broken = true;
  }
}

static void response_complete(struct session *session, bool all_used) {
  if (session->rechunk)
    stream_write(session->client, "0\r\n\r\n", 5);
  bool reusable =
      all_used && session->request.complete && session->response.keep_alive && !stream_full(session->link->stream);
  pool_give(take(session->link), reusable);
  exchange_served(session);
  if (!session->request.complete)
    stream_resume(session->client); /* to read the rest off */
}

static void response_step(struct session *session, bool all_used) {
  if (session->response.problem) {
    link_broken(session, STATUS_BAD_GATEWAY, "the answer can't be understood\n");
    return;
  }
  if (!session->response.complete)
    return;
  unsigned status = message_status(&session->response);
  if (status == HTTP_STATUS_SWITCHING_PROTOCOLS) {
    link_broken(session, STATUS_BAD_GATEWAY, "an upgrade that nobody asked for\n");
    return;
  }
  if (!is_interim(status)) {
    response_complete(session, all_used);
    return;
  }
  bool bodiless = session->request.parser.method == HTTP_HEAD;
  message_reset(&session->response);
  session->response.bodiless = bodiless;
}

static size_t link_data(void *context, const char *data, size_t length) {
  struct session *session = context;
  size_t used = 0;
  while (used < length && session->link) {
    used += message_feed(&session->response, data + used, length - used);
    response_step(session, used == length);
  }
  if (session->link) {
    await_answer(session);
    if (stream_full(session->client))
      stream_pause(session->link->stream);
  }
  settle(session);
  return length;
}

/* A kept connection may end just as it is used: then it ends at once, before the server can have seen the request. What
 * has no effect on the server may be sent again (RFC 9110, 9.2.2). */
static bool may_retry(const struct session *session) {
  unsigned method = session->request.parser.method;
  return session->link->reused && !session->retried && session->status == 0 && !session->response.begun &&
         !session->request.has_body && clock_monotonic_ns() - session->written_ns < RETRY_WINDOW_MS * NS_PER_MS &&
         (method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS);
}

static void link_ended(void *context, enum stream_end end) {
  struct session *session = context;
  if (end == STREAM_TIMEOUT) {
    link_broken(session, session->link_connected ? STATUS_TIMEOUT : STATUS_UNAVAILABLE, "no answer in time\n");
  } else if (end == STREAM_EOF && message_end(&session->response)) {
    response_step(session, false);
  } else if (may_retry(session)) {
    session->retried = true;
    drop_link(session);
    follow(session, session->handler->again(session->context, NULL, &session->request.head, &session->target), false);
  } else if (session->link_connected) {
    link_broken(session, STATUS_BAD_GATEWAY, "the connection ended without an answer\n");
  } else {
    link_broken(session, STATUS_UNAVAILABLE, "no connection could be made\n");
  }
  settle(session);
}

static const struct stream_handler link_handler = {
    .ready = link_ready, .data = link_data, .drained = link_drained, .ended = link_ended};

struct session *session_create(struct stream *client, struct pool *pool, bool silent,
                               const struct session_handler *handler, void *context) {
  struct session *session = calloc(1, sizeof *session);
  if (!session) {
    stream_destroy(client);
    return NULL;
  }
  session->client = client;
  session->pool = pool;
  session->silent = silent;
  session->handler = handler;
  session->context = context;
  message_init(&session->request, HTTP_REQUEST, &request_handler, session);
  message_init(&session->response, HTTP_RESPONSE, &response_handler, session);
  stream_set_handler(client, &client_handler, session);
  stream_set_deadline(client, TIMEOUT_IDLE);
  return session;
}

size_t session_feed(struct session *session, const char *data, size_t length) {
  return client_data(session, data, length);
}

void session_destroy(struct session *session) {
  if (!session)
    return;
  bool cut = answer_is_begun(session);
  if (cut)
    session->status = 0;
  if (session->request.has_head && !session->answered)
    exchange_served(session);
  drop_link(session);
  if (cut)
    stream_abort(session->client);
  else
    stream_destroy(session->client);
  message_finish(&session->request);
  message_finish(&session->response);
  strbuf_finish(&session->scratch);
  free(session);
}
