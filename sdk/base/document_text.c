/* What is done with a text whatever it is read as. Apart from the readers, so that who reads JSON only needs no YAML.
 */
#include <errno.h>
#include <string.h>

#include "sdk/base/document_internal.h"
#include "sdk/base/utf8.h"

const struct document_limits document_limits_default = {
    .bytes = (size_t)16 << 20,
    .depth = 64,
    .nodes = 1000000,
    .documents = 10000,
};

struct position text_position(const char *file, const char *text, size_t offset) {
  struct position position = {.file = file, .line = 1, .column = 1};

  for (size_t i = 0; i < offset; i++) {
    if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == offset || text[i + 1] != '\n'))) {
      position.line++;
      position.column = 1;
    } else {
      position.column += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
  }
  return position;
}

static bool looks_like_utf16(const unsigned char *data, size_t length) {
  return length >= 2 && ((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff));
}

/* What both formats refuse, checked before either reader sees it. */
static int text_check(struct builder *builder, const char *text, size_t length) {
  struct complaint complaint = {0};
  const char *nul;
  size_t offset;

  if (!utf8_valid(text, length, &offset)) {
    complaint.code = "DOC-0003";
    complaint.position = text_position(builder->file, text, offset);
    complaint.remedy = looks_like_utf16((const unsigned char *)text, length)
                           ? "this looks like UTF-16; save the file as UTF-8"
                           : "save the file as UTF-8";
    return builder_stop(builder, EINVAL, &complaint, "the byte 0x%02x is not UTF-8", (unsigned char)text[offset]);
  }
  nul = length > 0 ? memchr(text, '\0', length) : NULL;
  if (nul) {
    complaint.code = "DOC-0002";
    complaint.position = text_position(builder->file, text, (size_t)(nul - text));
    complaint.remedy = "give a text file";
    return builder_stop(builder, EINVAL, &complaint, "the text holds the NUL character");
  }
  return 0;
}

int document_open(struct builder *builder, struct arena *arena, const char *file, const struct document_limits *limits,
                  struct diagnostics *diagnostics, const char **text, size_t *length) {
  if (file && !(file = arena_strdup(arena, file)))
    return -ENOMEM;
  builder_init(builder, arena, file, limits ? limits : &document_limits_default, diagnostics);
  if (*length > builder->limits.bytes)
    return builder_stop(
        builder, E2BIG,
        &(struct complaint){.code = "DOC-0001", .position = {.file = file}, .remedy = "split the input"},
        "the input has %zu bytes, the limit is %zu", *length, builder->limits.bytes);
  if (*length >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
    *text += 3;
    *length -= 3;
  }
  return text_check(builder, *text, *length);
}

int document_read_as(document_reader *read, struct builder *builder, const char *text, size_t length,
                     struct document_list *ret_documents) {
  int r = read(builder, text, length), s;

  if (r == 0 && builder->errors > 0)
    r = -EINVAL;
  if (r == -ENOMEM)
    return r;
  s = builder_documents(builder, ret_documents);
  return s < 0 ? s : r;
}
