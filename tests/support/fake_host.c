#include "tests/support/fake_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_op *of(trammel_op *op) {
  return (struct fake_op *)(void *)op;
}

static bool cancelled(trammel_op *op) {
  (void)op;
  return false;
}

static int cancel_fd(trammel_op *op) {
  (void)op;
  return -1;
}

static int64_t deadline_ns(trammel_op *op) {
  (void)op;
  return 0;
}

static int emit(trammel_op *op, trammel_str message) {
  free(of(op)->message);
  of(op)->message = malloc(message.n + 1);
  if (!of(op)->message)
    return -ENOMEM;
  if (message.n)
    memcpy(of(op)->message, message.p, message.n);
  of(op)->length = message.n;
  of(op)->emitted++;
  return 0;
}

static json_t *text(trammel_str from) {
  return json_stringn(from.n ? from.p : "", from.n);
}

static void diagnose(trammel_op *op, const trammel_diagnostic *d) {
  static const char *const severities[] = {"", "info", "warning", "error"};
  json_array_append_new(of(op)->diagnostics,
                        json_pack("{s:s, s:o, s:o, s:o, s:o}", "severity", severities[d->severity & 3], "code",
                                  text(d->code), "resource", text(d->resource), "pointer", text(d->pointer), "summary",
                                  text(d->summary)));
}

static int request(trammel_op *op, const trammel_http_request *request, trammel_http_response *response) {
  (void)snprintf(of(op)->http_path, sizeof of(op)->http_path, "%.*s", (int)request->path.n, request->path.p);
  if (!of(op)->http_body)
    return TRAMMEL_UNAVAILABLE;
  response->status = of(op)->http_status;
  response->body = (trammel_str){of(op)->http_body, strlen(of(op)->http_body)};
  return TRAMMEL_OK;
}

static const void *get(const trammel_host *host, const char *id) {
  (void)host;
  static const trammel_op_api op_api = {.head = {sizeof op_api, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},
                                        .cancelled = cancelled,
                                        .cancel_fd = cancel_fd,
                                        .deadline_ns = deadline_ns,
                                        .emit = emit,
                                        .diagnose = diagnose};
  static const trammel_http_api http_api = {.head = {sizeof http_api, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},
                                            .request = request};
  if (strcmp(id, TRAMMEL_OP_SERVICE) == 0)
    return &op_api;
  return strcmp(id, TRAMMEL_HTTP_SERVICE) == 0 ? &http_api : NULL;
}

const trammel_host fake_host = {.head = {sizeof fake_host, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0}, .get = get};

void fake_op_init(struct fake_op *op) {
  *op = (struct fake_op){.diagnostics = json_array(), .http_status = 200};
}

void fake_op_finish(struct fake_op *op) {
  free(op->message);
  json_decref(op->diagnostics);
}
