#include <math.h>

#include "host/load/bootstrap.h"
#include "host/report/chart.h"
#include "host/report/load_html.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

enum {
  SAMPLES = 200,    /* of a line by percentile, or of a distribution */
  LINES_OF_ONE = 4, /* of one run over time */
};
#define LATENCY_SPAN 20 /* a range of more times than this has a logarithmic axis */
#define LATENCY_LABEL "latency, ms"
#define TIME_LABEL "since the start, s"

static const struct histogram *latencies_of(const struct load_page *page, size_t i) {
  return load_report_latencies(&page->reports[i]);
}

/* Ends all of a page when there is no memory. */
static struct chart_point *make_points(struct load_page *page, size_t count) {
  struct chart_point *points = calloc(count > 0 ? count : 1, sizeof(*points));
  page->out.failed |= !points;
  return points;
}

static void widen(const struct histogram *histogram, double *low, double *high) {
  if (histogram_count(histogram) == 0)
    return;
  *low = fmin(*low, load_ms(histogram_min(histogram)));
  *high = fmax(*high, load_ms(histogram_max(histogram)));
}

/* ---- by percentile */

/* The highest percentile that so many values tell of, to the right end of an axis. */
static double last_percentile(uint64_t count) {
  static const double ends[] = {99.999, 99.99, 99.9, 99};
  for (size_t i = 0; i < ARRAY_COUNT(ends); i++)
    if (quantile_tells(count, ends[i] / 100))
      return ends[i];
  return 90;
}

static size_t sample_percentiles(const struct histogram *histogram, struct chart_point points[SAMPLES + 1]) {
  uint64_t count = histogram_count(histogram);
  double last = -log10(1 - last_percentile(count) / 100);
  for (size_t i = 0; count > 0 && i <= SAMPLES; i++) {
    double quantile = 1 - pow(10, -last * (double)i / SAMPLES);
    points[i] = (struct chart_point){100 * quantile, load_ms(histogram_quantile(histogram, quantile))};
  }
  return count > 0 ? SAMPLES + 1 : 0;
}

static void draw_percentiles(struct load_page *page, const struct histogram *const *histograms,
                             const char *const *names, size_t count) {
  struct chart_point *points = make_points(page, count * (SAMPLES + 1));
  struct chart_line lines[CHART_LINES_MAX];
  double low = INFINITY, high = 0, last = 90;
  for (size_t i = 0; points && i < count; i++) {
    struct chart_point *mine = points + i * (SAMPLES + 1);
    lines[i] = (struct chart_line){names[i], mine, sample_percentiles(histograms[i], mine)};
    last = fmax(last, last_percentile(histogram_count(histograms[i])));
    if (lines[i].count > 0) {
      low = fmin(low, mine[0].y);
      high = fmax(high, mine[SAMPLES].y);
    }
  }
  const struct chart chart = {.id = "percentiles",
                              .title = "Latency by percentile",
                              .what = "How many milliseconds the latency is at most, for each share of the requests.",
                              .x = {.scale = CHART_PERCENTILE, .label = "percentile", .low = 0, .high = last},
                              .y = chart_axis_of(LATENCY_LABEL, low, high, LATENCY_SPAN),
                              .lines = lines,
                              .line_count = count};
  if (points)
    chart_draw(&page->out, &chart);
  free(points);
}

/* Of one run in an open loop, what its users wait and what the target takes, of which the second hides stalls. */
static void percentiles(struct load_page *page) {
  const struct histogram *histograms[LOAD_HTML_RUNS_MAX];
  const char *names[LOAD_HTML_RUNS_MAX];
  size_t count = page->count;
  for (size_t i = 0; i < count; i++) {
    histograms[i] = latencies_of(page, i);
    names[i] = count == 1 ? load_report_of(&page->reports[i]) : page->names[i];
  }
  if (count == 1 && !load_report_is_closed(&page->reports[0])) {
    histograms[count] = page->reports[0].result->tally.service;
    names[count++] = "service";
  }
  draw_percentiles(page, histograms, names, count);
}

/* ---- the distribution */

static size_t sample_shares(const struct histogram *histogram, double low, double high,
                            struct chart_point points[SAMPLES + 1]) {
  uint64_t count = histogram_count(histogram);
  for (size_t i = 0; count > 0 && i <= SAMPLES; i++) {
    double at_ms = low * pow(high / low, (double)i / SAMPLES);
    uint64_t below = histogram_count_to(histogram, llround(at_ms * (double)NS_PER_MS));
    points[i] = (struct chart_point){at_ms, 100 * (double)below / (double)count};
  }
  return count > 0 ? SAMPLES + 1 : 0;
}

static void distribution(struct load_page *page) {
  struct chart_point *points = make_points(page, page->count * (SAMPLES + 1));
  struct chart_line lines[CHART_LINES_MAX];
  double low = INFINITY, high = 0;
  for (size_t i = 0; i < page->count; i++)
    widen(latencies_of(page, i), &low, &high);
  low = fmax(low, 1e-6);
  bool any = high > 0;
  if (any && high / low < 1.01)
    high = low * 1.01;
  for (size_t i = 0; points && i < page->count; i++) {
    struct chart_point *mine = points + i * (SAMPLES + 1);
    const char *name = page->count == 1 ? load_report_of(page->reports) : page->names[i];
    lines[i] = (struct chart_line){name, mine, any ? sample_shares(latencies_of(page, i), low, high, mine) : 0};
  }
  const struct chart chart = {
      .id = "distribution",
      .title = "Share of requests by latency",
      .what = "How many percent of the requests were answered within so many milliseconds.",
      .x = {.scale = CHART_LOGARITHMIC, .label = LATENCY_LABEL, .low = any ? low : 1, .high = any ? high : 10},
      .y = {.scale = CHART_LINEAR, .label = "requests, %", .low = 0, .high = 100},
      .lines = lines,
      .line_count = page->count};
  if (points)
    chart_draw(&page->out, &chart);
  free(points);
}

