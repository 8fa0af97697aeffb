#include <inttypes.h>
#include <math.h>

#include "host/load/bootstrap.h"
#include "host/report/html_text.h"
#include "host/report/load_html.h"
#include "host/report/load_quantiles.h"
#include "sdk/base/clock.h"

static void table_begin(struct load_page *page, const char *id, const char *caption) {
  strbuf_printf(&page->out,
                "<div class=\"scroll\" role=\"region\" aria-labelledby=\"%s\" tabindex=\"0\">\n"
                "<table class=\"numbers\">\n<caption id=\"%s\">%s</caption>\n<thead><tr>",
                id, id, caption);
}

static void table_body(struct load_page *page) {
  strbuf_puts(&page->out, "</tr></thead>\n<tbody>\n");
}

static void table_end(struct load_page *page) {
  strbuf_puts(&page->out, "</tbody>\n</table>\n</div>\n");
}

static void head_cells(struct load_page *page, const char *first, const char *const *names, size_t count) {
  strbuf_printf(&page->out, "<th scope=\"col\">%s</th>", first);
  for (size_t i = 0; i < count; i++)
    strbuf_printf(&page->out, "<th scope=\"col\">%s</th>", names[i]);
}

static void row_head(struct load_page *page, const char *name) {
  strbuf_puts(&page->out, "<tr><th scope=\"row\">");
  html_text(&page->out, name);
  strbuf_puts(&page->out, "</th>");
}

static void cell(struct load_page *page, bool told, double value) {
  if (told)
    strbuf_printf(&page->out, "<td>%.3f</td>", value);
  else
    strbuf_puts(&page->out, "<td>n/a</td>");
}

/* ---- latencies */

static void quantile_cells(struct load_page *page, const struct histogram *histogram) {
  uint64_t count = histogram_count(histogram);
  cell(page, count > 0, load_ms(histogram_min(histogram)));
  cell(page, count > 0, histogram_mean(histogram) / (double)NS_PER_MS);
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    cell(page, quantile_tells(count, load_quantiles[i].quantile),
         load_ms(histogram_quantile(histogram, load_quantiles[i].quantile)));
  cell(page, count > 0, load_ms(histogram_max(histogram)));
}

static void latency_row(struct load_page *page, const char *name, const struct histogram *histogram) {
  row_head(page, name);
  strbuf_printf(&page->out, "<td>%" PRIu64 "</td>", histogram_count(histogram));
  quantile_cells(page, histogram);
  strbuf_puts(&page->out, "</tr>\n");
}

static void latency_rows(struct load_page *page, const struct load_report *report) {
  const struct tally *tally = &report->result->tally;
  if (!load_report_is_closed(report))
    latency_row(page, "response: from due to answered", tally->response);
  latency_row(page, "service: from sent to answered", tally->service);
  if (!load_report_is_closed(report)) {
    latency_row(page, "wait: from due to sent", tally->wait);
    latency_row(page, "lag: of that, the generator’s own", tally->lag);
  }
  latency_row(page, "first byte: from sent", tally->first_byte);
  latency_row(page, "connecting", tally->connecting);
  if (report->secure)
    latency_row(page, "securing: until TLS stood", tally->securing);
}

static void interval_row(struct load_page *page, const char *name, const struct timeline *timeline) {
  _cleanup_(bootstrap_destroy_p) struct bootstrap *bootstrap = NULL;
  int64_t low, high;
  if (timeline_count(timeline) < BOOTSTRAP_BLOCKS_MIN || bootstrap_create(timeline, &bootstrap) < 0)
    return;
  row_head(page, name);
  for (size_t i = 0; i < LOAD_QUANTILES; i++) {
    if (bootstrap_interval(bootstrap, load_quantiles[i].quantile, LOAD_INTERVAL_SEED, &low, &high))
      strbuf_printf(&page->out, "<td>%.3f – %.3f</td>", load_ms(low), load_ms(high));
    else
      strbuf_puts(&page->out, "<td>n/a</td>");
  }
  strbuf_puts(&page->out, "</tr>\n");
}

static void intervals(struct load_page *page) {
  const char *names[LOAD_QUANTILES];
  bool any = false;
  for (size_t i = 0; i < page->count; i++)
    any |= timeline_count(page->reports[i].result->tally.timeline) >= BOOTSTRAP_BLOCKS_MIN;
  if (!any)
    return;
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    names[i] = load_quantiles[i].name;
  table_begin(page, "c-intervals", "Where quantiles of the latency could have been, in milliseconds, at 95%");
  head_cells(page, "Run", names, LOAD_QUANTILES);
  table_body(page);
  for (size_t i = 0; i < page->count; i++)
    interval_row(page, page->names[i], page->reports[i].result->tally.timeline);
  table_end(page);
}

