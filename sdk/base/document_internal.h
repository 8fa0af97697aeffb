/* Inside document_*.c: the tree under construction, which both readers feed, and how scalars resolve. */
#ifndef TRAMMEL_SDK_BASE_DOCUMENT_INTERNAL_H
#define TRAMMEL_SDK_BASE_DOCUMENT_INTERNAL_H

#include "sdk/base/document.h"

struct slot;
struct frame;

/* Builds trees without recursion. Values arrive in the order written; a map takes key and value in turn. */
struct builder {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct document_limits limits;
  const char *file;

  struct frame *frames; /* open lists and maps, outermost first */
  size_t depth;
  size_t frames_capacity;
  struct slot *slots; /* what the open lists and maps hold so far, one after the other */
  size_t slot_count;
  size_t slots_capacity;
  const struct node **roots;
  size_t root_count;
  size_t roots_capacity;

  size_t nodes;
  size_t documents;
  size_t errors;
  bool syntax;    /* reading stopped because the text is not of the format */
  bool tentative; /* what is read may have to be read again: nothing is reported, it fails with -ENOTSUP */
};

void builder_init(struct builder *builder, struct arena *arena, const char *file, const struct document_limits *limits,
                  struct diagnostics *diagnostics);
void builder_finish(struct builder *builder);
#define _cleanup_builder_ _cleanup_(builder_finish)

/* Counts one more document against the limit. */
int builder_begin_document(struct builder *builder, struct position position);

/* Whether the next value is a map's key: hand it to builder_key(). */
bool builder_wants_key(const struct builder *builder);
bool builder_in_map(const struct builder *builder);
int builder_key(struct builder *builder, struct position position, const char *key, size_t length);

/* A copy of `scalar`, whose text already lives in the arena. */
int builder_scalar(struct builder *builder, const struct node *scalar);
int builder_open(struct builder *builder, enum node_kind kind, struct position position);
int builder_close(struct builder *builder);

/* The documents read before the first error, in the arena. */
int builder_documents(const struct builder *builder, struct document_list *ret_documents);

struct complaint {
  const char *code;
  struct position position;
  const char *detail; /* may be NULL */
  const char *remedy; /* may be NULL */
};

/* An error that leaves the rest readable: 0 to go on, -EINVAL after too many, -ENOMEM. */
int builder_note(struct builder *builder, const struct complaint *complaint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* An error that ends the reading: -code, or -ENOMEM. */
int builder_stop(struct builder *builder, int code, const struct complaint *complaint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The position of the byte at `offset`, which may be the end of the text. */
struct position text_position(const char *file, const char *text, size_t offset);

/* Resolves a plain scalar by the YAML 1.2 core schema, which agrees with JSON on all that JSON can write: sets kind,
 * boolean, integer from text and length. */
void scalar_resolve(struct node *scalar);

/* The double a number's text means; infinite when beyond its range, NaN for .nan. */
double scalar_double(const struct node *number);

/* Starts a builder on a text, and checks what both formats refuse; takes a byte order mark off `*text`. */
int document_open(struct builder *builder, struct arena *arena, const char *file, const struct document_limits *limits,
                  struct diagnostics *diagnostics, const char **text, size_t *length);

/* Reads with one reader, and hands out its documents even when it failed. */
typedef int document_reader(struct builder *builder, const char *text, size_t length);
int document_read_as(document_reader *read, struct builder *builder, const char *text, size_t length,
                     struct document_list *ret_documents);

int document_read_json(struct builder *builder, const char *text, size_t length);
int document_read_yaml(struct builder *builder, const char *text, size_t length);

/* What document_read_yaml() is made of. The first is fast, and reads documents up to the first one that is more than
 * plain block YAML, or that has something wrong in it: that one begins `*ret_length` bytes and `*ret_lines` lines on,
 * and nothing of it is reported or kept. It hands out 0 or -ENOMEM. The second goes through libyaml and takes
 * everything; `first_line` lines came before the text. Both build the same trees. */
int document_read_lines(struct builder *builder, const char *text, size_t length, size_t *ret_length,
                        size_t *ret_lines);
int document_read_libyaml(struct builder *builder, const char *text, size_t length, size_t first_line);

/* Whether YAML's core schema, or a reader of YAML 1.1, takes the plain text for something else than a string. */
bool text_misread(const char *text);

/* The text of a null, boolean or number, the same in both formats. -ENOMEM. */
int plain_append(struct strbuf *out, const json_t *value);

/* What yaml_write() is made of. The first is fast, and -ENOTSUP, with nothing appended, for a scalar as the root, and
 * for texts that are more than plain or double-quoted ASCII; the second goes through libyaml's emitter and takes
 * everything. Both write the same bytes. A failed append shows in the buffer. */
int yaml_write_block(const json_t *value, struct strbuf *out);
int yaml_write_any(const json_t *value, struct strbuf *out);

/* What block YAML is made of: a string, -ENOTSUP when it is more than plain or double-quoted ASCII; and the end of a
 * line with the beginning of the next. */
#define BLOCK_KEY_MAX 128 /* libyaml writes longer keys as "? key" */
#define BLOCK_STEP 2
int block_text_append(struct strbuf *out, const char *text, size_t length);
void block_line_begin(struct strbuf *out, size_t indent);

#endif