void load_html_charts_of_latency(struct load_page *page) {
  percentiles(page);
  distribution(page);
}

/* ---- over time */

struct block {
  double begin_s, middle_s, length_s;
  const struct histogram *histogram;
};

/* A figure of a block; NaN: it tells nothing of it. */
typedef double (*figure)(const struct block *block);

static double quantile_ms(const struct block *block, double quantile) {
  return quantile_tells(histogram_count(block->histogram), quantile)
             ? load_ms(histogram_quantile(block->histogram, quantile))
             : NAN;
}

static double median_ms(const struct block *block) {
  return quantile_ms(block, 0.5);
}

static double p90_ms(const struct block *block) {
  return quantile_ms(block, 0.9);
}

static double p99_ms(const struct block *block) {
  return quantile_ms(block, 0.99);
}

static double max_ms(const struct block *block) {
  return histogram_count(block->histogram) > 0 ? load_ms(histogram_max(block->histogram)) : NAN;
}

static double per_second(const struct block *block) {
  return block->length_s > 0 ? (double)histogram_count(block->histogram) / block->length_s : NAN;
}

/* How many blocks there are; `points` has room for them. */
static size_t follow(struct load_page *page, const struct load_report *report, figure of, struct chart_point *points) {
  const struct timeline *timeline = report->result->tally.timeline;
  double block_s = (double)timeline_block_s(timeline), whole_s = load_seconds(report->result->measured_ns);
  size_t count = timeline_count(timeline);
  _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
  page->out.failed |= !histogram;
  for (size_t i = 0; histogram && i < count; i++) {
    struct block block = {.begin_s = (double)i * block_s, .histogram = histogram};
    block.length_s = fmin(block_s, whole_s - block.begin_s);
    block.middle_s = block.begin_s + fmax(block.length_s, 0) / 2;
    histogram_clear(histogram);
    timeline_read(timeline, i, histogram);
    points[i] = (struct chart_point){block.middle_s, of(&block)};
  }
  return histogram ? count : 0;
}

struct wanted_line {
  const char *name;
  size_t run;
  figure of;
};

/* `chart` lacks axes and lines. */
static void draw_over_time(struct load_page *page, struct chart chart, const struct wanted_line *wanted, size_t count,
                           const char *label, double span) {
  struct chart_point *points = make_points(page, count * TIMELINE_BLOCKS_MAX);
  struct chart_line lines[CHART_LINES_MAX];
  double low = INFINITY, high = 0, end_s = 0;
  for (size_t i = 0; points && i < count; i++) {
    const struct load_report *report = &page->reports[wanted[i].run];
    struct chart_point *mine = points + i * TIMELINE_BLOCKS_MAX;
    lines[i] = (struct chart_line){wanted[i].name, mine, follow(page, report, wanted[i].of, mine)};
    end_s = fmax(end_s, load_seconds(report->result->measured_ns));
    for (size_t k = 0; k < lines[i].count; k++) {
      low = isfinite(mine[k].y) ? fmin(low, mine[k].y) : low;
      high = isfinite(mine[k].y) ? fmax(high, mine[k].y) : high;
    }
  }
  chart.x = (struct chart_axis){.scale = CHART_LINEAR, .label = TIME_LABEL, .low = 0, .high = end_s > 0 ? end_s : 1};
  chart.y = chart_axis_of(label, low, high, span);
  chart.lines = lines;
  chart.line_count = count;
  if (points)
    chart_draw(&page->out, &chart);
  free(points);
}

static void latency_over_time(struct load_page *page) {
  struct wanted_line of_one[LINES_OF_ONE] = {
      {"p50", 0, median_ms}, {"p90", 0, p90_ms}, {"p99", 0, p99_ms}, {"maximum", 0, max_ms}};
  struct wanted_line of_each[LOAD_HTML_RUNS_MAX];
  for (size_t i = 0; i < page->count; i++)
    of_each[i] = (struct wanted_line){page->names[i], i, p99_ms};
  const struct chart chart = {.id = "latencies",
                              .title = page->count == 1 ? "Latency over time" : "p99 of the latency over time",
                              .what = "Milliseconds, for each block of time in which answers came."};
  if (page->count == 1)
    draw_over_time(page, chart, of_one, LINES_OF_ONE, LATENCY_LABEL, LATENCY_SPAN);
  else
    draw_over_time(page, chart, of_each, page->count, LATENCY_LABEL, LATENCY_SPAN);
}

static void throughput(struct load_page *page) {
  struct wanted_line lines[LOAD_HTML_RUNS_MAX];
  for (size_t i = 0; i < page->count; i++)
    lines[i] = (struct wanted_line){page->count == 1 ? "answered" : page->names[i], i, per_second};
  const struct chart chart = {.id = "throughput",
                              .title = "Throughput over time",
                              .what = "Answers per second, for each block of time in which they came."};
  draw_over_time(page, chart, lines, page->count, "answers per second", 0);
}

void load_html_charts_over_time(struct load_page *page) {
  latency_over_time(page);
  throughput(page);
}
