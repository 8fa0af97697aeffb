#include "host/report/load_report.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "host/load/bootstrap.h"
#include "host/report/emit.h"
#include "host/report/load_quantiles.h"
#include "sdk/base/clock.h"

double load_ms(int64_t ns) {
  return (double)ns / (double)NS_PER_MS;
}

double load_seconds(int64_t ns) {
  return (double)ns / (double)NS_PER_SECOND;
}

bool load_report_is_closed(const struct load_report *report) {
  return report->options->schedule.kind == SCHEDULE_CLOSED;
}

const struct histogram *load_report_latencies(const struct load_report *report) {
  const struct tally *tally = &report->result->tally;
  return load_report_is_closed(report) ? tally->service : tally->response;
}

const char *load_report_of(const struct load_report *report) {
  return load_report_is_closed(report) ? "service" : "response";
}

/* ---- for programs */

static json_t *histogram_json(const struct histogram *histogram) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *json = json_pack("{s:I, s:f, s:f}", "count", (json_int_t)histogram_count(histogram), "min",
                           load_ms(histogram_min(histogram)), "mean", histogram_mean(histogram) / (double)NS_PER_MS);
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    if (quantile_tells(histogram_count(histogram), load_quantiles[i].quantile))
      (void)json_object_set_new(json, load_quantiles[i].name,
                                json_real(load_ms(histogram_quantile(histogram, load_quantiles[i].quantile))));
  (void)json_object_set_new(json, "max", json_real(load_ms(histogram_max(histogram))));
  if (histogram_encode(histogram, &text) == 0)
    (void)json_object_set_new(json, "histogram", json_string(strbuf_text(&text)));
  return json;
}

static json_t *errors_json(const struct tally *tally) {
  json_t *json = json_object();
  for (int i = 0; i < LOAD_ERROR_COUNT; i++)
    if (tally->errors[i] > 0)
      (void)json_object_set_new(json, load_error_name((enum load_error)i), json_integer((json_int_t)tally->errors[i]));
  return json;
}

static json_t *statuses_json(const struct tally *tally) {
  json_t *json = json_object();
  for (int i = 1; i < TALLY_STATUS_MAX; i++) {
    char name[8];
    (void)snprintf(name, sizeof(name), "%d", i);
    if (tally->statuses[i] > 0)
      (void)json_object_set_new(json, name, json_integer((json_int_t)tally->statuses[i]));
  }
  return json;
}

/* NULL: it is none. */
static json_t *grpc_json(const struct load_report *report) {
  const struct tally *tally = &report->result->tally;
  json_t *statuses = json_object();
  if (!report->call) {
    json_decref(statuses);
    return NULL;
  }
  for (unsigned i = 0; i < GRPC_STATUS_COUNT; i++)
    if (tally->grpc_statuses[i] > 0)
      (void)json_object_set_new(statuses, grpc_status_name(i), json_integer((json_int_t)tally->grpc_statuses[i]));
  return json_pack("{s:s, s:I, s:o, s:I, s:I}", "call", report->call, "messages", (json_int_t)report->messages,
                   "statuses", statuses, "messagesRead", (json_int_t)tally->messages_read, "messagesWritten",
                   (json_int_t)tally->messages_written);
}

/* NULL: there are none. */
static json_t *datagrams_json(const struct load_report *report) {
  const struct tally *tally = &report->result->tally;
  if (strcmp(report->protocol, target_protocol_name(TARGET_UDP)) != 0)
    return NULL;
  return json_pack("{s:I, s:I, s:I}", "late", (json_int_t)tally->datagrams.late, "duplicate",
                   (json_int_t)tally->datagrams.duplicate, "foreign", (json_int_t)tally->datagrams.foreign);
}

static json_t *doubts_json(const struct load_result *result) {
  json_t *list = json_array();
  for (unsigned doubt = 1; doubt <= LOAD_DOUBT_LAST; doubt <<= 1)
    if (result->doubts & doubt)
      (void)json_array_append_new(
          list, json_pack("{s:s, s:s}", "name", load_doubt_name(doubt), "text", load_doubt_text(doubt)));
  return list;
}

static json_t *latency_json(const struct tally *tally, bool closed) {
  json_t *json = json_object();
  if (!closed)
    (void)json_object_set_new(json, "response", histogram_json(tally->response));
  (void)json_object_set_new(json, "service", histogram_json(tally->service));
  if (!closed) {
    (void)json_object_set_new(json, "wait", histogram_json(tally->wait));
    (void)json_object_set_new(json, "lag", histogram_json(tally->lag));
  }
  (void)json_object_set_new(json, "firstByte", histogram_json(tally->first_byte));
  (void)json_object_set_new(json, "connecting", histogram_json(tally->connecting));
  if (histogram_count(tally->securing) > 0)
    (void)json_object_set_new(json, "securing", histogram_json(tally->securing));
  return json;
}

