/* A load result as a table for spreadsheets and statistics: rows of one shape, so that `part` tells runs from blocks.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "host/load/bootstrap.h"
#include "host/report/emit.h"
#include "host/report/load_quantiles.h"
#include "host/report/load_report.h"
#include "sdk/base/clock.h"
#include "sdk/base/utf8.h"

/* A text from outside in quotes (RFC 4180). What a spreadsheet would take for a formula is none behind an apostrophe.
 */
static void put_text(struct strbuf *out, const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, strlen(text), NULL);
  const char *at = strbuf_text(&safe);
  strbuf_puts(out, ",\"");
  if (*at && strchr("=+-@", *at))
    strbuf_putc(out, '\'');
  for (; *at; at++) {
    if (*at == '"')
      strbuf_putc(out, '"');
    strbuf_putc(out, *at);
  }
  strbuf_putc(out, '"');
  out->failed = out->failed || strbuf_failed(&safe);
}

static void put_head(struct strbuf *out) {
  strbuf_puts(out, "run,part,begin_s,length_s,answered,per_second,min_ms,mean_ms,sd_ms");
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    strbuf_printf(out, ",%s_ms", load_quantiles[i].name);
  strbuf_puts(out, ",max_ms,scheduled,failed,censored,due_per_second,valid,of,started,method,url\n");
}

/* Up to max_ms. A figure that too few values tell of has an empty cell. */
static void put_figures(struct strbuf *out, double begin_s, double length_s, const struct histogram *histogram) {
  uint64_t count = histogram_count(histogram);
  strbuf_printf(out, ",%.3f,%.3f,%" PRIu64 ",", begin_s, length_s, count);
  if (length_s > 0)
    strbuf_printf(out, "%.3f", (double)count / length_s);
  if (count == 0) {
    strbuf_puts(out, ",,,");
    for (size_t i = 0; i <= LOAD_QUANTILES; i++)
      strbuf_putc(out, ',');
    return;
  }
  strbuf_printf(out, ",%.6f,%.6f,%.6f", load_ms(histogram_min(histogram)),
                histogram_mean(histogram) / (double)NS_PER_MS, histogram_deviation(histogram) / (double)NS_PER_MS);
  for (size_t i = 0; i < LOAD_QUANTILES; i++) {
    strbuf_putc(out, ',');
    if (quantile_tells(count, load_quantiles[i].quantile))
      strbuf_printf(out, "%.6f", load_ms(histogram_quantile(histogram, load_quantiles[i].quantile)));
  }
  strbuf_printf(out, ",%.6f", load_ms(histogram_max(histogram)));
}

/* From `of` on. */
static void put_origin(struct strbuf *out, const struct load_report *report) {
  char started[TIME_TEXT_MAX];
  int64_t begun_ns = report->result->begun_ns;
  strbuf_printf(out, ",%s,%s", load_report_of(report), begun_ns > 0 ? time_text(begun_ns, started) : "");
  put_text(out, report->method);
  put_text(out, report->url);
  strbuf_putc(out, '\n');
}

static void put_run(struct strbuf *out, size_t number, const struct load_report *report) {
  const struct load_result *result = report->result;
  const struct tally *tally = &result->tally;
  strbuf_printf(out, "%zu,run", number);
  put_figures(out, 0, load_seconds(result->measured_ns), load_report_latencies(report));
  strbuf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", tally->scheduled, tally->failed, tally->censored);
  if (!load_report_is_closed(report))
    strbuf_printf(out, "%.3f", result->target_rate);
  strbuf_puts(out, result->doubts == 0 ? ",true" : ",false");
  put_origin(out, report);
}

static void put_blocks(struct strbuf *out, size_t number, const struct load_report *report,
                       struct histogram *histogram) {
  const struct timeline *timeline = report->result->tally.timeline;
  double block_s = (double)timeline_block_s(timeline), whole_s = load_seconds(report->result->measured_ns);
  for (size_t i = 0; i < timeline_count(timeline); i++) {
    double begin_s = (double)i * block_s, length_s = fmin(block_s, whole_s - begin_s);
    histogram_clear(histogram);
    timeline_read(timeline, i, histogram);
    strbuf_printf(out, "%zu,block", number);
    put_figures(out, begin_s, length_s, histogram);
    strbuf_puts(out, ",,,,,");
    put_origin(out, report);
  }
}

int load_report_csv(const struct load_report *reports, size_t count, FILE *out) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
  if (!histogram)
    return -ENOMEM;
  put_head(&text);
  for (size_t i = 0; i < count; i++) {
    put_run(&text, i + 1, &reports[i]);
    put_blocks(&text, i + 1, &reports[i], histogram);
  }
  return emit(&text, out);
}
