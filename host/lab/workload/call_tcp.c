/* Calls by TCP lines: "ID\n", answered with "SERVER NONCE\n". */
#include <errno.h>
#include <string.h>

#include "host/lab/workload/caller.h"
#include "host/lab/workload/stream.h"

#define LINE_MAX_LENGTH (WORKLOAD_NAME_MAX + 1 + NONCE_LENGTH + 1)

struct tcp_caller {
  struct caller caller;
  struct stream *stream;
  size_t length;
  char line[LINE_MAX_LENGTH];
};

static struct tcp_caller *tcp_of(struct caller *caller) {
  return (struct tcp_caller *)caller; /* its first member */
}

static void on_data(void *user, const uint8_t *data, size_t length) {
  struct tcp_caller *tcp = user;
  if (!tcp->caller.busy) {
    stream_pause(tcp->stream, true);
    caller_ended(&tcp->caller, EPROTO); /* nothing was asked for */
    return;
  }
  tcp->caller.silent = false;
  size_t room = sizeof(tcp->line) - tcp->length;
  memcpy(tcp->line + tcp->length, data, length < room ? length : room);
  tcp->length += length < room ? length : room;
  const char *newline = memchr(tcp->line, '\n', tcp->length);
  if (newline && newline + 1 == tcp->line + tcp->length && length <= room)
    caller_answer_line(&tcp->caller, tcp->line, (size_t)(newline - tcp->line), true);
  else if (newline || length >= room)
    caller_answer_line(&tcp->caller, tcp->line, tcp->length, true);
}

static void on_end(void *user, int code) {
  struct tcp_caller *tcp = user;
  stream_pause(tcp->stream, true);
  caller_ended(&tcp->caller, code);
}

static const struct stream_handler handler = {.data = on_data, .end = on_end};

static void tcp_send(struct caller *caller) {
  struct tcp_caller *tcp = tcp_of(caller);
  tcp->length = 0;
  strbuf_puts(stream_output(tcp->stream), caller->request->id);
  strbuf_putc(stream_output(tcp->stream), '\n');
  stream_flush(tcp->stream);
}

static int tcp_open(struct event_base *base, const struct endpoint *endpoint, struct caller **ret_caller) {
  struct tcp_caller *tcp = calloc(1, sizeof(*tcp));
  if (!tcp)
    return -ENOMEM;
  int r = stream_connect(base, endpoint, &handler, tcp, &tcp->stream);
  if (r < 0) {
    free(tcp);
    return r;
  }
  *ret_caller = &tcp->caller;
  return 0;
}

static void tcp_destroy(struct caller *caller) {
  struct tcp_caller *tcp = tcp_of(caller);
  stream_destroy(tcp->stream);
  free(tcp);
}

const struct caller_type caller_tcp = {
    .protocol = CALL_TCP, .open = tcp_open, .send = tcp_send, .destroy = tcp_destroy};
