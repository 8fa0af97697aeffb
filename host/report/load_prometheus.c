/* A load result in Prometheus' text format 0.0.4, for a textfile collector or a push gateway. */
#include <inttypes.h>
#include <string.h>

#include "host/load/bootstrap.h"
#include "host/report/emit.h"
#include "host/report/load_quantiles.h"
#include "host/report/load_report.h"
#include "sdk/base/clock.h"
#include "sdk/base/utf8.h"

#define PREFIX "trammel_load_"

/* Seconds, as they are written; the last bucket is +Inf. In docs/perf-outputs.md. */
static const struct {
  const char *text;
  int64_t ns;
} buckets[] = {{"0.0001", 100000},         {"0.00025", 250000},        {"0.0005", 500000},
               {"0.001", NS_PER_MS},       {"0.0025", 2500000},        {"0.005", 5 * NS_PER_MS},
               {"0.01", 10 * NS_PER_MS},   {"0.025", 25 * NS_PER_MS},  {"0.05", 50 * NS_PER_MS},
               {"0.1", 100 * NS_PER_MS},   {"0.25", 250 * NS_PER_MS},  {"0.5", 500 * NS_PER_MS},
               {"1", NS_PER_SECOND},       {"2.5", 2500 * NS_PER_MS},  {"5", 5 * NS_PER_SECOND},
               {"10", 10 * NS_PER_SECOND}, {"30", 30 * NS_PER_SECOND}, {"60", 60 * NS_PER_SECOND}};

/* ---- pieces */

static void put_label_text(struct strbuf *out, const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, strlen(text), NULL);
  for (const char *at = strbuf_text(&safe); *at; at++) {
    if (*at == '"' || *at == '\\')
      strbuf_putc(out, '\\');
    strbuf_putc(out, *at);
  }
  out->failed = out->failed || strbuf_failed(&safe);
}

/* `labels` are those that tell runs apart, on every sample. */
static void make_labels(struct strbuf *labels, const struct load_report *report) {
  strbuf_puts(labels, "method=\"");
  put_label_text(labels, report->method);
  strbuf_puts(labels, "\",url=\"");
  put_label_text(labels, report->url);
  strbuf_putc(labels, '"');
}

