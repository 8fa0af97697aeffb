#include "plugins/reference/mesh/h2_head.h"

#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plugins/reference/mesh/grammar.h"

enum {
  BAD_REQUEST = 400,
  HEAD_TOO_LARGE = 431,
  NOT_IMPLEMENTED = 501,
};

void h2_head_clear(struct h2_head *head) {
  head_clear(&head->head);
  strbuf_clear(&head->authority);
  head->foreign_scheme = false;
  head->status = 0;
  head->problem = 0;
}

void h2_head_finish(struct h2_head *head) {
  head_finish(&head->head);
  strbuf_finish(&head->authority);
}

/* The first problem is told. */
static void check(struct h2_head *head, int r) {
  if (r < 0 && head->problem == 0)
    head->problem = r == -E2BIG ? HEAD_TOO_LARGE : BAD_REQUEST;
}

static void set_problem(struct h2_head *head, int problem) {
  if (head->problem == 0)
    head->problem = problem;
}

/* The methods of HTTP/1.1's parser, so that both versions know the same. CONNECT asks for a tunnel, and SOURCE is
 * another protocol's. NULL for what is not known. */
static const char *known_method(struct slice name) {
  for (unsigned i = 0; i <= HTTP_SOURCE; i++) {
    const char *method = http_method_str((enum http_method)i);
    if (slice_is(name, method))
      return i == HTTP_CONNECT || i == HTTP_SOURCE ? NULL : method;
  }
  return NULL;
}

static unsigned parse_status(struct slice value) {
  unsigned status = 0;
  for (size_t i = 0; i < value.length && i < 3; i++)
    status = status * 10 + (unsigned)(value.data[i] - '0');
  return status;
}

static void add_pseudo(struct h2_head *head, struct slice name, struct slice value) {
  if (slice_is(name, ":path")) {
    check(head, head_add_start(&head->head, value.data, value.length));
  } else if (slice_is(name, ":method")) {
    head->head.method = known_method(value);
    if (!head->head.method)
      set_problem(head, NOT_IMPLEMENTED);
  } else if (slice_is(name, ":authority")) {
    strbuf_append(&head->authority, value.data, value.length);
    check(head, strbuf_failed(&head->authority) ? -ENOMEM : 0);
  } else if (slice_is(name, ":scheme")) {
    head->foreign_scheme = !slice_is_name(value, "http");
  } else if (slice_is(name, ":status")) {
    head->status = parse_status(value);
  }
}

void h2_head_add(struct h2_head *head, struct slice name, struct slice value) {
  if (name.length > 0 && name.data[0] == ':') {
    add_pseudo(head, name, value);
    return;
  }
  if (head->problem)
    return;
  int r = head_add_name(&head->head, name.data, name.length);
  check(head, r < 0 ? r : head_add_value(&head->head, value.data, value.length));
}

/* The authority becomes the Host field. One that says something else beside it would be what a server goes by, or not
 * (RFC 9113, 8.3.1). */
static void map_authority(struct h2_head *head) {
  struct slice host;
  size_t hosts = head_count(&head->head, "host", &host);
  const struct strbuf *authority = &head->authority;
  if (authority->length == 0 && hosts == 1 && host.length > 0)
    return;
  bool differs = hosts == 1 && !slice_is_name(host, strbuf_text(authority));
  if (authority->length == 0 || hosts > 1 || differs) {
    set_problem(head, BAD_REQUEST);
    return;
  }
  head_drop(&head->head, "host");
  int r = head_add_name(&head->head, "host", 4);
  check(head, r < 0 ? r : head_add_value(&head->head, authority->data, authority->length));
}

/* A request's target is a path, or "*": an absolute form would be a second authority. */
static bool target_is_path(const struct head *head) {
  struct slice target = head_start(head);
  return (target.length > 0 && target.data[0] == '/') || slice_is(target, "*");
}

void h2_head_check_request(struct h2_head *head) {
  if (head->problem)
    return;
  if (!fields_are_clean(&head->head) || head->foreign_scheme || !target_is_path(&head->head))
    head->problem = BAD_REQUEST;
  check(head, head_normalise_target(&head->head));
  map_authority(head);
  if (!host_is_clean(&head->head))
    set_problem(head, BAD_REQUEST);
  head_drop_hop_by_hop(&head->head);
}

void h2_head_check_response(struct h2_head *head) {
  if (!fields_are_clean(&head->head) || head->status < 100 || head->status == HTTP_STATUS_SWITCHING_PROTOCOLS)
    set_problem(head, BAD_REQUEST);
  head_drop_hop_by_hop(&head->head);
}

static void add(struct h2_fields *fields, struct slice name, struct slice value) {
  /* nghttp2 copies both, and writes to neither. */
  fields->items[fields->count++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.data,
                                                .value = (uint8_t *)(uintptr_t)value.data,
                                                .namelen = name.length,
                                                .valuelen = value.length};
}

void h2_fields_add(struct h2_fields *fields, const char *name, const char *value) {
  add(fields, (struct slice){name, strlen(name)}, (struct slice){value, strlen(value)});
}

static void add_head(struct h2_fields *fields, const struct head *head, const char *except) {
  for (size_t i = 0; i < head->count; i++)
    if (!head->fields[i].dropped && !(except && slice_is_name(head_name(head, i), except)))
      add(fields, head_name(head, i), head_value(head, i));
}

void h2_fields_of_request(struct h2_fields *fields, const struct head *head) {
  struct slice host = {"", 0};
  (void)head_count(head, "host", &host);
  fields->count = 0;
  h2_fields_add(fields, ":method", head->method);
  h2_fields_add(fields, ":scheme", "http");
  add(fields, (struct slice){":authority", strlen(":authority")}, host);
  add(fields, (struct slice){":path", strlen(":path")}, head_start(head));
  add_head(fields, head, "host");
}

void h2_fields_begin_response(struct h2_fields *fields, unsigned status) {
  fields->count = 0;
  (void)snprintf(fields->status, sizeof fields->status, "%u", status % 1000);
  h2_fields_add(fields, ":status", fields->status);
}

void h2_fields_of_response(struct h2_fields *fields, const struct h2_head *head) {
  h2_fields_begin_response(fields, head->status);
  add_head(fields, &head->head, NULL);
}
