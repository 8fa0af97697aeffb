/* The HTML report in parts, each of which appends a section to the page. For host/report/html*.c only.
 *
 * Everything that may come from a mesh goes through html_text(). The markup is well-formed XML, too, so that any XML
 * reader can check it. */
#ifndef TRAMMEL_HOST_REPORT_HTML_PAGE_H
#define TRAMMEL_HOST_REPORT_HTML_PAGE_H

#include <jansson.h>

#include "host/report/html_text.h"
#include "host/report/matrix.h"
#include "host/report/standing.h"
#include "host/report/style.h"
#include "sdk/base/strbuf.h"

struct html {
  struct strbuf out;
  const struct run_result *run;
  struct matrix matrix;
  struct run_totals totals;
  enum standing standing;
};

/* ---- pieces (html_pieces.c) */

/* From the document's beginning to its title, whose text follows; from there to the end of the head, with a style sheet
 * besides html.css (NULL: none). */
void html_head_begin(struct strbuf *out);
void html_head_end(struct strbuf *out, const unsigned char *style_sheet, size_t length);

/* " <span>sentence</span>" of a requirement; nothing for one that the suite does not know. */
void html_sentence(struct strbuf *out, const char *requirement);

/* A block of code that wraps. */
void html_code(struct strbuf *out, const char *text);

/* <details> with the value as YAML, or as JSON, in a block of code; nothing for NULL. */
void html_yaml(struct strbuf *out, const char *title, const json_t *value);
void html_json(struct strbuf *out, const char *title, const json_t *value);

/* The symbol of a tone, and its word for those who don't see it: class and text of a state. */
const char *html_tone_class(enum tone tone);
const char *html_cell(enum cell cell, enum tone *ret_tone);
const char *html_outcome(enum outcome outcome, enum tone *ret_tone);

/* "<1ms" or as duration_text(). */
void html_duration(struct strbuf *out, int64_t duration_ns);

/* ---- sections */

extern const unsigned char html_style_sheet[]; /* html.css */
extern const size_t html_style_sheet_length;

void html_summary(struct html *page);     /* html_summary.c: what the run came to, and what was run */
void html_capability(struct html *page);  /* html_summary.c */
void html_matrix(struct html *page);      /* html_matrix.c: the requirements by version */
void html_index(struct html *page);       /* html_matrix.c: the cases by requirement and version */
void html_findings(struct html *page);    /* html_cases.c: the cases that did not simply pass, failures first */
void html_passed(struct html *page);      /* html_cases.c */
void html_propagation(struct html *page); /* html_propagation.c */
bool html_has_readings(const struct html *page);
void html_readings(struct html *page); /* html_readings.c: the interpretations that cases of the run take */

/* One case with all that is known of it, html_case.c. Its anchor is "c" and its number in the run, from 1. */
void html_case(struct html *page, const struct case_result *result, bool open);
size_t html_case_number(const struct html *page, const struct case_result *result);

/* Its state and a link to it, for a list. */
void html_case_link(struct html *page, const struct case_result *result);

#endif
