/* Block YAML as nearly all manifests are: a fraction of the work of libyaml's parser, and the same tree. A document
 * with anything else in it, or with anything wrong, is left to libyaml. */
#include <errno.h>
#include <string.h>

#include "sdk/base/document_internal.h"

#define KEY_MAX 128 /* libyaml takes plain keys of up to 1024 characters */
/* Of a document, which may have to be read a second time: its tree is then there twice. */
#define DOCUMENT_MAX ((size_t)1 << 20)

struct level {
  size_t column; /* of the first key, or of the dashes */
  bool list;
};

struct lines {
  struct builder *builder;
  const char *start; /* of the line */
  const char *end;   /* of the line, without its line feed */
  size_t line;       /* from 0 */
  struct level levels[DOCUMENT_DEPTH_MAX];
  size_t depth;
  bool pending; /* the last key has no value yet */
};

static bool is_visible(char c) {
  return c > ' ' && c < 0x7f;
}

static bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Fewer than YAML allows a plain text to begin with. */
static bool is_plain_first(const char *at, const char *end) {
  if (*at == '-')
    return end - at > 1 && is_word(at[1]);
  return is_word(*at) || (*at && strchr("/.^(~+$<=", *at));
}

static const char *skip_spaces(const char *at, const char *end) {
  while (at < end && *at == ' ')
    at++;
  return at;
}

static struct position position_at(const struct lines *in, const char *at) {
  return (struct position){
      .file = in->builder->file, .line = (uint32_t)in->line + 1, .column = (uint32_t)(at - in->start) + 1};
}

static int append_text(struct lines *in, const char *at, size_t length, bool plain) {
  struct node scalar = {.kind = NODE_STRING,
                        .position = position_at(in, at - !plain),
                        .text = arena_strndup(in->builder->arena, at, length),
                        .length = (uint32_t)length};
  if (!scalar.text)
    return -ENOMEM;
  if (plain)
    scalar_resolve(&scalar);
  return builder_scalar(in->builder, &scalar);
}

/* The end of a plain text in block context that begins at `at`: the end of the line, or the colon behind a key. NULL
 * where that is not certain. */
static const char *plain_end(const char *at, const char *end) {
  if (!is_plain_first(at, end))
    return NULL;
  for (; at < end; at++) {
    const bool last = at + 1 == end;
    if (*at == ':' && (last || at[1] == ' '))
      return at;
    if (*at == ' ' ? last || at[1] == '#' : !is_visible(*at))
      return NULL;
  }
  return end;
}

/* The closing quote of a text without escapes; NULL when it has some. */
static const char *quoted_end(const char *at, const char *end) {
  const char quote = *at++;
  while (at < end && *at != quote && (is_visible(*at) || *at == ' ') && *at != '\\')
    at++;
  return at < end && *at == quote ? at : NULL;
}

/* Reads one item of a list in brackets, and moves `*at` behind it. */
static int read_flow_item(struct lines *in, const char **at) {
  const char *start = *at, *end = start;
  if (start < in->end && (*start == '"' || *start == '\'')) {
    end = quoted_end(start, in->end);
    if (!end)
      return -ENOTSUP;
    *at = end + 1;
    return append_text(in, start + 1, (size_t)(end - start) - 1, false);
  }
  if (start == in->end || !is_plain_first(start, in->end))
    return -ENOTSUP;
  while (end < in->end && is_visible(*end) && !strchr(",[]{}:#?\"'", *end))
    end++;
  *at = end;
  return append_text(in, start, (size_t)(end - start), true);
}

static int read_flow_list(struct lines *in, const char *at) {
  int r = builder_open(in->builder, NODE_LIST, position_at(in, at));
  at = skip_spaces(at + 1, in->end);
  for (bool more = at == in->end || *at != ']'; r == 0 && more;) {
    r = read_flow_item(in, &at);
    if (r < 0)
      return r;
    at = skip_spaces(at, in->end);
    if (at == in->end || (*at != ',' && *at != ']'))
      return -ENOTSUP;
    more = *at == ',';
    if (more)
      at = skip_spaces(at + 1, in->end);
  }
  if (r < 0)
    return r;
  return at + 1 == in->end ? builder_close(in->builder) : -ENOTSUP;
}

static int read_empty_map(struct lines *in, const char *at) {
  if (in->end - at != 2 || at[1] != '}')
    return -ENOTSUP;
  int r = builder_open(in->builder, NODE_MAP, position_at(in, at));
  return r < 0 ? r : builder_close(in->builder);
}

/* A value that ends with its line. */
static int read_value(struct lines *in, const char *at) {
  const char *end;
  switch (*at) {
  case '[':
    return read_flow_list(in, at);
  case '{':
    return read_empty_map(in, at);
  case '"':
  case '\'':
    end = quoted_end(at, in->end);
    if (!end || end + 1 != in->end)
      return -ENOTSUP;
    return append_text(in, at + 1, (size_t)(end - at) - 1, false);
  default:
    if (plain_end(at, in->end) != in->end)
      return -ENOTSUP;
    return append_text(in, at, (size_t)(in->end - at), true);
  }
}

