/* Writing JSON strings. Bytes outside printable ASCII are escaped as if they were Latin-1, so that what a peer sent is
 * always valid JSON. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_JSON_TEXT_H
#define TRAMMEL_HOST_LAB_WORKLOAD_JSON_TEXT_H

#include "sdk/base/strbuf.h"

/* Appends `text` with quotes. */
void json_text_append(struct strbuf *out, const char *text, size_t length);
void json_text_puts(struct strbuf *out, const char *text);

/* Appends {"error":text}. */
void json_text_error(struct strbuf *out, const char *text);

#endif
