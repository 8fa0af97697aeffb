/* A growing byte buffer that is always NUL-terminated. An allocation failure is remembered: appends after it do
 * nothing, and strbuf_failed() tells, so that a run of appends is checked once. */
#ifndef TRAMMEL_SDK_BASE_STRBUF_H
#define TRAMMEL_SDK_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

struct strbuf {
  char *data; /* NULL while nothing was appended; use strbuf_text() for a string */
  size_t length;
  size_t capacity;
  bool failed;
};

#define STRBUF_INIT ((struct strbuf){0})

void strbuf_finish(struct strbuf *buffer);
void strbuf_clear(struct strbuf *buffer);
void strbuf_append(struct strbuf *buffer, const void *data, size_t length);
void strbuf_puts(struct strbuf *buffer, const char *text);
void strbuf_putc(struct strbuf *buffer, char c);
void strbuf_printf(struct strbuf *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Appends what a file has beyond the buffer's length: an empty buffer gets all of it. -EFBIG when that would make more
 * than `limit` bytes, -ENOMEM, -errno of pread(2). */
int strbuf_read_file(struct strbuf *buffer, int fd, size_t limit);

/* Keeps the first `length` bytes (at most what there is). */
void strbuf_truncate(struct strbuf *buffer, size_t length);

/* Drops the first `length` bytes (at most all). */
void strbuf_consume(struct strbuf *buffer, size_t length);

/* The text, "" when empty. Borrowed until the next change. */
const char *strbuf_text(const struct strbuf *buffer);
bool strbuf_failed(const struct strbuf *buffer);

/* Hands over the text as a heap string the caller frees, and leaves the buffer empty. NULL when an append had failed.
 */
char *strbuf_steal(struct strbuf *buffer);

#define _cleanup_strbuf_ _cleanup_(strbuf_finish)

#ifdef __cplusplus
}
#endif

#endif
