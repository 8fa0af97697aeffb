/* Line charts as SVG that is readable without a script: axes, a grid, lines that differ in colour and in dashes. What
 * they show stands in a table besides. Pure; no file, no clock. */
#ifndef TRAMMEL_HOST_REPORT_CHART_H
#define TRAMMEL_HOST_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/strbuf.h"

#define CHART_LINES_MAX 8

enum chart_scale {
  CHART_LINEAR, /* from 0 */
  CHART_LOGARITHMIC,
  CHART_PERCENTILE, /* values are percentiles from 0 to below 100: each nine takes as much room */
};

struct chart_axis {
  enum chart_scale scale;
  const char *label; /* with its unit; static */
  double low, high;  /* low < high; low is above 0 when logarithmic */
};

struct chart_point {
  double x, y; /* y: NaN interrupts the line */
};

struct chart_line {
  const char *name; /* may come from outside */
  const struct chart_point *points;
  size_t count;
};

struct chart {
  const char *id;           /* of the page's, static */
  const char *title, *what; /* `what`: in a sentence, for those who do not see it; static, without markup */
  struct chart_axis x, y;
  const struct chart_line *lines;
  size_t line_count; /* at most CHART_LINES_MAX */
};

/* Appends <figure> with heading, picture and legend. What is beyond an axis is drawn at its end. */
void chart_draw(struct strbuf *out, const struct chart *chart);

/* An axis that has room for these values: logarithmic when they span more than `span` times (0: never). `low` and
 * `high` may be any; nothing sensible becomes 0 to 1. */
struct chart_axis chart_axis_of(const char *label, double low, double high, double span);

/* Where a value is, from 0 to 1. */
double chart_place(const struct chart_axis *axis, double value);

#endif
