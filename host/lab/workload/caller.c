#include "host/lab/workload/caller.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/workload/header.h"

static const struct caller_type *const types[] = {
    [CALL_HTTP1] = &caller_http1,
    [CALL_H2C] = &caller_http2,
    [CALL_TCP] = &caller_tcp,
    [CALL_UDP] = &caller_udp,
};

int caller_open(struct event_base *base, enum call_protocol protocol, const struct endpoint *endpoint,
                struct caller **ret_caller) {
  struct caller *caller = NULL;
  int r = types[protocol]->open(base, endpoint, &caller);
  if (r < 0)
    return r;
  caller->type = types[protocol];
  caller->endpoint = *endpoint;
  caller->usable = true;
  *ret_caller = caller;
  return 0;
}

void caller_destroy(struct caller *caller) {
  if (caller)
    caller->type->destroy(caller);
}

void caller_begin_head(struct caller *caller) {
  caller->nonces = 0;
  caller->outcome.nonce[0] = '\0';
  caller->outcome.server[0] = '\0';
  if (caller->request->sink)
    caller->request->sink->content_type[0] = '\0';
}

void caller_call(struct caller *caller, const struct call_request *request, call_done_fn done, void *user) {
  caller->request = request;
  caller->done = done;
  caller->user = user;
  caller->outcome.end = 0;
  caller->outcome.status = 0;
  caller->outcome.error[0] = '\0';
  caller_begin_head(caller);
  caller->body_length = 0;
  caller->calls++;
  caller->silent = true;
  caller->busy = true;
  caller->type->send(caller);
}

enum call_end call_end_of_errno(int code) {
  switch (code) {
  case 0:
    return CALL_CLOSED;
  case ECONNREFUSED:
    return CALL_REFUSED;
  case ECONNRESET:
  case EPIPE:
    return CALL_RESET;
  case ETIMEDOUT:
    return CALL_TIMEOUT;
  default:
    return CALL_ERROR;
  }
}

void call_outcome_fail(struct call_outcome *outcome, int code) {
  outcome->end = call_end_of_errno(code);
  if (outcome->end == CALL_ERROR)
    (void)snprintf(outcome->error, sizeof(outcome->error), "%s", strerror(code));
}

static void keep(char *field, size_t size, const char *value, size_t length) {
  if (length < size) {
    memcpy(field, value, length);
    field[length] = '\0';
  }
}

static bool is_nonce(const char *text, size_t length) {
  return length == NONCE_LENGTH && strspn(text, "0123456789abcdef") >= NONCE_LENGTH;
}

void caller_header(struct caller *caller, const char *name, size_t name_length, const char *value,
                   size_t value_length) {
  struct call_outcome *outcome = &caller->outcome;
  struct call_sink *sink = caller->request->sink;
  if (header_name_is(name, name_length, "x-trammel-nonce")) {
    caller->nonces++;
    if (is_nonce(value, value_length))
      keep(outcome->nonce, sizeof(outcome->nonce), value, value_length);
  } else if (header_name_is(name, name_length, "x-trammel-server")) {
    keep(outcome->server, sizeof(outcome->server), value, value_length);
  } else if (sink && header_name_is(name, name_length, "content-type")) {
    keep(sink->content_type, sizeof(sink->content_type), value, value_length);
  }
}

bool caller_body(struct caller *caller, const void *data, size_t length) {
  caller->body_length += length;
  if (caller->body_length > WORKLOAD_BODY_MAX)
    return false;
  if (caller->request->sink)
    strbuf_append(&caller->request->sink->body, data, length);
  return true;
}

void caller_answer_line(struct caller *caller, const char *line, size_t length, bool usable) {
  struct call_outcome *outcome = &caller->outcome;
  const char *space = memchr(line, ' ', length);
  size_t name_length = space ? (size_t)(space - line) : 0;
  if (name_length == 0 || name_length > WORKLOAD_NAME_MAX || length != name_length + 1 + NONCE_LENGTH ||
      !is_nonce(space + 1, NONCE_LENGTH)) {
    char text[sizeof(outcome->error)];
    (void)snprintf(text, sizeof(text), "expected \"SERVER NONCE\", got \"%.*s\"", (int)(length < 40 ? length : 40),
                   line);
    caller_finish(caller, CALL_ERROR, false, text);
    return;
  }
  keep(outcome->server, sizeof(outcome->server), line, name_length);
  keep(outcome->nonce, sizeof(outcome->nonce), space + 1, NONCE_LENGTH);
  caller_finish(caller, CALL_ANSWERED, usable, NULL);
}

void caller_finish(struct caller *caller, enum call_end end, bool usable, const char *error) {
  if (end == CALL_ANSWERED && caller->nonces > 1) {
    end = CALL_ERROR;
    error = "the response has x-trammel-nonce more than once";
    caller->outcome.nonce[0] = '\0';
  }
  caller->busy = false;
  caller->usable = usable;
  caller->outcome.end = end;
  if (error)
    (void)snprintf(caller->outcome.error, sizeof(caller->outcome.error), "%s", error);
  caller->done(caller->user, caller);
}

void caller_ended(struct caller *caller, int code) {
  caller->usable = false;
  if (!caller->busy) {
    caller->idle_end = code;
    return;
  }
  caller->busy = false;
  call_outcome_fail(&caller->outcome, code);
  if (!caller->silent && code == 0)
    (void)snprintf(caller->outcome.error, sizeof(caller->outcome.error), "closed in the middle of a response");
  caller->done(caller->user, caller);
}
