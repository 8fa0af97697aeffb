/* A load result in the shape that fortio keeps its own in, as its version 1.75.3 reads it: fhttp.HTTPRunnerResults,
 * periodic.RunnerResults and stats.HistogramData of https://pkg.go.dev/fortio.org/fortio. Members of which nothing is
 * known are left out, which it takes as zero. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "host/load/bootstrap.h"
#include "host/report/emit.h"
#include "host/report/load_quantiles.h"
#include "host/report/load_report.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"
#include "sdk/base/utf8.h"

#define STEPS_PER_DECADE 24 /* of buckets: each is at most 10% wide */
#define SOCKET_ERROR "-1"   /* among its RetCodes */

/* ---- histograms, in seconds */

static double quantile_of(const struct histogram *histogram, double quantile) {
  return load_seconds(histogram_quantile(histogram, quantile));
}

static json_t *bucket_json(double start_s, double end_s, uint64_t count, uint64_t seen, uint64_t total) {
  return json_pack("{s:f, s:f, s:f, s:I}", "Start", start_s, "End", end_s, "Percent",
                   100 * (double)seen / (double)total, "Count", (json_int_t)count);
}

/* From the minimum to the maximum; without the empty ones, as it has them. */
static json_t *buckets_json(const struct histogram *histogram) {
  json_t *list = json_array();
  int64_t max_ns = histogram_max(histogram), start_ns = histogram_min(histogram);
  uint64_t total = histogram_count(histogram), before = 0;
  int step = start_ns > 0 ? (int)floor(log10((double)start_ns) * STEPS_PER_DECADE) : 0;
  while (before < total) {
    int64_t end_ns = llround(pow(10, (double)++step / STEPS_PER_DECADE));
    if (end_ns >= max_ns)
      end_ns = max_ns;
    uint64_t seen = histogram_count_to(histogram, end_ns);
    if (seen > before)
      (void)json_array_append_new(
          list, bucket_json(load_seconds(start_ns), load_seconds(end_ns), seen - before, seen, total));
    before = seen;
    start_ns = end_ns > start_ns ? end_ns : start_ns;
  }
  return list;
}

static json_t *percentiles_json(const struct histogram *histogram) {
  json_t *list = json_array();
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    if (quantile_tells(histogram_count(histogram), load_quantiles[i].quantile))
      (void)json_array_append_new(list, json_pack("{s:f, s:f}", "Percentile", 100 * load_quantiles[i].quantile, "Value",
                                                  quantile_of(histogram, load_quantiles[i].quantile)));
  return list;
}

static json_t *histogram_json(const struct histogram *histogram) {
  double average_s = histogram_mean(histogram) / (double)NS_PER_SECOND;
  uint64_t count = histogram_count(histogram);
  return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "Count", (json_int_t)count, "Min",
                   load_seconds(histogram_min(histogram)), "Max", load_seconds(histogram_max(histogram)), "Sum",
                   average_s * (double)count, "Avg", average_s, "StdDev",
                   histogram_deviation(histogram) / (double)NS_PER_SECOND, "Data", buckets_json(histogram),
                   "Percentiles", percentiles_json(histogram));
}

/* How long each one took is not kept: one bucket of what it can have been, and no sum. */
static json_t *errors_json(const struct load_report *report) {
  const struct tally *tally = &report->result->tally;
  double longest_s = load_seconds(report->options->timeout_ns);
  uint64_t count = tally->failed;
  for (int i = 400; i < TALLY_STATUS_MAX; i++)
    count += tally->statuses[i];
  json_t *data = json_array();
  if (count > 0)
    (void)json_array_append_new(data, bucket_json(0, longest_s, count, count, count));
  return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:o}", "Count", (json_int_t)count, "Min", 0.0, "Max",
                   count > 0 ? longest_s : 0.0, "Sum", 0.0, "Avg", 0.0, "StdDev", 0.0, "Data", data);
}

/* ---- the whole */

