#include "host/report/chart.h"

#include <math.h>

#include "host/report/html_text.h"
#include "sdk/base/memory.h"

/* In units of the picture. */
enum {
  WIDTH = 720,
  HEIGHT = 300,
  LEFT = 64,
  RIGHT = WIDTH - 20,
  TOP = 12,
  BOTTOM = HEIGHT - 46,
  LABEL_Y = HEIGHT - 8,
  TICK_Y = BOTTOM + 18,
  MARKED_MAX = 40, /* points of a line: with more, they are not marked one by one */
};

/* ---- scales */

static double nines(double percentile) {
  return -log10(1 - fmin(percentile, 99.9999999) / 100);
}

double chart_place(const struct chart_axis *axis, double value) {
  double place;
  switch (axis->scale) {
  case CHART_LOGARITHMIC:
    place = log(fmax(value, axis->low) / axis->low) / log(axis->high / axis->low);
    break;
  case CHART_PERCENTILE:
    place = (nines(value) - nines(axis->low)) / (nines(axis->high) - nines(axis->low));
    break;
  default:
    place = (value - axis->low) / (axis->high - axis->low);
    break;
  }
  return fmin(fmax(place, 0), 1);
}

/* 1, 2 or 5 times a power of ten: so large that at most `most` of them are in `range`. */
static double step_of(double range, int most) {
  static const double factors[] = {1, 2, 5, 10};
  double power = pow(10, floor(log10(range / most)));
  for (size_t i = 0; i < ARRAY_COUNT(factors); i++)
    if (range / (factors[i] * power) <= most)
      return factors[i] * power;
  return 20 * power;
}

struct chart_axis chart_axis_of(const char *label, double low, double high, double span) {
  if (!(high > 0) || !isfinite(high))
    return (struct chart_axis){.scale = CHART_LINEAR, .label = label, .low = 0, .high = 1};
  if (span > 0 && low > 0 && high / low > span)
    return (struct chart_axis){.scale = CHART_LOGARITHMIC, .label = label, .low = low, .high = high};
  double step = step_of(high, 5);
  return (struct chart_axis){.scale = CHART_LINEAR, .label = label, .low = 0, .high = ceil(high / step - 1e-9) * step};
}

/* ---- ticks */

typedef void (*put_tick)(struct strbuf *out, const struct chart_axis *axis, double value);

static void linear_ticks(struct strbuf *out, const struct chart_axis *axis, put_tick put) {
  double step = step_of(axis->high - axis->low, 6);
  for (int i = 0; axis->low + i * step <= axis->high + step / 1000; i++)
    put(out, axis, axis->low + i * step);
}

/* 1, 2, 5 where there are few decades; of many, every second or third one. */
static void logarithmic_ticks(struct strbuf *out, const struct chart_axis *axis, put_tick put) {
  static const double factors[] = {1, 2, 5};
  int first = (int)floor(log10(axis->low)), last = (int)ceil(log10(axis->high));
  size_t each = last - first <= 3 ? ARRAY_COUNT(factors) : 1;
  for (int decade = first; decade <= last; decade += (last - first) / 8 + 1)
    for (size_t i = 0; i < each; i++) {
      double value = factors[i] * pow(10, decade);
      if (value >= axis->low * 0.999 && value <= axis->high * 1.001)
        put(out, axis, value);
    }
}

static void percentile_ticks(struct strbuf *out, const struct chart_axis *axis, put_tick put) {
  static const double values[] = {0, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999};
  for (size_t i = 0; i < ARRAY_COUNT(values); i++)
    if (values[i] <= axis->high)
      put(out, axis, values[i]);
}

static void ticks(struct strbuf *out, const struct chart_axis *axis, put_tick put) {
  if (axis->scale == CHART_LOGARITHMIC)
    logarithmic_ticks(out, axis, put);
  else if (axis->scale == CHART_PERCENTILE)
    percentile_ticks(out, axis, put);
  else
    linear_ticks(out, axis, put);
}

/* ---- the picture */

