#include "plugins/reference/mesh/head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "plugins/reference/mesh/limits.h"

void head_clear(struct head *head) {
  strbuf_clear(&head->text);
  head->count = 0;
  head->start_length = 0;
  head->in_value = false;
  head->method = NULL;
}

void head_finish(struct head *head) {
  strbuf_finish(&head->text);
  free(head->fields);
  *head = (struct head){0};
}

static int add_text(struct head *head, const char *data, size_t length) {
  if (head->text.length + length > LIMIT_HEAD_BYTES)
    return -E2BIG;
  strbuf_append(&head->text, data, length);
  return strbuf_failed(&head->text) ? -ENOMEM : 0;
}

int head_add_start(struct head *head, const char *data, size_t length) {
  int r = add_text(head, data, length);
  if (r == 0)
    head->start_length += (uint32_t)length;
  return r;
}

static int field_begin(struct head *head) {
  if (head->count == LIMIT_HEAD_FIELDS)
    return -E2BIG;
  int r = array_reserve((void **)&head->fields, &head->capacity, head->count, sizeof *head->fields);
  if (r < 0)
    return r;
  head->fields[head->count++] = (struct head_field){.name = (uint32_t)head->text.length};
  head->in_value = false;
  return 0;
}

int head_add_name(struct head *head, const char *data, size_t length) {
  if (head->count == 0 || head->in_value) {
    int r = field_begin(head);
    if (r < 0)
      return r;
  }
  int r = add_text(head, data, length);
  if (r == 0)
    head->fields[head->count - 1].name_length += (uint32_t)length;
  return r;
}

int head_add_value(struct head *head, const char *data, size_t length) {
  if (head->count == 0)
    return -EINVAL;
  struct head_field *field = &head->fields[head->count - 1];
  if (!head->in_value)
    field->value = (uint32_t)head->text.length;
  head->in_value = true;
  int r = add_text(head, data, length);
  if (r == 0)
    field->value_length += (uint32_t)length;
  return r;
}

static struct slice head_slice(const struct head *head, uint32_t offset, uint32_t length) {
  return (struct slice){strbuf_text(&head->text) + offset, length};
}

struct slice head_start(const struct head *head) {
  return head_slice(head, 0, head->start_length);
}

