#include "plugins/reference/mesh/frame.h"

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/stream.h"

void frame_write(struct stream *stream, const char *data, size_t length) {
  unsigned char head[FRAME_HEAD] = {(unsigned char)(length >> 8), (unsigned char)length};
  stream_write(stream, head, sizeof head);
  stream_write(stream, data, length);
}

static size_t frame_length(const char *head) {
  const unsigned char *bytes = (const unsigned char *)head;
  return (size_t)bytes[0] << 8 | bytes[1];
}

static void skip(const char **data, size_t *length, size_t count) {
  *data += count;
  *length -= count;
}

/* Adds to the partial frame until it has `wanted` bytes; whether it has. */
static bool collect(struct frame_reader *reader, const char **data, size_t *length, size_t wanted) {
  size_t missing = wanted - reader->partial.length;
  size_t count = missing < *length ? missing : *length;
  strbuf_append(&reader->partial, *data, count);
  skip(data, length, count);
  return reader->partial.length == wanted;
}

static enum frame incomplete(const struct frame_reader *reader) {
  return strbuf_failed(&reader->partial) ? FRAME_BAD : FRAME_MORE;
}

enum frame frame_next(struct frame_reader *reader, const char **data, size_t *length, const char **ret_datagram,
                      size_t *ret_size) {
  if (reader->handed_out)
    strbuf_finish(&reader->partial); /* few arrive in pieces, and one may be large */
  reader->handed_out = false;
  bool whole = reader->partial.length == 0 && *length >= FRAME_HEAD;
  if (!whole && reader->partial.length < FRAME_HEAD && !collect(reader, data, length, FRAME_HEAD))
    return incomplete(reader);
  size_t size = frame_length(whole ? *data : reader->partial.data);
  if (size > LIMIT_DATAGRAM)
    return FRAME_BAD;
  *ret_size = size;
  if (whole && *length - FRAME_HEAD >= size) {
    *ret_datagram = *data + FRAME_HEAD;
    skip(data, length, FRAME_HEAD + size);
    return FRAME_DATAGRAM;
  }
  if (!collect(reader, data, length, FRAME_HEAD + size))
    return incomplete(reader);
  *ret_datagram = reader->partial.data + FRAME_HEAD;
  reader->handed_out = true;
  return FRAME_DATAGRAM;
}

void frame_reader_finish(struct frame_reader *reader) {
  strbuf_finish(&reader->partial);
  reader->handed_out = false;
}