static int open_level(struct lines *in, const char *at, bool list) {
  if (in->depth == DOCUMENT_DEPTH_MAX)
    return -ENOTSUP;
  in->levels[in->depth++] = (struct level){.column = (size_t)(at - in->start), .list = list};
  return builder_open(in->builder, list ? NODE_LIST : NODE_MAP, position_at(in, at));
}

/* A key whose colon is known, and its value, unless that comes on the lines that follow. */
static int read_entry(struct lines *in, const char *at, const char *colon) {
  if (!is_word(*at) || colon - at > KEY_MAX || colon[-1] == ' ')
    return -ENOTSUP;
  int r = builder_key(in->builder, position_at(in, at), at, (size_t)(colon - at));
  if (r < 0)
    return r;
  const char *value = skip_spaces(colon + 1, in->end);
  in->pending = value == in->end;
  return in->pending ? 0 : read_value(in, value);
}

static int read_item(struct lines *in, const char *dash) {
  const char *at = skip_spaces(dash + 1, in->end);
  if (at == in->end)
    return -ENOTSUP;
  const char *colon = plain_end(at, in->end);
  if (!colon || colon == in->end)
    return read_value(in, at);
  int r = open_level(in, at, false);
  return r < 0 ? r : read_entry(in, at, colon);
}

/* Opens the list or map that is the value of the last key, or the document. */
static int open_pending(struct lines *in, const char *at, bool item) {
  const size_t column = (size_t)(at - in->start);
  if (in->depth == 0 ? item || column > 0
                     : column < in->levels[in->depth - 1].column + !item) /* dashes may stand right below their key */
    return -ENOTSUP;
  in->pending = false;
  return open_level(in, at, item);
}

/* Closes what the line is no longer part of. */
static int close_levels(struct lines *in, const char *at, bool item) {
  const size_t column = (size_t)(at - in->start);
  for (; in->depth > 0; in->depth--) {
    const struct level *top = &in->levels[in->depth - 1];
    if (top->column < column || (top->column == column && (item || !top->list)))
      return top->column == column && top->list == item ? 0 : -ENOTSUP;
    int r = builder_close(in->builder);
    if (r < 0)
      return r;
  }
  return -ENOTSUP;
}

static int read_content(struct lines *in, const char *at) {
  const bool item = *at == '-' && (at + 1 == in->end || at[1] == ' ');
  int r = in->pending || in->depth == 0 ? open_pending(in, at, item) : close_levels(in, at, item);
  if (r < 0)
    return r;
  if (item)
    return read_item(in, at);
  const char *colon = plain_end(at, in->end);
  return colon && colon < in->end ? read_entry(in, at, colon) : -ENOTSUP;
}

static int read_comment(const struct lines *in, const char *at) {
  while (at < in->end && (is_visible(*at) || *at == ' '))
    at++;
  return at == in->end ? 0 : -ENOTSUP;
}

static bool is_marker(const struct lines *in) {
  return in->end - in->start == 3 && memcmp(in->start, "---", 3) == 0;
}

static int end_document(struct lines *in) {
  if (in->pending || in->depth == 0)
    return -ENOTSUP;
  for (; in->depth > 0; in->depth--) {
    int r = builder_close(in->builder);
    if (r < 0)
      return r;
  }
  return 0;
}

/* Reads the document at `text`, up to the marker of the next one or the end. Without a document there, all is read. */
static int read_document(struct lines *in, const char *text, const char *end, const char **ret_next) {
  bool begun = false;
  for (in->start = text; in->start < end; in->start = in->end + (in->end < end), in->line++) {
    const char *feed = memchr(in->start, '\n', (size_t)(end - in->start));
    in->end = feed ? feed : end;
    const char *at = skip_spaces(in->start, in->end);
    int r = 0;
    if ((size_t)(in->end - text) > DOCUMENT_MAX)
      return -ENOTSUP;
    if (at == in->end)
      continue;
    if (is_marker(in) && begun)
      break;
    if (*at == '#') {
      r = read_comment(in, at);
    } else {
      if (!begun)
        r = builder_begin_document(in->builder, position_at(in, at));
      begun = true;
      if (r == 0 && !is_marker(in))
        r = read_content(in, at);
    }
    if (r < 0)
      return r;
  }
  int r = begun ? end_document(in) : 0;
  if (r == 0)
    *ret_next = in->start;
  return r;
}

int document_read_lines(struct builder *builder, const char *text, size_t length, size_t *ret_length,
                        size_t *ret_lines) {
  struct lines in = {.builder = builder};
  const char *at = text, *const end = text + length;
  size_t line = 0;
  int r = 0;
  builder->tentative = true;
  while (r == 0 && at < end) {
    const size_t nodes = builder->nodes, documents = builder->documents;
    r = read_document(&in, at, end, &at);
    if (r == 0) {
      line = in.line;
    } else {
      builder->nodes = nodes;
      builder->documents = documents;
      builder->depth = builder->slot_count = 0;
    }
  }
  builder->tentative = false;
  *ret_length = (size_t)(at - text);
  *ret_lines = line;
  return r == -ENOTSUP ? 0 : r;
}
