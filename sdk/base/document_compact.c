/* JSON as machines compare it: without white space, keys sorted. Adapters print each of their objects so, twice: what
 * jansson's own printer allocates for every map costs more than the text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"

#define KEYS_AT_HAND 16 /* of a map that needs no memory to sort them */

struct member {
  const char *key;
  size_t length;
  const json_t *value;
};

static int compare_members(const void *a, const void *b) {
  const struct member *x = a, *y = b;
  const size_t both = x->length < y->length ? x->length : y->length;
  int order = memcmp(x->key, y->key, both);
  return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static void sort_members(struct member *members, size_t count) {
  if (count > KEYS_AT_HAND) {
    qsort(members, count, sizeof *members, compare_members);
    return;
  }
  for (size_t i = 1; i < count; i++) {
    const struct member moved = members[i];
    size_t j = i;
    for (; j > 0 && compare_members(&members[j - 1], &moved) > 0; j--)
      members[j] = members[j - 1];
    members[j] = moved;
  }
}

static void append_escaped(struct strbuf *out, unsigned char c) {
  static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
  const char *found = c > 0 ? strchr(escaped, c) : NULL;
  if (found)
    strbuf_append(out, (char[]){'\\', letters[found - escaped]}, 2);
  else
    strbuf_printf(out, "\\u%04X", c);
}

static void append_string(struct strbuf *out, const char *text, size_t length) {
  size_t start = 0;
  strbuf_putc(out, '"');
  for (size_t i = 0; i < length; i++) {
    const unsigned char c = (unsigned char)text[i];
    if (c >= 0x20 && c != '"' && c != '\\')
      continue;
    strbuf_append(out, text + start, i - start);
    append_escaped(out, c);
    start = i + 1;
  }
  strbuf_append(out, text + start, length - start);
  strbuf_putc(out, '"');
}

static int append_value(struct strbuf *out, const json_t *value, size_t depth);

static int append_members(struct strbuf *out, const struct member *members, size_t count, size_t depth) {
  int r = 0;
  strbuf_putc(out, '{');
  for (size_t i = 0; r == 0 && i < count; i++) {
    if (i > 0)
      strbuf_putc(out, ',');
    append_string(out, members[i].key, members[i].length);
    strbuf_putc(out, ':');
    r = append_value(out, members[i].value, depth + 1);
  }
  strbuf_putc(out, '}');
  return r;
}

static int append_object(struct strbuf *out, const json_t *object, size_t depth) {
  const size_t most = json_object_size(object);
  struct member at_hand[KEYS_AT_HAND];
  _cleanup_free_ struct member *many = NULL;
  struct member *members = at_hand;
  size_t count = 0;
  if (most > KEYS_AT_HAND && !(members = many = calloc(most, sizeof *many)))
    return -ENOMEM;
  for (void *at = json_object_iter((json_t *)object); at; at = json_object_iter_next((json_t *)object, at))
    members[count++] =
        (struct member){json_object_iter_key(at), json_object_iter_key_len(at), json_object_iter_value(at)};
  sort_members(members, count);
  return append_members(out, members, count, depth);
}

static int append_array(struct strbuf *out, const json_t *array, size_t depth) {
  const size_t count = json_array_size(array);
  int r = 0;
  strbuf_putc(out, '[');
  for (size_t i = 0; r == 0 && i < count; i++) {
    if (i > 0)
      strbuf_putc(out, ',');
    r = append_value(out, json_array_get(array, i), depth + 1);
  }
  strbuf_putc(out, ']');
  return r;
}

static int append_bytes(const char *bytes, size_t length, void *out) {
  strbuf_append(out, bytes, length);
  return 0;
}

static void append_integer(struct strbuf *out, json_int_t value) {
  char digits[24];
  size_t at = sizeof digits;
  json_int_t rest = value;
  do {
    const int digit = (int)(rest % 10);
    digits[--at] = (char)('0' + (digit < 0 ? -digit : digit));
  } while ((rest /= 10) != 0);
  if (value < 0)
    digits[--at] = '-';
  strbuf_append(out, digits + at, sizeof digits - at);
}

static int append_value(struct strbuf *out, const json_t *value, size_t depth) {
  if (depth > DOCUMENT_DEPTH_MAX)
    return -E2BIG;
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    return append_object(out, value, depth);
  case JSON_ARRAY:
    return append_array(out, value, depth);
  case JSON_STRING:
    append_string(out, json_string_value(value), json_string_length(value));
    return 0;
  case JSON_INTEGER:
    append_integer(out, json_integer_value(value));
    return 0;
  case JSON_TRUE:
    strbuf_puts(out, "true");
    return 0;
  case JSON_FALSE:
    strbuf_puts(out, "false");
    return 0;
  case JSON_NULL:
    strbuf_puts(out, "null");
    return 0;
  default: /* a real, whose digits are jansson's affair */
    return json_dump_callback(value, append_bytes, out, JSON_ENCODE_ANY) == 0 ? 0 : -ENOMEM;
  }
}

int json_write_compact(const json_t *value, struct strbuf *out) {
  int r = append_value(out, value, 0);
  return r == 0 && strbuf_failed(out) ? -ENOMEM : r;
}