struct slice head_name(const struct head *head, size_t i) {
  return head_slice(head, head->fields[i].name, head->fields[i].name_length);
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static struct slice trimmed(struct slice slice) {
  while (slice.length > 0 && is_blank(slice.data[0])) {
    slice.data++;
    slice.length--;
  }
  while (slice.length > 0 && is_blank(slice.data[slice.length - 1]))
    slice.length--;
  return slice;
}

struct slice head_value(const struct head *head, size_t i) {
  return trimmed(head_slice(head, head->fields[i].value, head->fields[i].value_length));
}

bool slice_is(struct slice slice, const char *text) {
  return strlen(text) == slice.length && memcmp(slice.data, text, slice.length) == 0;
}

bool slice_is_name(struct slice slice, const char *name) {
  return strlen(name) == slice.length && strncasecmp(slice.data, name, slice.length) == 0;
}

bool slice_has_token(struct slice list, struct slice token) {
  while (list.length > 0) {
    const char *comma = memchr(list.data, ',', list.length);
    size_t length = comma ? (size_t)(comma - list.data) : list.length;
    struct slice item = trimmed((struct slice){list.data, length});
    if (item.length == token.length && strncasecmp(item.data, token.data, token.length) == 0)
      return true;
    size_t step = comma ? length + 1 : length;
    list.data += step;
    list.length -= step;
  }
  return false;
}

size_t head_count(const struct head *head, const char *name, struct slice *ret_value) {
  size_t found = 0;
  for (size_t i = 0; i < head->count; i++) {
    if (head->fields[i].dropped || !slice_is_name(head_name(head, i), name))
      continue;
    if (found++ == 0 && ret_value)
      *ret_value = head_value(head, i);
  }
  return found;
}

bool head_combined(const struct head *head, const char *name, struct strbuf *scratch, struct slice *ret_value) {
  size_t found = head_count(head, name, ret_value);
  if (found <= 1)
    return found == 1;
  strbuf_clear(scratch);
  /* HTTP/2 may send a cookie in crumbs (RFC 9113, 8.2.3). */
  const char *separator = strcasecmp(name, "cookie") == 0 ? "; " : ", ";
  for (size_t i = 0, n = 0; i < head->count; i++) {
    if (head->fields[i].dropped || !slice_is_name(head_name(head, i), name))
      continue;
    struct slice value = head_value(head, i);
    if (n++ > 0)
      strbuf_puts(scratch, separator);
    strbuf_append(scratch, value.data, value.length);
  }
  *ret_value = (struct slice){strbuf_text(scratch), scratch->length};
  return !strbuf_failed(scratch);
}

static bool is_hop_by_hop(struct slice name) {
  static const char *const names[] = {"connection", "keep-alive",        "proxy-connection", "te",
                                      "trailer",    "transfer-encoding", "upgrade",          "http2-settings"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (slice_is_name(name, names[i]))
      return true;
  return false;
}

static bool is_essential(struct slice name) {
  return slice_is_name(name, "host") || (name.length > 8 && strncasecmp(name.data, "content-", 8) == 0);
}

void head_drop(struct head *head, const char *name) {
  for (size_t i = 0; i < head->count; i++)
    if (slice_is_name(head_name(head, i), name))
      head->fields[i].dropped = true;
}

void head_drop_hop_by_hop(struct head *head) {
  for (size_t i = 0; i < head->count; i++) {
    struct slice name = head_name(head, i);
    if (is_hop_by_hop(name))
      head->fields[i].dropped = true;
  }
  for (size_t c = 0; c < head->count; c++) {
    if (!slice_is_name(head_name(head, c), "connection"))
      continue;
    struct slice options = head_value(head, c);
    for (size_t i = 0; i < head->count; i++) {
      struct slice name = head_name(head, i);
      if (!is_essential(name) && slice_has_token(options, name))
        head->fields[i].dropped = true;
    }
  }
}

/* Puts a Host field in place of those sent (RFC 9112, 3.2.2). */
static int replace_host(struct head *head, const char *authority) {
  head_drop(head, "host");
  head->in_value = true; /* so that a new field begins */
  int r = head_add_name(head, "Host", 4);
  return r < 0 ? r : head_add_value(head, authority, strlen(authority));
}

int head_normalise_target(struct head *head) {
  struct slice target = head_start(head);
  if (target.length == 0)
    return -EINVAL;
  for (size_t i = 0; i < target.length; i++)
    if (target.data[i] < 0x21 || target.data[i] > 0x7e || target.data[i] == '#')
      return -EINVAL;
  if (target.data[0] == '/' || slice_is(target, "*"))
    return 0;
  if (target.length <= 7 || strncasecmp(target.data, "http://", 7) != 0)
    return -EINVAL;
  size_t end = 7;
  while (end < target.length && target.data[end] != '/' && target.data[end] != '?')
    end++;
  if (end == 7 || memchr(target.data + 7, '@', end - 7))
    return -EINVAL;
  _cleanup_free_ char *authority = strndup(target.data + 7, end - 7);
  _cleanup_strbuf_ struct strbuf rest = STRBUF_INIT;
  if (end == target.length || target.data[end] == '?')
    strbuf_putc(&rest, '/');
  strbuf_append(&rest, target.data + end, target.length - end);
  if (!authority || strbuf_failed(&rest))
    return -ENOMEM;
  int r = replace_host(head, authority);
  if (r < 0)
    return r;
  memcpy(head->text.data, rest.data, rest.length); /* shorter than what it replaces */
  head->start_length = (uint32_t)rest.length;
  return 0;
}

struct slice head_path(const struct head *head) {
  struct slice path = head_start(head);
  const char *query = path.length ? memchr(path.data, '?', path.length) : NULL;
  if (query)
    path.length = (size_t)(query - path.data);
  return path;
}

/* The length of a dot at `text`, plain or encoded; 0 when there is none. */
static size_t dot_length(const char *text, size_t length) {
  if (length >= 1 && text[0] == '.')
    return 1;
  return length >= 3 && strncasecmp(text, "%2e", 3) == 0 ? 3 : 0;
}

static bool is_dot_segment(const char *text, size_t length) {
  size_t at = dot_length(text, length);
  if (at == 0)
    return false;
  at += dot_length(text + at, length - at);
  return at == length || text[at] == '/' || text[at] == ';';
}

bool path_is_ambiguous(struct slice path) {
  for (size_t i = 0; i < path.length; i++) {
    const char *at = path.data + i;
    size_t left = path.length - i;
    if (*at == '\\')
      return true;
    if (*at == '%' && left >= 3 &&
        (strncasecmp(at, "%2f", 3) == 0 || strncasecmp(at, "%5c", 3) == 0 || strncasecmp(at, "%00", 3) == 0))
      return true;
    if (*at == '/' && is_dot_segment(at + 1, left - 1))
      return true;
  }
  return false;
}

void head_write_fields(const struct head *head, struct strbuf *out) {
  for (size_t i = 0; i < head->count; i++) {
    if (head->fields[i].dropped)
      continue;
    struct slice name = head_name(head, i), value = head_value(head, i);
    strbuf_append(out, name.data, name.length);
    strbuf_append(out, ": ", 2);
    strbuf_append(out, value.data, value.length);
    strbuf_append(out, "\r\n", 2);
  }
}
