/* Text from outside in Markdown. */
#ifndef TRAMMEL_HOST_REPORT_MARKDOWN_TEXT_H
#define TRAMMEL_HOST_REPORT_MARKDOWN_TEXT_H

#include "sdk/base/strbuf.h"

/* Appends text on one line, so that it reads as text: no markup, no table cell ended early, no HTML. */
void markdown_text(struct strbuf *buffer, const char *value);

/* Appends a block of code, with a fence longer than any run of backticks inside. */
void markdown_code(struct strbuf *buffer, const char *language, const char *code);

#endif
