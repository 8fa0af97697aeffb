#include "sdk/base/strbuf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STRBUF_FIRST_CAPACITY 64

/* Makes room for `extra` more bytes and the final NUL. */
static bool strbuf_reserve(struct strbuf *buffer, size_t extra) {
  size_t needed, capacity = buffer->capacity > 0 ? buffer->capacity : STRBUF_FIRST_CAPACITY;
  char *moved;

  if (buffer->failed)
    return false;
  if (__builtin_add_overflow(buffer->length, extra, &needed) || __builtin_add_overflow(needed, (size_t)1, &needed)) {
    buffer->failed = true;
    return false;
  }
  if (needed <= buffer->capacity)
    return true;
  while (capacity < needed)
    if (__builtin_mul_overflow(capacity, (size_t)2, &capacity))
      capacity = needed;
  moved = realloc(buffer->data, capacity);
  if (!moved) {
    buffer->failed = true;
    return false;
  }
  buffer->data = moved;
  buffer->capacity = capacity;
  return true;
}

void strbuf_finish(struct strbuf *buffer) {
  free(buffer->data);
  *buffer = STRBUF_INIT;
}

void strbuf_clear(struct strbuf *buffer) {
  buffer->length = 0;
  buffer->failed = false;
  if (buffer->data)
    buffer->data[0] = '\0';
}

void strbuf_append(struct strbuf *buffer, const void *data, size_t length) {
  if (length == 0 || !strbuf_reserve(buffer, length))
    return;
  memcpy(buffer->data + buffer->length, data, length);
  buffer->length += length;
  buffer->data[buffer->length] = '\0';
}

void strbuf_puts(struct strbuf *buffer, const char *text) {
  strbuf_append(buffer, text, strlen(text));
}

void strbuf_putc(struct strbuf *buffer, char c) {
  strbuf_append(buffer, &c, 1);
}

void strbuf_printf(struct strbuf *buffer, const char *format, ...) {
  va_list args;

  va_start(args, format);
  strbuf_vprintf(buffer, format, args);
  va_end(args);
}

void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list args) {
  va_list measured;
  int length;

  va_copy(measured, args);
  length = vsnprintf(NULL, 0, format, measured);
  va_end(measured);
  if (length < 0) {
    buffer->failed = true;
    return;
  }
  if (!strbuf_reserve(buffer, (size_t)length))
    return;
  (void)vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, args);
  buffer->length += (size_t)length;
}

int strbuf_read_file(struct strbuf *buffer, int fd, size_t limit) {
  char chunk[16 * 1024];
  for (;;) {
    ssize_t n = pread(fd, chunk, sizeof(chunk), (off_t)buffer->length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? -errno : 0;
    if (buffer->length + (size_t)n > limit)
      return -EFBIG;
    strbuf_append(buffer, chunk, (size_t)n);
    if (strbuf_failed(buffer))
      return -ENOMEM;
  }
}

void strbuf_truncate(struct strbuf *buffer, size_t length) {
  if (length >= buffer->length)
    return;
  buffer->length = length;
  buffer->data[length] = '\0';
}

void strbuf_consume(struct strbuf *buffer, size_t length) {
  if (!buffer->data || length == 0)
    return;
  if (length > buffer->length)
    length = buffer->length;
  buffer->length -= length;
  memmove(buffer->data, buffer->data + length, buffer->length + 1);
}

const char *strbuf_text(const struct strbuf *buffer) {
  return buffer->data ? buffer->data : "";
}

bool strbuf_failed(const struct strbuf *buffer) {
  return buffer->failed;
}

char *strbuf_steal(struct strbuf *buffer) {
  char *text = NULL;

  if (!buffer->failed)
    text = buffer->data ? take(buffer->data) : strdup("");
  strbuf_finish(buffer);
  return text;
}
