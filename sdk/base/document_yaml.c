#include "sdk/base/document_internal.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "sdk/base/utf8.h"

#define TAG_PREFIX "tag:yaml.org,2002:"

struct yaml_reader {
  struct builder *builder;
  const char *text;
  size_t length;
  size_t first_line; /* how many came before the text */
};

static uint32_t count_from_one(size_t index) {
  return index >= UINT32_MAX ? UINT32_MAX : (uint32_t)index + 1;
}

static struct position yaml_position(const struct yaml_reader *reader, const yaml_mark_t *mark) {
  return (struct position){.file = reader->builder->file,
                           .line = count_from_one(reader->first_line + mark->line),
                           .column = count_from_one(mark->column)};
}

/* The rest of the line at character `index` of the text, for messages. */
static const char *yaml_excerpt(const struct yaml_reader *reader, size_t index, size_t *ret_length) {
  size_t at = 0, end;

  for (; at < reader->length; at++)
    if (((unsigned char)reader->text[at] & 0xc0) != 0x80 && index-- == 0)
      break;
  for (end = at; end < reader->length && reader->text[end] != '\r' && reader->text[end] != '\n';)
    end++;
  *ret_length = end - at;
  return reader->text + at;
}

/* What helps with the mistakes people make most. */
static const char *yaml_remedy(const char *problem, const char *excerpt, size_t length) {
  char first = '\0';

  if (length > 0)
    first = *excerpt;
  if (first == '\t')
    return "YAML is indented with spaces; replace the tab";
  if (first == '@' || first == '`' || first == '%')
    return "put the value in quotes";
  if (strstr(problem, "mapping values are not allowed"))
    return "put a value that holds \": \" in quotes, or check the indentation";
  if (strstr(problem, "did not find expected key") || strstr(problem, "block end") ||
      strstr(problem, "could not find expected ':'"))
    return "check the indentation and the quotes of this line and the one before";
  if (strstr(problem, "<document start>"))
    return "separate documents by a line of ---";
  if (strstr(problem, "unexpected end of stream"))
    return "close the quote or bracket that is still open";
  return NULL;
}

/* What libyaml reads but will not show as a character: it gives a byte offset and no line. */
static int yaml_fail_character(struct yaml_reader *reader, const yaml_parser_t *parser) {
  size_t offset = parser->problem_offset < reader->length ? parser->problem_offset : reader->length;
  struct position position = text_position(reader->builder->file, reader->text, offset);

  position.line = count_from_one(reader->first_line + position.line - 1);
  return builder_stop(reader->builder, EINVAL,
                      &(struct complaint){.code = "DOC-0005",
                                          .position = position,
                                          .remedy = "remove it, or write it as an escape in double quotes"},
                      "not YAML: the control character U+%04X", (unsigned)parser->problem_value);
}

static int yaml_fail(struct yaml_reader *reader, const yaml_parser_t *parser) {
  const char *problem = parser->problem ? parser->problem : "cannot be parsed", *excerpt;
  char context[160] = "";
  struct quote quote;
  size_t length;

  if (parser->error == YAML_MEMORY_ERROR)
    return -ENOMEM;
  reader->builder->syntax = true;
  if (parser->error == YAML_READER_ERROR)
    return yaml_fail_character(reader, parser);
  if (parser->context)
    (void)snprintf(context, sizeof(context), "%s that starts at line %zu, column %zu", parser->context,
                   reader->first_line + parser->context_mark.line + 1, parser->context_mark.column + 1);
  excerpt = yaml_excerpt(reader, parser->problem_mark.index, &length);
  return builder_stop(reader->builder, EINVAL,
                      &(struct complaint){.code = "DOC-0005",
                                          .position = yaml_position(reader, &parser->problem_mark),
                                          .detail = *context ? context : NULL,
                                          .remedy = yaml_remedy(problem, excerpt, length)},
                      "not YAML: %s, at %s", problem,
                      length > 0 ? quote_text(&quote, excerpt, length) : "the end of the line");
}

