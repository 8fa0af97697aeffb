/* The reference mesh reads what anyone sends: control bodies and requests. One input is a line of JSON (a permission, a
 * split, a service or a workload: all are tried), and after it bytes of HTTP, which are read whole and in pieces,
 * alike. The same bytes are read as datagrams of a connection between proxies. */
#include <http_parser.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/declare.h"
#include "plugins/reference/mesh/frame.h"
#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/message.h"
#include "plugins/reference/mesh/policy.h"
#include "plugins/reference/mesh/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
  struct message message;
  struct strbuf body;
};

static void on_head(void *context) {
  (void)context;
}

static void on_body(void *context, const char *data, size_t length) {
  strbuf_append(&((struct reading *)context)->body, data, length);
}

static const struct message_handler handler = {.head = on_head, .body = on_body};

static void reading_init(struct reading *reading) {
  *reading = (struct reading){0};
  message_init(&reading->message, HTTP_REQUEST, &handler, reading);
}

static void reading_finish(struct reading *reading) {
  message_finish(&reading->message);
  strbuf_finish(&reading->body);
}

static void feed(struct reading *reading, const char *data, size_t size, size_t step) {
  for (size_t at = 0; at < size && !reading->message.complete && !reading->message.problem; at += step) {
    size_t length = size - at < step ? size - at : step;
    if (message_feed(&reading->message, data + at, length) > length)
      abort();
  }
}

/* What is passed on must be read again as the same message: else two readers of it could differ. */
static void check_passed_on(const struct reading *reading) {
  const struct head *head = &reading->message.head;
  struct slice target = head_start(head);
  struct strbuf out = STRBUF_INIT;
  strbuf_printf(&out, "%s %.*s HTTP/1.1\r\n", head->method, (int)target.length, target.data);
  if (head_count(head, "host", NULL) == 0)
    strbuf_puts(&out, "Host:\r\n");
  head_write_fields(head, &out);
  if (reading->message.chunked)
    strbuf_puts(&out, "Transfer-Encoding: chunked\r\n");
  strbuf_puts(&out, "\r\n");
  if (reading->message.chunked && reading->body.length > 0)
    strbuf_printf(&out, "%zx\r\n", reading->body.length);
  strbuf_append(&out, reading->body.data, reading->body.length);
  if (reading->message.chunked)
    strbuf_puts(&out, reading->body.length > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
  struct reading again;
  reading_init(&again);
  feed(&again, out.data, out.length, out.length);
  if (!again.message.complete || again.body.length != reading->body.length ||
      !slice_is(head_start(&again.message.head), "*") != !slice_is(target, "*"))
    abort();
  reading_finish(&again);
  strbuf_finish(&out);
}

/* Reads datagrams out of the bytes, in pieces of `step`: their lengths and bytes go to `out`. */
static bool read_frames(const char *bytes, size_t size, size_t step, struct strbuf *out) {
  struct frame_reader reader = {0};
  enum frame frame = FRAME_MORE;
  for (size_t at = 0; frame == FRAME_MORE && at < size; at += step) {
    const char *data = bytes + at, *datagram;
    size_t length = size - at < step ? size - at : step, datagram_size;
    while ((frame = frame_next(&reader, &data, &length, &datagram, &datagram_size)) == FRAME_DATAGRAM) {
      if (datagram_size > LIMIT_DATAGRAM)
        abort();
      strbuf_printf(out, "%zu:", datagram_size);
      strbuf_append(out, datagram, datagram_size);
    }
  }
  frame_reader_finish(&reader);
  return frame == FRAME_MORE;
}

static void try_frames(const char *bytes, size_t size) {
  struct strbuf whole = STRBUF_INIT, pieces = STRBUF_INIT;
  if (read_frames(bytes, size, size ? size : 1, &whole) != read_frames(bytes, size, 3, &pieces) ||
      whole.length != pieces.length || (whole.length && memcmp(whole.data, pieces.data, whole.length) != 0))
    abort();
  strbuf_finish(&whole);
  strbuf_finish(&pieces);
}

static void try_permission(const json_t *body, const struct head *request) {
  struct problem problem = {0};
  struct permission *permission;
  if (declare_permission(body, &permission, &problem) == 0) {
    const struct permission *list[] = {permission};
    const struct account caller = permission->source_count ? permission->sources[0] : permission->destination;
    const struct fault_set sets[] = {{{0, 0}}, {{UINT64_MAX, UINT64_MAX}}};
    for (size_t i = 0; i < 2; i++) {
      struct policy policy = {.enforced = true, .permissions = list, .count = 1, .faults = sets[i]};
      struct access access = {.caller = &caller, .port = 80, .protocol = PROTOCOL_HTTP, .request = request};
      (void)policy_allows(&policy, &access);
    }
    permission_destroy(permission);
  }
  problem_finish(&problem);
}

static void try_split(const json_t *body, const struct head *request) {
  struct problem problem = {0};
  struct split *split;
  if (declare_split(body, &split, &problem) == 0) {
    uint32_t weights[128];
    uint64_t sum = 0;
    for (size_t i = 0; i < split->backend_count; i++)
      sum += weights[i] = split->backends[i].weight;
    for (uint64_t random = 0; random < 8; random++) {
      int chosen = split_choose(weights, split->backend_count, (struct fault_set){{0}}, random * (UINT64_MAX / 7));
      if (sum == 0 ? chosen != SPLIT_NONE : weights[chosen] == 0)
        abort();
    }
    (void)split_scope(split, request, (struct fault_set){{0}});
    split_destroy(split);
  }
  problem_finish(&problem);
}

static void try_others(const json_t *body) {
  struct problem problem = {0};
  struct service *service;
  struct workload_spec *spec;
  if (declare_service(body, &service, &problem) == 0)
    service_destroy(service);
  if (declare_workload(body, true, &spec, &problem) == 0)
    workload_spec_destroy(spec);
  (void)declare_enforcement(body, &problem);
  problem_finish(&problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  const char *line = size ? memchr(text, '\n', size) : NULL;
  size_t json_size = line ? (size_t)(line - text) : size;
  size_t http_size = line ? size - json_size - 1 : 0;
  struct reading whole, pieces;
  reading_init(&whole);
  reading_init(&pieces);
  feed(&whole, text + size - http_size, http_size, http_size ? http_size : 1);
  feed(&pieces, text + size - http_size, http_size, 3);
  if (whole.message.complete != pieces.message.complete || whole.body.length != pieces.body.length)
    abort();
  if (whole.message.complete)
    check_passed_on(&whole);
  try_frames(text + size - http_size, http_size);
  json_t *body = json_loadb(text, json_size, JSON_REJECT_DUPLICATES, NULL);
  if (body) {
    if (whole.message.has_head)
      try_permission(body, &whole.message.head);
    try_split(body, whole.message.has_head ? &whole.message.head : NULL);
    try_others(body);
  }
  json_decref(body);
  reading_finish(&whole);
  reading_finish(&pieces);
  return 0;
}
