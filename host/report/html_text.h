/* Text in HTML and SVG. Whatever may come from a mesh goes through here; the result is well-formed XML, too. Pure
 * functions. */
#ifndef TRAMMEL_HOST_REPORT_HTML_TEXT_H
#define TRAMMEL_HOST_REPORT_HTML_TEXT_H

#include "sdk/base/strbuf.h"

/* Appends `text` as character data, for content and for attribute values in double quotes. Control characters show as
 * escapes (\x1b), bytes that are no UTF-8 as \xff; line breaks and tabs stay. NULL is "". */
void html_text(struct strbuf *out, const char *text);

/* The same for a sentence, in which `words` in backticks become code. Only for content. */
void html_prose(struct strbuf *out, const char *text);

/* <tag class="class">text</tag>; `class` may be NULL. */
void html_element(struct strbuf *out, const char *tag, const char *class, const char *text);

#endif