/* The kind a core tag stands for, NODE_STRING for the non-specific "!"; 0 for any other tag. */
static enum node_kind tag_kind(const char *tag) {
  static const struct {
    const char *name;
    enum node_kind kind;
  } core[] = {
      {"null", NODE_NULL},  {"bool", NODE_BOOLEAN}, {"int", NODE_INTEGER}, {"float", NODE_NUMBER},
      {"str", NODE_STRING}, {"seq", NODE_LIST},     {"map", NODE_MAP},
  };

  if (strcmp(tag, "!") == 0)
    return NODE_STRING;
  if (strncmp(tag, TAG_PREFIX, strlen(TAG_PREFIX)) != 0)
    return 0;
  for (size_t i = 0; i < sizeof(core) / sizeof(core[0]); i++)
    if (strcmp(tag + strlen(TAG_PREFIX), core[i].name) == 0)
      return core[i].kind;
  return 0;
}

static int yaml_note_tag(struct yaml_reader *reader, struct position position, const char *tag) {
  struct quote quote;

  return builder_note(
      reader->builder,
      &(struct complaint){.code = "DOC-0008",
                          .position = position,
                          .detail = "only the core tags !!str, !!int, !!float, !!bool, !!null, !!seq, !!map are read",
                          .remedy = "remove the tag"},
      "unknown tag %s", quote_text(&quote, tag, strlen(tag)));
}

static int yaml_note_mismatch(struct yaml_reader *reader, const struct node *node, const char *tag) {
  struct quote quote, value;

  return builder_note(reader->builder,
                      &(struct complaint){.code = "DOC-0009",
                                          .position = node->position,
                                          .remedy = "remove the tag or correct the value"},
                      "tag %s does not fit the value %s", quote_text(&quote, tag, strlen(tag)),
                      node->text ? quote_text(&value, node->text, node->length) : node_kind_name(node->kind));
}

/* Resolves a scalar whose tag is written out. */
static int yaml_apply_tag(struct yaml_reader *reader, struct node *scalar, const char *tag) {
  enum node_kind kind = tag_kind(tag);

  if (kind == 0)
    return yaml_note_tag(reader, scalar->position, tag);
  if (kind == NODE_STRING)
    return 0;
  scalar_resolve(scalar);
  if (kind == NODE_NUMBER && scalar->kind == NODE_INTEGER)
    scalar->kind = NODE_NUMBER;
  /* An integer beyond int64_t is a number, yet still what !!int says. */
  if (scalar->kind == kind ||
      (kind == NODE_INTEGER && scalar->kind == NODE_NUMBER && !strpbrk(scalar->text + (scalar->text[0] == '0'), ".eE")))
    return 0;
  return yaml_note_mismatch(reader, scalar, tag);
}

static int yaml_scalar_read(struct yaml_reader *reader, const yaml_event_t *event) {
  const char *value = (const char *)event->data.scalar.value, *tag = (const char *)event->data.scalar.tag;
  size_t length = event->data.scalar.length;
  struct node scalar = {.kind = NODE_STRING, .position = yaml_position(reader, &event->start_mark)};
  bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  int r = 0;

  if (memchr(value, '\0', length))
    return builder_stop(reader->builder, EINVAL,
                        &(struct complaint){.code = "DOC-0002", .position = scalar.position, .remedy = "remove it"},
                        "a string holds the NUL character (an escape such as \\0), which no SMI field may");
  if (builder_wants_key(reader->builder)) {
    if (tag && tag_kind(tag) == 0)
      r = yaml_note_tag(reader, scalar.position, tag);
    return r < 0 ? r : builder_key(reader->builder, scalar.position, value, length);
  }
  if (plain && length == 0 && !tag && !event->data.scalar.anchor && reader->builder->depth == 0)
    return 0; /* an empty document */
  scalar.text = arena_strndup(reader->builder->arena, value, length);
  if (!scalar.text)
    return -ENOMEM;
  scalar.length = (uint32_t)length;
  if (tag)
    r = yaml_apply_tag(reader, &scalar, tag);
  else if (plain)
    scalar_resolve(&scalar);
  return r < 0 ? r : builder_scalar(reader->builder, &scalar);
}

