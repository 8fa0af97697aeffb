/* Block YAML for documents whose texts need no more than double quotes, as nearly all of a mesh's are: a fraction of
 * the work of libyaml's emitter, and the same bytes. */
#include <errno.h>
#include <string.h>

#include "sdk/base/document_internal.h"
#include "sdk/base/strbuf.h"

/* Characters of ASCII that neither quotes nor lines need. */
static bool is_printable(char c) {
  return c > ' ' && c < 0x7f;
}

/* YAML 1.2.2, 7.3.3, outside of flow; fewer than it allows, where libyaml quotes more. */
static bool is_plain(const char *text, size_t length) {
  if (length == 0 || strchr("#,[]{}&*!|>'\"%@`?:", text[0]) || strncmp(text, "---", 3) == 0 ||
      strncmp(text, "...", 3) == 0 || (text[0] == '-' && !is_printable(text[1])))
    return false;
  for (size_t i = 0; i < length; i++) {
    const bool around = i > 0 && is_printable(text[i + 1]);
    if (text[i] == ' ' ? !around || text[i + 1] == '#' : !is_printable(text[i]) || (text[i] == ':' && !around))
      return false;
  }
  return true;
}

static bool is_quotable(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if ((!is_printable(text[i]) && text[i] != ' ') || text[i] == '"' || text[i] == '\\')
      return false;
  return true;
}

int block_text_append(struct strbuf *out, const char *text, size_t length) {
  const bool plain = !text_misread(text);
  if (plain ? !is_plain(text, length) : !is_quotable(text, length))
    return -ENOTSUP;
  strbuf_append(out, "\"", !plain);
  strbuf_append(out, text, length);
  strbuf_append(out, "\"", !plain);
  return 0;
}

void block_line_begin(struct strbuf *out, size_t indent) {
  static const char spaces[] = "\n                                ";
  const size_t most = sizeof spaces - 2;
  strbuf_append(out, spaces, 1 + (indent < most ? indent : most));
  for (; indent > most; indent--)
    strbuf_putc(out, ' ');
}

static bool is_container(const json_t *value) {
  return json_object_size(value) > 0 || json_array_size(value) > 0;
}

static int append_leaf(struct strbuf *out, const json_t *value) {
  switch (json_typeof(value)) {
  case JSON_STRING:
    return block_text_append(out, json_string_value(value), json_string_length(value));
  case JSON_OBJECT:
    strbuf_puts(out, "{}");
    return 0;
  case JSON_ARRAY:
    strbuf_puts(out, "[]");
    return 0;
  default:
    return plain_append(out, value);
  }
}

/* Its first line goes on where the text ends. */
static int append_container(struct strbuf *out, const json_t *value, size_t indent, size_t depth);

static int append_entry(struct strbuf *out, const char *key, size_t length, const json_t *value, size_t indent,
                        size_t depth) {
  int r = length > BLOCK_KEY_MAX ? -ENOTSUP : block_text_append(out, key, length);
  if (r < 0)
    return r;
  strbuf_putc(out, ':');
  if (!is_container(value)) {
    strbuf_putc(out, ' ');
    return append_leaf(out, value);
  }
  /* A list stands below its key and not to the right of it. */
  const size_t inner = indent + (json_is_object(value) ? BLOCK_STEP : 0);
  block_line_begin(out, inner);
  return append_container(out, value, inner, depth + 1);
}

static int append_map(struct strbuf *out, const json_t *object, size_t indent, size_t depth) {
  int r = 0;
  bool first = true;
  for (void *at = json_object_iter((json_t *)object); r == 0 && at;
       at = json_object_iter_next((json_t *)object, at), first = false) {
    if (!first)
      block_line_begin(out, indent);
    r = append_entry(out, json_object_iter_key(at), json_object_iter_key_len(at), json_object_iter_value(at), indent,
                     depth);
  }
  return r;
}

static int append_list(struct strbuf *out, const json_t *array, size_t indent, size_t depth) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
    const json_t *item = json_array_get(array, i);
    if (i > 0)
      block_line_begin(out, indent);
    strbuf_append(out, "- ", 2);
    r = is_container(item) ? append_container(out, item, indent + BLOCK_STEP, depth + 1) : append_leaf(out, item);
  }
  return r;
}

static int append_container(struct strbuf *out, const json_t *value, size_t indent, size_t depth) {
  if (depth >= DOCUMENT_DEPTH_MAX) /* what is in it would be too deep */
    return -ENOTSUP;
  return json_is_object(value) ? append_map(out, value, indent, depth) : append_list(out, value, indent, depth);
}

int yaml_write_block(const json_t *value, struct strbuf *out) {
  const size_t before = out->length;
  int r = is_container(value) ? append_container(out, value, 0, 0) : -ENOTSUP;
  if (r == 0)
    strbuf_putc(out, '\n');
  else
    strbuf_truncate(out, before);
  return r;
}