void load_html_latencies(struct load_page *page) {
  static const char *const names[] = {"count", "min", "mean", "p50", "p75", "p90", "p99", "p99.9", "max"};
  table_begin(page, "c-latencies", "Durations in milliseconds; n/a where too few values tell of a quantile");
  head_cells(page, page->count == 1 ? "From, to" : "Run", names, sizeof(names) / sizeof(*names));
  table_body(page);
  if (page->count == 1)
    latency_rows(page, page->reports);
  for (size_t i = 0; page->count > 1 && i < page->count; i++)
    latency_row(page, page->names[i], load_report_latencies(&page->reports[i]));
  table_end(page);
  intervals(page);
}

/* ---- blocks of time */

static void block_rows(struct load_page *page, const struct load_report *report, struct histogram *histogram) {
  const struct timeline *timeline = report->result->tally.timeline;
  double block_s = (double)timeline_block_s(timeline), whole_s = load_seconds(report->result->measured_ns);
  for (size_t i = 0; i < timeline_count(timeline); i++) {
    double begin_s = (double)i * block_s, length_s = fmin(block_s, whole_s - begin_s);
    histogram_clear(histogram);
    timeline_read(timeline, i, histogram);
    strbuf_printf(&page->out, "<tr><th scope=\"row\">%.3g</th>", begin_s);
    strbuf_printf(&page->out, "<td>%" PRIu64 "</td>", histogram_count(histogram));
    cell(page, length_s > 0, (double)histogram_count(histogram) / length_s);
    quantile_cells(page, histogram);
    strbuf_puts(&page->out, "</tr>\n");
  }
}

void load_html_blocks(struct load_page *page) {
  static const char *const names[] = {"answered", "per second", "min", "mean",  "p50",
                                      "p75",      "p90",        "p99", "p99.9", "max"};
  _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
  page->out.failed |= !histogram;
  for (size_t i = 0; histogram && i < page->count; i++) {
    char id[32];
    if (timeline_count(page->reports[i].result->tally.timeline) == 0)
      continue;
    (void)snprintf(id, sizeof(id), "c-blocks-%zu", i + 1);
    strbuf_puts(&page->out, "<details class=\"more blocks\"><summary>Numbers of each block of time");
    if (page->count > 1)
      strbuf_printf(&page->out, ", run %zu", i + 1);
    strbuf_puts(&page->out, "</summary>\n");
    table_begin(page, id,
                "Latencies in milliseconds, by when answers came; the last block has those after the end, too");
    head_cells(page, "From, s", names, sizeof(names) / sizeof(*names));
    table_body(page);
    block_rows(page, &page->reports[i], histogram);
    table_end(page);
    strbuf_puts(&page->out, "</details>\n");
  }
}

/* ---- counts */

static void count_row(struct load_page *page, const char *name, uint64_t count, uint64_t whole) {
  row_head(page, name);
  strbuf_printf(&page->out, "<td>%" PRIu64 "</td>", count);
  if (whole > 0)
    strbuf_printf(&page->out, "<td>%.3f%%</td></tr>\n", 100 * (double)count / (double)whole);
  else
    strbuf_puts(&page->out, "<td></td></tr>\n");
}

static void ends(struct load_page *page, const struct tally *tally) {
  char name[32];
  count_row(page, "scheduled", tally->scheduled, tally->scheduled);
  count_row(page, "answered", tally->completed, tally->scheduled);
  for (int i = 1; i < TALLY_STATUS_MAX; i++) {
    (void)snprintf(name, sizeof(name), "status %d", i);
    if (tally->statuses[i] > 0)
      count_row(page, name, tally->statuses[i], tally->scheduled);
  }
  for (unsigned i = 0; i < GRPC_STATUS_COUNT; i++) {
    (void)snprintf(name, sizeof(name), "gRPC %s", grpc_status_name(i));
    if (tally->grpc_statuses[i] > 0)
      count_row(page, name, tally->grpc_statuses[i], tally->scheduled);
  }
  count_row(page, "failed", tally->failed, tally->scheduled);
  for (int i = 0; i < LOAD_ERROR_COUNT; i++) {
    (void)snprintf(name, sizeof(name), "error %s", load_error_name((enum load_error)i));
    if (tally->errors[i] > 0)
      count_row(page, name, tally->errors[i], tally->scheduled);
  }
  count_row(page, "censored: without an end", tally->censored, tally->scheduled);
  count_row(page, "connections made", tally->connections, 0);
  count_row(page, "bytes read", tally->bytes_read, 0);
  count_row(page, "bytes written", tally->bytes_written, 0);
}

void load_html_counts(struct load_page *page) {
  static const char *const names[] = {"count", "of scheduled"};
  strbuf_puts(&page->out, "<div class=\"side\">\n");
  for (size_t i = 0; i < page->count; i++) {
    char id[32], caption[64] = "What became of the requests";
    (void)snprintf(id, sizeof(id), "c-counts-%zu", i + 1);
    if (page->count > 1)
      (void)snprintf(caption, sizeof(caption), "What became of the requests, run %zu", i + 1);
    table_begin(page, id, caption);
    head_cells(page, "", names, sizeof(names) / sizeof(*names));
    table_body(page);
    ends(page, &page->reports[i].result->tally);
    table_end(page);
  }
  strbuf_puts(&page->out, "</div>\n");
}