static int yaml_open(struct yaml_reader *reader, const yaml_event_t *event, enum node_kind kind, const char *tag) {
  struct position position = yaml_position(reader, &event->start_mark);
  int r = 0;

  if (builder_wants_key(reader->builder))
    return builder_stop(reader->builder, EINVAL,
                        &(struct complaint){.code = "DOC-0010",
                                            .position = position,
                                            .remedy = "put a {{template}} or other text in quotes, or use a plain key"},
                        "a %s stands as the key of a map; keys must be text", node_kind_name(kind));
  if (tag && tag_kind(tag) == 0)
    r = yaml_note_tag(reader, position, tag);
  else if (tag && strcmp(tag, "!") != 0 && tag_kind(tag) != kind)
    r = yaml_note_mismatch(reader, &(struct node){.kind = kind, .position = position}, tag);
  return r < 0 ? r : builder_open(reader->builder, kind, position);
}

static int yaml_alias_read(struct yaml_reader *reader, const yaml_event_t *event) {
  const char *name = (const char *)event->data.alias.anchor;
  struct position position = yaml_position(reader, &event->start_mark);
  struct quote quote;
  int r;

  r = builder_note(
      reader->builder,
      &(struct complaint){.code = "DOC-0007",
                          .position = position,
                          .detail = "aliases are refused, because a few of them can stand for a document of any size",
                          .remedy = "write the value out"},
      "alias to the anchor %s", quote_text(&quote, name, strlen(name)));
  if (r < 0)
    return r;
  /* The document is lost, but what else is wrong in it can still be told. */
  if (builder_wants_key(reader->builder))
    return builder_key(reader->builder, position, name, strlen(name));
  return builder_scalar(reader->builder, &(struct node){.kind = NODE_NULL, .position = position, .text = ""});
}

static int yaml_event_read(struct yaml_reader *reader, const yaml_event_t *event) {
  switch (event->type) {
  case YAML_DOCUMENT_START_EVENT:
    return builder_begin_document(reader->builder, yaml_position(reader, &event->start_mark));
  case YAML_SCALAR_EVENT:
    return yaml_scalar_read(reader, event);
  case YAML_ALIAS_EVENT:
    return yaml_alias_read(reader, event);
  case YAML_SEQUENCE_START_EVENT:
    return yaml_open(reader, event, NODE_LIST, (const char *)event->data.sequence_start.tag);
  case YAML_MAPPING_START_EVENT:
    return yaml_open(reader, event, NODE_MAP, (const char *)event->data.mapping_start.tag);
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    return builder_close(reader->builder);
  default:
    return 0;
  }
}

int document_read_libyaml(struct builder *builder, const char *text, size_t length, size_t first_line) {
  struct yaml_reader reader = {.builder = builder, .text = text, .length = length, .first_line = first_line};
  _cleanup_(yaml_parser_delete) yaml_parser_t parser;
  bool done = false;
  int r = 0;

  if (!yaml_parser_initialize(&parser))
    return -ENOMEM;
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
  while (r == 0 && !done) {
    yaml_event_t event;

    if (!yaml_parser_parse(&parser, &event))
      return yaml_fail(&reader, &parser);
    r = yaml_event_read(&reader, &event);
    done = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
  }
  return r;
}

int document_read_yaml(struct builder *builder, const char *text, size_t length) {
  size_t read = 0, lines = 0;
  int r = document_read_lines(builder, text, length, &read, &lines);

  return r < 0 || read == length ? r : document_read_libyaml(builder, text + read, length - read, lines);
}
