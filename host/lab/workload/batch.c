#include "host/lab/workload/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/workload/json_text.h"
#include "host/lab/workload/members.h"

static const unsigned no_spacing = 0;
static const unsigned one = 1;
static const unsigned timeout_default_ms = WORKLOAD_TIMEOUT_DEFAULT_MS;

static void read_id(struct batch *batch, struct members *members) {
  batch->id = members_string(members, "id", BATCH_ID_MAX, NULL);
  size_t length = strlen(batch->id);
  if (length == 0 || !call_id_valid(batch->id, length))
    members_fail(members, "\"id\" must be 1 to %d characters of A-Z a-z 0-9 . _ -", BATCH_ID_MAX);
}

static void read_target(struct batch *batch, struct members *members) {
  const char *protocol = members_string(members, "protocol", 16, NULL);
  const char *address = members_string(members, "address", 64, NULL);
  uint16_t port = (uint16_t)members_unsigned(members, "port", 1, UINT16_MAX, NULL);
  const char *host = members_string(members, "host", sizeof(batch->authority) - 1, "");
  batch->protocol = call_protocol_of(protocol);
  if (batch->protocol == 0)
    members_fail(members, "\"protocol\" is \"%.16s\", expected http/1.1, h2c, tcp or udp", protocol);
  _cleanup_error_ struct error *err = NULL;
  if (endpoint_parse(address, port, &batch->endpoint, &err) < 0)
    members_fail(members, "\"address\": %s", error_message(err));
  else if (!host[0])
    endpoint_format(&batch->endpoint, batch->authority);
  if (host[0])
    (void)snprintf(batch->authority, sizeof(batch->authority), "%.255s", host);
  if (!request_value_valid(host) || strchr(host, ' '))
    members_fail(members, "\"host\" must have no spaces and no control characters");
}

static void read_header(struct batch *batch, struct members *members, size_t i, const json_t *pair) {
  const char *name = json_string_value(json_array_get(pair, 0));
  const char *value = json_string_value(json_array_get(pair, 1));
  if (json_array_size(pair) != 2 || !name || !value) {
    members_fail(members, "\"headers\"[%zu] must be [name, value], both strings", i);
    return;
  }
  const char *problem = request_header_problem(name, value);
  if (problem)
    members_fail(members, "\"headers\"[%zu] (\"%.64s\"): %s", i, name, problem);
  batch->headers[batch->header_count++] = (struct call_header){.name = name, .value = value};
}

static void read_headers(struct batch *batch, struct members *members) {
  const json_t *headers = members_get(members, "headers", false);
  size_t bytes = 0;
  if (headers && !json_is_array(headers))
    members_fail(members, "\"headers\" must be a list of [name, value]");
  if (json_array_size(headers) > WORKLOAD_HEADERS_MAX) {
    members_fail(members, "\"headers\" has %zu entries, the most is %d", json_array_size(headers),
                 WORKLOAD_HEADERS_MAX);
    return;
  }
  for (size_t i = 0; i < json_array_size(headers); i++)
    read_header(batch, members, i, json_array_get(headers, i));
  for (size_t i = 0; i < batch->header_count; i++)
    bytes += strlen(batch->headers[i].name) + strlen(batch->headers[i].value) + 4;
  if (bytes > WORKLOAD_HEAD_MAX)
    members_fail(members, "\"headers\" are %zu bytes, the most is %u", bytes, WORKLOAD_HEAD_MAX);
}

static void read_request(struct batch *batch, struct members *members) {
  batch->method = members_string(members, "method", METHOD_MAX, "GET");
  batch->path = members_string(members, "path", BATCH_PATH_MAX, "/");
  if (!request_method_valid(batch->method))
    members_fail(members, "\"method\" must be a token of HTTP, and not CONNECT");
  if (!request_path_valid(batch->path))
    members_fail(members, "\"path\" must start with / and have no spaces and no control characters");
  read_headers(batch, members);
  if (members_has(members, "body")) {
    batch->body = members_string(members, "body", WORKLOAD_BODY_MAX, NULL);
    batch->body_length = strlen(batch->body);
  } else {
    (void)members_get(members, "body", false);
  }
}

static void read_course(struct batch *batch, struct members *members) {
  batch->count = members_unsigned(members, "count", 1, WORKLOAD_CALLS_MAX, &one);
  batch->concurrency = members_unsigned(members, "concurrency", 1, WORKLOAD_CONCURRENCY_MAX, &one);
  batch->fresh = members_boolean(members, "fresh", false);
  batch->keep = members_string(members, "keep", 64, "");
  batch->spacing_us = members_unsigned(members, "spacing_us", 0, BATCH_SPACING_MAX_US, &no_spacing);
  batch->timeout_ms = members_unsigned(members, "timeout_ms", 1, BATCH_TIMEOUT_MAX_MS, &timeout_default_ms);
  if (batch->keep[0] && batch->fresh)
    members_fail(members, "\"keep\" and \"fresh\" contradict each other: a fresh connection is not kept");
  if (batch->keep[0] && batch->concurrency != 1)
    members_fail(members, "\"keep\" names one connection, so \"concurrency\" must be 1");
}

int batch_parse(const char *text, size_t length, struct batch **ret_batch, struct error **err) {
  _cleanup_(batch_destroy_p) struct batch *batch = calloc(1, sizeof(*batch));
  if (!batch)
    return error_set(err, ENOMEM, "out of memory for a batch");
  int r = members_parse("a batch", text, length, &batch->json, err);
  if (r < 0)
    return r;
  struct members members = members_begin("a batch", batch->json);
  read_id(batch, &members);
  read_target(batch, &members);
  read_request(batch, &members);
  read_course(batch, &members);
  r = members_finish(&members, err);
  if (r < 0)
    return r;
  *ret_batch = take(batch);
  return 0;
}

void batch_destroy(struct batch *batch) {
  if (!batch)
    return;
  json_decref(batch->json);
  free(batch);
}

static void write_outcome(const struct call_outcome *outcome, struct strbuf *out) {
  strbuf_puts(out, "{\"end\":\"");
  strbuf_puts(out, call_end_name(outcome->end));
  strbuf_putc(out, '"');
  if (outcome->status != 0)
    strbuf_printf(out, ",\"status\":%u", outcome->status);
  if (outcome->nonce[0]) {
    strbuf_puts(out, ",\"nonce\":\"");
    strbuf_puts(out, outcome->nonce);
    strbuf_putc(out, '"');
  }
  if (outcome->server[0]) {
    strbuf_puts(out, ",\"server\":");
    json_text_puts(out, outcome->server);
  }
  if (outcome->error[0]) {
    strbuf_puts(out, ",\"error\":");
    json_text_puts(out, outcome->error);
  }
  strbuf_printf(out, ",\"latency_ns\":%" PRId64 "}", outcome->latency_ns);
}

void batch_write_outcomes(const struct call_outcome *outcomes, size_t count, struct strbuf *out) {
  strbuf_puts(out, "{\"outcomes\":[");
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      strbuf_putc(out, ',');
    write_outcome(&outcomes[i], out);
  }
  strbuf_puts(out, "]}");
}
