#include <stdint.h>
#include <string.h>

#include "host/report/emit.h"
#include "host/report/glyph.h"
#include "host/report/html_text.h"
#include "host/report/report.h"
#include "host/report/standing.h"
#include "sdk/base/utf8.h"

#define HEIGHT 20
#define FONT_SIZE 11
#define PADDING 6
#define TEXT_CHARACTERS_MAX 60 /* of each half; cut beyond */

/* Advances of DejaVu Sans in hundredths of its size, from the space to "~". Fonts a viewer may have instead are as wide
 * or narrower, and `textLength` makes them fit. */
static const uint8_t advances[] = {
    32, 40, 46, 84, 64, 95, 78, 27, 39,  39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79,
    60, 79, 69, 63, 61, 73, 68, 99, 69,  61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63,
    63, 28, 28, 58, 28, 97, 63, 61, 63,  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
};

/* In pixels, rounded up; a character beyond ASCII counts as square. */
static unsigned width_of(const char *text) {
  unsigned hundredths = 0;
  uint32_t glyph;
  for (size_t length; (length = glyph_next(text, &glyph)) > 0; text += length)
    hundredths += glyph >= ' ' && glyph - ' ' < ARRAY_COUNT(advances) ? advances[glyph - ' '] : 100;
  return (hundredths * FONT_SIZE + 99) / 100;
}

/* Safe to show, and cut. */
static void append_cut(struct strbuf *out, const char *text) {
  uint32_t glyph;
  for (size_t count = 0, length; (length = glyph_next(text, &glyph)) > 0; text += length) {
    if (count++ == TEXT_CHARACTERS_MAX) {
      strbuf_puts(out, "…");
      return;
    }
    glyph_append(out, utf8_is_control(glyph) ? GLYPH_REPLACEMENT : glyph);
  }
}

static void label(struct strbuf *out, const struct run_result *run) {
  bool whole = !run->suite || strcmp(run->suite, "smi") == 0;
  strbuf_puts(out, "SMI ");
  append_cut(out, whole ? "conformance" : run->suite);
}

static void broken_message(struct strbuf *out, const struct run_result *run) {
  _cleanup_free_ const char **broken = NULL;
  size_t count = 0;
  if (run_broken_requirements(run, &broken, &count) < 0)
    out->failed = true;
  if (count > 0)
    strbuf_printf(out, "%zu broken", count);
  else
    strbuf_printf(out, "%u failed", run_totals(run).failed);
}

static void message(struct strbuf *out, const struct run_result *run, enum standing standing) {
  struct run_totals totals = run_totals(run);
  if (standing == STANDING_BROKEN)
    broken_message(out, run);
  else if (standing == STANDING_UNJUDGED && run->interrupted)
    strbuf_puts(out, "ended early");
  else if (standing == STANDING_UNJUDGED && totals.error > 0)
    strbuf_printf(out, "%u not judged", totals.error);
  else if (standing == STANDING_UNJUDGED)
    strbuf_puts(out, "nothing tested");
  else
    strbuf_printf(out, "%u/%u%s", totals.passed, run_required(run), standing == STANDING_PART ? " in part" : "");
}

/* White text on each has a contrast of at least 4.5. */
static const char *colour(enum standing standing) {
  static const char *const colours[] = {[STANDING_HOLDS] = "#1a7f37",
                                        [STANDING_PART] = "#8a5a00",
                                        [STANDING_UNJUDGED] = "#57606a",
                                        [STANDING_BROKEN] = "#b3261e"};
  return colours[standing];
}

static void half(struct strbuf *out, unsigned left, const char *text) {
  strbuf_printf(out, "<text x=\"%u\" y=\"14\" textLength=\"%u\" lengthAdjust=\"spacingAndGlyphs\">", left + PADDING,
                width_of(text));
  html_text(out, text);
  strbuf_puts(out, "</text>\n");
}

static void badge(struct strbuf *out, const char *left_text, const char *right_text, const char *right_colour) {
  unsigned left = width_of(left_text) + 2 * PADDING;
  unsigned right = width_of(right_text) + 2 * PADDING;
  strbuf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%d\" role=\"img\" aria-label=\"",
                left + right, HEIGHT);
  html_text(out, left_text);
  strbuf_puts(out, ": ");
  html_text(out, right_text);
  strbuf_puts(out, "\">\n<title>");
  html_text(out, left_text);
  strbuf_puts(out, ": ");
  html_text(out, right_text);
  strbuf_printf(out,
                "</title>\n<clipPath id=\"round\"><rect width=\"%u\" height=\"%d\" rx=\"3\"/></clipPath>\n"
                "<g clip-path=\"url(#round)\">\n<rect width=\"%u\" height=\"%d\" fill=\"#3d444d\"/>\n"
                "<rect x=\"%u\" width=\"%u\" height=\"%d\" fill=\"%s\"/>\n</g>\n"
                "<g fill=\"#ffffff\" font-family=\"Verdana,'DejaVu Sans',sans-serif\" font-size=\"%d\">\n",
                left + right, HEIGHT, left, HEIGHT, left, right, HEIGHT, right_colour, FONT_SIZE);
  half(out, 0, left_text);
  half(out, left, right_text);
  strbuf_puts(out, "</g>\n</svg>\n");
}

int report_badge(const struct run_result *run, FILE *out) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  _cleanup_strbuf_ struct strbuf left = STRBUF_INIT;
  _cleanup_strbuf_ struct strbuf right = STRBUF_INIT;
  enum standing standing = run_standing(run);
  label(&left, run);
  message(&right, run, standing);
  badge(&buffer, strbuf_text(&left), strbuf_text(&right), colour(standing));
  buffer.failed = buffer.failed || strbuf_failed(&left) || strbuf_failed(&right);
  return emit(&buffer, out);
}