/* NULL when no quantile has one. */
static json_t *intervals_json(const struct timeline *timeline) {
  _cleanup_(bootstrap_destroy_p) struct bootstrap *bootstrap = NULL;
  json_t *json = NULL;
  int64_t low, high;
  if (bootstrap_create(timeline, &bootstrap) < 0)
    return NULL;
  for (size_t i = 0; i < LOAD_QUANTILES; i++) {
    if (!bootstrap_interval(bootstrap, load_quantiles[i].quantile, LOAD_INTERVAL_SEED, &low, &high))
      continue;
    if (!json)
      json = json_pack("{s:f}", "level", BOOTSTRAP_LEVEL);
    (void)json_object_set_new(json, load_quantiles[i].name, json_pack("[f, f]", load_ms(low), load_ms(high)));
  }
  return json;
}

static json_t *blocks_json(const struct timeline *timeline, bool closed) {
  json_t *list = json_array();
  _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
  for (size_t i = 0; histogram && i < timeline_count(timeline); i++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    histogram_clear(histogram);
    timeline_read(timeline, i, histogram);
    if (histogram_encode(histogram, &text) == 0)
      (void)json_array_append_new(list, json_string(strbuf_text(&text)));
  }
  return json_pack("{s:s, s:I, s:o*, s:o}", "of", closed ? "service" : "response", "seconds",
                   (json_int_t)timeline_block_s(timeline), "intervals", intervals_json(timeline), "histograms", list);
}

static json_t *schedule_json(const struct load_options *options) {
  const struct schedule *schedule = &options->schedule;
  json_t *json = json_pack("{s:s, s:f, s:f}", "kind", schedule_kind_name(schedule->kind), "durationSeconds",
                           load_seconds(schedule->duration_ns), "warmUpSeconds", load_seconds(options->warm_up_ns));
  if (schedule->kind != SCHEDULE_CLOSED)
    (void)json_object_set_new(json, "rate", json_real(schedule->rate));
  if (schedule->kind == SCHEDULE_RAMP)
    (void)json_object_set_new(json, "rateEnd", json_real(schedule->rate_end));
  if (schedule->kind == SCHEDULE_STEPS)
    (void)json_object_set_new(json, "rateStep", json_real(schedule->rate_step));
  if (schedule->kind == SCHEDULE_SINE)
    (void)json_object_set_new(json, "rateSwing", json_real(schedule->rate_swing));
  if (schedule->kind == SCHEDULE_STEPS || schedule->kind == SCHEDULE_SINE)
    (void)json_object_set_new(json, "periodSeconds", json_real(load_seconds(schedule->period_ns)));
  if (schedule->kind == SCHEDULE_POISSON)
    (void)json_object_set_new(json, "seed", json_sprintf("%llu", (unsigned long long)schedule->seed));
  return json;
}

/* NULL when there were none. */
static json_t *workers_json(const struct load_result *result) {
  if (result->workers == 0)
    return NULL;
  json_t *lost = json_array();
  for (unsigned i = 0; i < result->loss_count; i++)
    (void)json_array_append_new(lost, json_pack("{s:I, s:s}", "worker", (json_int_t)result->losses[i].worker, "reason",
                                                result->losses[i].reason));
  return json_pack("{s:I, s:o}", "count", (json_int_t)result->workers, "lost", lost);
}

json_t *load_report_json(const struct load_report *report) {
  const struct load_result *result = report->result;
  const struct tally *tally = &result->tally;
  char started[TIME_TEXT_MAX];
  return json_pack(
      "{s:s, s:s, s:s*, s:s, s:s, s:s, s:o*, s:o*, s:o*, s:o, s:o*, s:I, s:I, s:I, s:f, s:b, s:o, s:s*, s:I, s:I, s:I, "
      "s:I, "
      "s:I, "
      "s:o, s:o, s:f, "
      "s:f, s:I, s:I, s:I, "
      "s:f, "
      "s:o, s:o, s:{s:f, s:f}}",
      "format", "trammel.load-result/v1", "trammel", report->version, "started",
      result->begun_ns > 0 ? time_text(result->begun_ns, started) : NULL, "url", report->url, "method", report->method,
      "protocol", report->protocol, "tls", report->secure ? json_pack("{s:b}", "verified", !report->insecure) : NULL,
      "grpc", grpc_json(report), "datagrams", datagrams_json(report), "schedule", schedule_json(report->options),
      "workers", workers_json(result), "threads", (json_int_t)report->options->threads, "connections",
      (json_int_t)report->options->connections, "streams", (json_int_t)report->streams, "timeoutSeconds",
      load_seconds(report->options->timeout_ns), "valid", result->doubts == 0, "doubts", doubts_json(result), "problem",
      result->problem, "scheduled", (json_int_t)tally->scheduled, "completed", (json_int_t)tally->completed, "failed",
      (json_int_t)tally->failed, "censored", (json_int_t)tally->censored, "warmUp", (json_int_t)tally->warm_up,
      "errors", errors_json(tally), "statuses", statuses_json(tally), "targetRate", result->target_rate, "achievedRate",
      result->achieved_rate, "bytesRead", (json_int_t)tally->bytes_read, "bytesWritten",
      (json_int_t)tally->bytes_written, "connectionsMade", (json_int_t)tally->connections, "measuredSeconds",
      load_seconds(result->measured_ns), "latencyMs", latency_json(tally, load_report_is_closed(report)), "blocks",
      blocks_json(tally->timeline, load_report_is_closed(report)), "generator", "busy", result->busy,
      "processorSeconds", load_seconds(tally->processor_ns));
}

