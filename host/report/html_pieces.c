#include "host/report/emit.h"
#include "host/report/html_page.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"

/* The file is read by itself, perhaps from a mail or a web server of others: nothing is loaded and nothing runs. */
#define CONTENT_SECURITY_POLICY "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

void html_head_begin(struct strbuf *out) {
  strbuf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"" CONTENT_SECURITY_POLICY "\"/>\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                   "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
                   "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>");
}

void html_head_end(struct strbuf *out, const unsigned char *style_sheet, size_t length) {
  strbuf_puts(out, "</title>\n<style>\n");
  strbuf_append(out, html_style_sheet, html_style_sheet_length);
  if (style_sheet)
    strbuf_append(out, style_sheet, length);
  strbuf_puts(out, "</style>\n</head>\n");
}

void html_sentence(struct strbuf *out, const char *requirement) {
  const struct requirement *known = requirement_find(requirement);
  if (!known)
    return;
  strbuf_puts(out, " <span>");
  html_prose(out, known->summary);
  strbuf_puts(out, "</span>");
}

void html_code(struct strbuf *out, const char *text) {
  strbuf_puts(out, "<pre><code>");
  html_text(out, text);
  strbuf_puts(out, "</code></pre>\n");
}

static void block(struct strbuf *out, const char *title, const json_t *value,
                  int (*write)(const json_t *value, struct strbuf *out)) {
  if (!value)
    return;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  if (write(value, &text) < 0 || strbuf_failed(&text))
    out->failed = true;
  strbuf_puts(out, "<details class=\"more\"><summary>");
  html_text(out, title);
  strbuf_puts(out, "</summary>\n");
  html_code(out, strbuf_text(&text));
  strbuf_puts(out, "</details>\n");
}

void html_yaml(struct strbuf *out, const char *title, const json_t *value) {
  block(out, title, value, yaml_write);
}

void html_json(struct strbuf *out, const char *title, const json_t *value) {
  block(out, title, value, json_write);
}

const char *html_tone_class(enum tone tone) {
  static const char *const classes[] = {[TONE_PLAIN] = "plain", [TONE_STRONG] = "plain", [TONE_DIM] = "plain",
                                        [TONE_GOOD] = "good",   [TONE_BAD] = "bad",      [TONE_WARNING] = "warn"};
  return classes[tone];
}

static const struct style symbols = {.unicode = true};

const char *html_cell(enum cell cell, enum tone *ret_tone) {
  return style_cell(&symbols, cell, ret_tone);
}

const char *html_outcome(enum outcome outcome, enum tone *ret_tone) {
  return style_outcome(&symbols, outcome, ret_tone);
}

void html_duration(struct strbuf *out, int64_t duration_ns) {
  char text[DURATION_TEXT_MAX];
  if (duration_ns >= 0 && duration_ns < NS_PER_MS)
    strbuf_puts(out, "&#60;1ms");
  else
    strbuf_puts(out, duration_text(duration_ns, text));
}