/* "HTTP", or the protocol: those of its own runs of gRPC and sockets begin so, too. */
static const char *run_type(const struct load_report *report) {
  static const char *const types[][2] = {{"grpc", "GRPC"}, {"tcp", "TCP"}, {"udp", "UDP"}};
  for (size_t i = 0; i < ARRAY_COUNT(types); i++)
    if (strcmp(report->protocol, types[i][0]) == 0)
      return types[i][1];
  return "HTTP";
}

static json_t *codes_json(const struct tally *tally) {
  json_t *json = json_object();
  for (int i = 1; i < TALLY_STATUS_MAX; i++) {
    char name[8];
    (void)snprintf(name, sizeof(name), "%d", i);
    if (tally->statuses[i] > 0)
      (void)json_object_set_new(json, name, json_integer((json_int_t)tally->statuses[i]));
  }
  if (tally->failed > 0)
    (void)json_object_set_new(json, SOCKET_ERROR, json_integer((json_int_t)tally->failed));
  return json;
}

/* What its readers would not see otherwise. */
static void put_labels(struct strbuf *out, const struct load_report *report) {
  const struct load_result *result = report->result;
  const struct tally *tally = &result->tally;
  strbuf_printf(out, "trammel %s", load_report_of(report));
  if (tally->failed + tally->censored > 0)
    strbuf_printf(out, ", failed %llu, censored %llu of %llu", (unsigned long long)tally->failed,
                  (unsigned long long)tally->censored, (unsigned long long)tally->scheduled);
  if (result->doubts == 0)
    return;
  strbuf_puts(out, ", INVALID:");
  for (unsigned doubt = 1; doubt <= LOAD_DOUBT_LAST; doubt <<= 1)
    if (result->doubts & doubt)
      strbuf_printf(out, " %s", load_doubt_name(doubt));
}

/* A text from outside: jansson takes UTF-8 only. */
static json_t *safe_json(const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, strlen(text), NULL);
  return strbuf_failed(&safe) ? NULL : json_string(strbuf_text(&safe));
}

static json_t *result_json(const struct load_report *report, const char *labels) {
  const struct load_options *options = report->options;
  const struct load_result *result = report->result;
  char started[TIME_TEXT_MAX];
  bool closed = load_report_is_closed(report);
  json_t *json =
      json_pack("{s:s, s:s, s:s, s:o, s:o, s:f, s:I, s:I, s:o}", "RunType", run_type(report), "Labels", labels,
                "StartTime", time_text(result->begun_ns, started), "RequestedQPS",
                closed ? json_string("max") : json_sprintf("%.9g", options->schedule.rate), "RequestedDuration",
                json_sprintf("%.9gs", load_seconds(options->schedule.duration_ns)), "ActualQPS", result->achieved_rate,
                "ActualDuration", (json_int_t)result->measured_ns, "NumThreads", (json_int_t)options->connections,
                "Version", json_sprintf("trammel %s", report->version));
  json_t *more =
      json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:I, s:I, s:o}", "DurationHistogram",
                histogram_json(load_report_latencies(report)), "ErrorsDurationHistogram", errors_json(report),
                "RetCodes", codes_json(&result->tally), "URL", safe_json(report->url), "H2",
                strcmp(report->protocol, "h2") == 0, "Insecure", report->insecure, "MethodOverride",
                safe_json(report->method), "HTTPReqTimeOut", (json_int_t)options->timeout_ns, "SocketCount",
                (json_int_t)result->tally.connections, "ConnectionStats", histogram_json(result->tally.connecting));
  int r = json && more ? json_object_update(json, more) : -1;
  json_decref(more);
  if (r == 0)
    return json;
  json_decref(json);
  return NULL;
}

int load_report_fortio(const struct load_report *report, FILE *out) {
  _cleanup_strbuf_ struct strbuf labels = STRBUF_INIT, text = STRBUF_INIT;
  put_labels(&labels, report);
  json_t *json = strbuf_failed(&labels) ? NULL : result_json(report, strbuf_text(&labels));
  int r = json ? json_write(json, &text) : -ENOMEM;
  json_decref(json);
  return r < 0 ? r : emit(&text, out);
}