static void put_help(struct strbuf *out, const char *name, const char *type, const char *help) {
  strbuf_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void put_gauge(struct strbuf *out, const char *labels, const char *name, double value, const char *help) {
  put_help(out, name, "gauge", help);
  strbuf_printf(out, PREFIX "%s{%s} %.17g\n", name, labels, value);
}

static void put_count(struct strbuf *out, const char *labels, const char *name, uint64_t value, const char *help) {
  put_help(out, name, "counter", help);
  strbuf_printf(out, PREFIX "%s{%s} %" PRIu64 "\n", name, labels, value);
}

/* ---- what is told */

static void put_facts(struct strbuf *out, const char *labels, const struct load_report *report) {
  const struct load_result *result = report->result;
  put_help(out, "info", "gauge", "What was run; always 1.");
  strbuf_printf(out, PREFIX "info{%s,protocol=\"%s\",schedule=\"%s\",version=\"%s\"} 1\n", labels, report->protocol,
                schedule_kind_name(report->options->schedule.kind), report->version);
  put_gauge(out, labels, "start_time_seconds", load_seconds(result->begun_ns),
            "When what was measured began, since 1970.");
  put_gauge(out, labels, "measured_seconds", load_seconds(result->measured_ns), "How long was measured.");
  put_gauge(out, labels, "valid", result->doubts == 0,
            "1: the numbers tell of the target; 0: they do not, see " PREFIX "doubt.");
  put_help(out, "doubt", "gauge", "1: this is why the run is not valid.");
  for (unsigned doubt = 1; doubt <= LOAD_DOUBT_LAST; doubt <<= 1)
    strbuf_printf(out, PREFIX "doubt{%s,doubt=\"%s\"} %d\n", labels, load_doubt_name(doubt),
                  (result->doubts & doubt) != 0);
  if (!load_report_is_closed(report))
    put_gauge(out, labels, "due_requests_per_second", result->target_rate, "Requests per second that were due.");
  put_gauge(out, labels, "ended_requests_per_second", result->achieved_rate,
            "Requests per second that had an end, by answer or error, before the end of the schedule.");
  put_gauge(out, labels, "generator_busy_ratio", result->busy, "Share of the generator's time that was work.");
}

static void put_counts(struct strbuf *out, const char *labels, const struct tally *tally) {
  put_count(out, labels, "scheduled_requests_total", tally->scheduled, "answered + failed + censored");
  put_count(out, labels, "answered_requests_total", tally->completed, "Answered, with whatever status.");
  put_count(out, labels, "censored_requests_total", tally->censored, "Without an end when the run ended.");
  put_help(out, "failed_requests_total", "counter", "Without an answer, by why.");
  for (int i = 0; i < LOAD_ERROR_COUNT; i++)
    strbuf_printf(out, PREFIX "failed_requests_total{%s,error=\"%s\"} %" PRIu64 "\n", labels,
                  load_error_name((enum load_error)i), tally->errors[i]);
  put_help(out, "statuses_total", "counter", "Answers by status.");
  for (int i = 1; i < TALLY_STATUS_MAX; i++)
    if (tally->statuses[i] > 0)
      strbuf_printf(out, PREFIX "statuses_total{%s,status=\"%d\"} %" PRIu64 "\n", labels, i, tally->statuses[i]);
  put_count(out, labels, "read_bytes_total", tally->bytes_read, "Bytes of answers.");
  put_count(out, labels, "written_bytes_total", tally->bytes_written, "Bytes of requests.");
  put_count(out, labels, "connections_total", tally->connections, "Connections that were made.");
  put_help(out, "generator_processor_seconds_total", "counter", "Processor time of the generator.");
  strbuf_printf(out, PREFIX "generator_processor_seconds_total{%s} %.9f\n", labels, load_seconds(tally->processor_ns));
}

static void put_histogram(struct strbuf *out, const char *labels, const char *name, const char *help,
                          const struct histogram *histogram) {
  uint64_t count = histogram_count(histogram);
  put_help(out, name, "histogram", help);
  for (size_t i = 0; i < ARRAY_COUNT(buckets); i++)
    strbuf_printf(out, PREFIX "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n", name, labels, buckets[i].text,
                  histogram_count_to(histogram, buckets[i].ns));
  strbuf_printf(out, PREFIX "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, labels, count);
  strbuf_printf(out, PREFIX "%s_sum{%s} %.9f\n", name, labels,
                histogram_mean(histogram) * (double)count / (double)NS_PER_SECOND);
  strbuf_printf(out, PREFIX "%s_count{%s} %" PRIu64 "\n", name, labels, count);
}

/* Exact to three digits, which buckets are not. */
static void put_percentiles(struct strbuf *out, const char *labels, const struct load_report *report) {
  const struct histogram *histogram = load_report_latencies(report);
  put_help(out, "latency_percentile_seconds", "gauge",
           "Percentiles of the latency, as far as there are values enough to tell.");
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    if (quantile_tells(histogram_count(histogram), load_quantiles[i].quantile))
      strbuf_printf(out, PREFIX "latency_percentile_seconds{%s,of=\"%s\",percentile=\"%g\"} %.9f\n", labels,
                    load_report_of(report), 100 * load_quantiles[i].quantile,
                    load_seconds(histogram_quantile(histogram, load_quantiles[i].quantile)));
}

int load_report_prometheus(const struct load_report *report, FILE *out) {
  const struct tally *tally = &report->result->tally;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, labels = STRBUF_INIT;
  make_labels(&labels, report);
  const char *run = strbuf_text(&labels);
  put_facts(&text, run, report);
  put_counts(&text, run, tally);
  put_percentiles(&text, run, report);
  if (!load_report_is_closed(report)) {
    put_histogram(&text, run, "response_seconds", "From due to answered.", tally->response);
    put_histogram(&text, run, "lag_seconds", "How late the generator was by itself.", tally->lag);
  }
  put_histogram(&text, run, "service_seconds", "From sent to answered.", tally->service);
  text.failed = text.failed || strbuf_failed(&labels);
  return emit(&text, out);
}