static double x_of(const struct chart_axis *axis, double value) {
  return LEFT + chart_place(axis, value) * (RIGHT - LEFT);
}

static double y_of(const struct chart_axis *axis, double value) {
  return BOTTOM - chart_place(axis, value) * (BOTTOM - TOP);
}

static void x_tick(struct strbuf *out, const struct chart_axis *axis, double value) {
  double x = x_of(axis, value);
  strbuf_printf(
      out, "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.6g</text>\n", x,
      TOP, BOTTOM, x, TICK_Y, value);
}

static void y_tick(struct strbuf *out, const struct chart_axis *axis, double value) {
  double y = y_of(axis, value);
  strbuf_printf(out,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>\n",
                LEFT, y, RIGHT, LEFT - 8, y + 4, value);
}

static void axes(struct strbuf *out, const struct chart *chart) {
  ticks(out, &chart->x, x_tick);
  ticks(out, &chart->y, y_tick);
  strbuf_printf(out, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP, BOTTOM, RIGHT);
  strbuf_printf(out, "<text class=\"unit\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (LEFT + RIGHT) / 2,
                LABEL_Y, chart->x.label);
  strbuf_printf(out,
                "<text class=\"unit\" transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
                (TOP + BOTTOM) / 2, chart->y.label);
}

static void path(struct strbuf *out, const struct chart *chart, const struct chart_line *line) {
  bool drawing = false;
  strbuf_puts(out, "<path d=\"");
  for (size_t i = 0; i < line->count; i++) {
    const struct chart_point *point = &line->points[i];
    bool there = isfinite(point->y);
    if (there)
      strbuf_printf(out, "%c%.1f %.1f", drawing ? 'L' : 'M', x_of(&chart->x, point->x), y_of(&chart->y, point->y));
    drawing = there;
  }
  strbuf_puts(out, "\"/>");
}

/* A point between two gaps is a line of no length: its mark shows it. */
static void marks(struct strbuf *out, const struct chart *chart, const struct chart_line *line) {
  for (size_t i = 0; i < line->count && line->count <= MARKED_MAX; i++)
    if (isfinite(line->points[i].y))
      strbuf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>", x_of(&chart->x, line->points[i].x),
                    y_of(&chart->y, line->points[i].y));
}

static void picture(struct strbuf *out, const struct chart *chart) {
  strbuf_printf(
      out,
      "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s: %s The same numbers are in the tables of this "
      "page.\">\n",
      WIDTH, HEIGHT, chart->title, chart->what);
  axes(out, chart);
  for (size_t i = 0; i < chart->line_count; i++) {
    strbuf_printf(out, "<g class=\"line s%zu\">", i);
    path(out, chart, &chart->lines[i]);
    marks(out, chart, &chart->lines[i]);
    strbuf_puts(out, "</g>\n");
  }
  strbuf_puts(out, "</svg>\n");
}

static void legend(struct strbuf *out, const struct chart *chart) {
  strbuf_puts(out, "<ul class=\"legend\">\n");
  for (size_t i = 0; i < chart->line_count; i++) {
    strbuf_printf(out,
                  "<li><svg class=\"sample\" viewBox=\"0 0 36 8\" aria-hidden=\"true\"><g class=\"line s%zu\">"
                  "<path d=\"M0 4H36\"/></g></svg> ",
                  i);
    html_text(out, chart->lines[i].name);
    strbuf_puts(out, "</li>\n");
  }
  strbuf_puts(out, "</ul>\n");
}

void chart_draw(struct strbuf *out, const struct chart *chart) {
  strbuf_printf(out,
                "<figure class=\"chart\" id=\"%s\">\n<figcaption id=\"h-%s\">%s</figcaption>\n"
                "<div class=\"scroll\" role=\"region\" aria-labelledby=\"h-%s\" tabindex=\"0\">\n",
                chart->id, chart->id, chart->title, chart->id);
  picture(out, chart);
  strbuf_puts(out, "</div>\n");
  legend(out, chart);
  strbuf_puts(out, "</figure>\n");
}