/* ---- for readers of HdrHistogram */

static int flushed(FILE *out) {
  return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}

static void print_hdr_head(const struct load_report *report, FILE *out) {
  double begun_s = load_seconds(report->result->begun_ns);
  time_t second = (time_t)(report->result->begun_ns / NS_PER_SECOND);
  struct tm utc;
  char text[64] = "";
  if (gmtime_r(&second, &utc))
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  fprintf(out, "#[Trammel %s: %s of %s %s, in nanoseconds]\n", report->version, load_report_of(report), report->method,
          report->url);
  fprintf(out, "#[Histogram log format version 1.3]\n");
  fprintf(out, "#[StartTime: %.3f (seconds since epoch), %s]\n", begun_s, text);
  fprintf(out, "#[BaseTime: %.3f (seconds since epoch)]\n", begun_s);
  fprintf(out, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n");
}

int load_report_hdr(const struct load_report *report, FILE *out) {
  const struct timeline *timeline = report->result->tally.timeline;
  double block_s = (double)timeline_block_s(timeline), whole_s = load_seconds(report->result->measured_ns);
  _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
  print_hdr_head(report, out);
  for (size_t i = 0; histogram && i < timeline_count(timeline); i++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    double begin_s = (double)i * block_s;
    histogram_clear(histogram);
    timeline_read(timeline, i, histogram);
    if (histogram_encode(histogram, &text) < 0)
      return -ENOMEM;
    fprintf(out, "%.3f,%.3f,%.3f,%s\n", begin_s, fmin(block_s, whole_s - begin_s), load_ms(histogram_max(histogram)),
            strbuf_text(&text));
  }
  return histogram ? flushed(out) : -ENOMEM;
}

/* ---- for people */

static void print_cell(FILE *out, bool told, double value) {
  if (told)
    fprintf(out, " %9.3f", value);
  else
    fprintf(out, " %9s", "n/a");
}

static void print_histogram(FILE *out, const char *name, const struct histogram *histogram) {
  uint64_t count = histogram_count(histogram);
  if (count == 0)
    return;
  fprintf(out, "  %-10s", name);
  print_cell(out, true, load_ms(histogram_min(histogram)));
  print_cell(out, true, histogram_mean(histogram) / (double)NS_PER_MS);
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    print_cell(out, quantile_tells(count, load_quantiles[i].quantile),
               load_ms(histogram_quantile(histogram, load_quantiles[i].quantile)));
  print_cell(out, true, load_ms(histogram_max(histogram)));
  fputc('\n', out);
}

static void print_latencies(FILE *out, const struct load_report *report) {
  const struct tally *tally = &report->result->tally;
  fprintf(out, "\n  %-10s %9s %9s", "ms", "min", "mean");
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    fprintf(out, " %9s", load_quantiles[i].name);
  fprintf(out, " %9s\n", "max");
  if (!load_report_is_closed(report))
    print_histogram(out, "response", tally->response);
  print_histogram(out, "service", tally->service);
  if (!load_report_is_closed(report)) {
    print_histogram(out, "wait", tally->wait);
    print_histogram(out, "lag", tally->lag);
  }
  print_histogram(out, "first byte", tally->first_byte);
  print_histogram(out, "connecting", tally->connecting);
  print_histogram(out, "securing", tally->securing);
}

/* What the quantiles of the first line could have been. */
static void print_intervals(FILE *out, const struct load_report *report) {
  const struct timeline *timeline = report->result->tally.timeline;
  _cleanup_(bootstrap_destroy_p) struct bootstrap *bootstrap = NULL;
  int64_t low, high;
  if (timeline_count(timeline) < BOOTSTRAP_BLOCKS_MIN || bootstrap_create(timeline, &bootstrap) < 0)
    return;
  fprintf(out, "\n  at %.0f%%, by blocks of %lld s:", 100 * BOOTSTRAP_LEVEL, (long long)bootstrap_block_s(bootstrap));
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    if (bootstrap_interval(bootstrap, load_quantiles[i].quantile, LOAD_INTERVAL_SEED, &low, &high))
      fprintf(out, "  %s %.3f to %.3f", load_quantiles[i].name, load_ms(low), load_ms(high));
  fputc('\n', out);
}

static void print_counts(FILE *out, const struct tally *tally) {
  const char *separator = "  statuses  ";
  for (int i = 1; i < TALLY_STATUS_MAX; i++) {
    if (tally->statuses[i] == 0)
      continue;
    fprintf(out, "%s%d: %llu", separator, i, (unsigned long long)tally->statuses[i]);
    separator = ", ";
  }
  fputs(*separator == ',' ? "\n" : "", out);
  separator = "  gRPC      ";
  for (unsigned i = 0; i < GRPC_STATUS_COUNT; i++) {
    if (tally->grpc_statuses[i] == 0)
      continue;
    fprintf(out, "%s%s: %llu", separator, grpc_status_name(i), (unsigned long long)tally->grpc_statuses[i]);
    separator = ", ";
  }
  fputs(*separator == ',' ? "\n" : "", out);
  separator = "  errors    ";
  for (int i = 0; i < LOAD_ERROR_COUNT; i++) {
    if (tally->errors[i] == 0)
      continue;
    fprintf(out, "%s%s: %llu", separator, load_error_name((enum load_error)i), (unsigned long long)tally->errors[i]);
    separator = ", ";
  }
  fputs(*separator == ',' ? "\n" : "", out);
}

static void print_strays(FILE *out, const struct tally *tally) {
  if (tally->datagrams.late + tally->datagrams.duplicate + tally->datagrams.foreign > 0)
    fprintf(out, "  datagrams that are no answer: late %llu, duplicate %llu, foreign %llu\n",
            (unsigned long long)tally->datagrams.late, (unsigned long long)tally->datagrams.duplicate,
            (unsigned long long)tally->datagrams.foreign);
}

static void print_verdict(FILE *out, const struct load_result *result) {
  if (result->problem)
    fprintf(out, "\n%s\n", result->problem);
  fputs(result->doubts == 0 ? "\nVALID\n" : "\nINVALID\n", out);
  for (unsigned doubt = 1; doubt <= LOAD_DOUBT_LAST; doubt <<= 1)
    if (result->doubts & doubt)
      fprintf(out, "  %s: %s\n", load_doubt_name(doubt), load_doubt_text(doubt));
  for (unsigned i = 0; i < result->loss_count; i++)
    fprintf(out, "    worker %u of %u, requests %u, %u, … of the schedule: %s\n", result->losses[i].worker,
            result->workers, result->losses[i].worker, result->losses[i].worker + result->workers,
            result->losses[i].reason);
}

int load_report_text(const struct load_report *report, FILE *out) {
  const struct load_options *options = report->options;
  const struct load_result *result = report->result;
  const struct tally *tally = &result->tally;
  fprintf(out, "%s %s%s%s\n", report->method, report->url, report->call ? " " : "", report->call ? report->call : "");
  if (report->insecure)
    fputs("  INSECURE: whoever answered was taken for the target, no certificate was checked\n", out);
  fprintf(out, "  %s, ", report->protocol);
  if (report->streams > 1)
    fprintf(out, "%u streams each on ", report->streams);
  fprintf(out, "%u connection%s, ", options->connections, options->connections == 1 ? "" : "s");
  if (result->workers > 0)
    fprintf(out, "%u worker%s with ", result->workers, result->workers == 1 ? "" : "s");
  fprintf(out, "%u thread%s%s, ", options->threads, options->threads == 1 ? "" : "s",
          result->workers > 1 ? " each" : "");
  if (load_report_is_closed(report))
    fputs("closed loop: each answer is followed by the next request, so that a stall of the target hides itself\n",
          out);
  else
    fprintf(out, "schedule %s, %s%g requests per second\n", schedule_kind_name(options->schedule.kind),
            options->schedule.kind == SCHEDULE_CONSTANT ? "" : "from ", options->schedule.rate);
  fprintf(out, "\n  completed %llu, failed %llu, censored %llu of %llu; in %.3f s %.1f per second\n",
          (unsigned long long)tally->completed, (unsigned long long)tally->failed, (unsigned long long)tally->censored,
          (unsigned long long)tally->scheduled, load_seconds(result->measured_ns), result->achieved_rate);
  print_counts(out, tally);
  print_strays(out, tally);
  fprintf(out, "  generator %.1f%% busy, %.3f s of processor time\n", 100 * result->busy,
          load_seconds(tally->processor_ns));
  if (tally->connections > 0)
    print_latencies(out, report);
  print_intervals(out, report);
  print_verdict(out, result);
  return flushed(out);
}
