#include "host/report/load_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sdk/base/clock.h"
#include "sdk/base/memory.h"
#include "sdk/base/schema.h"

extern const unsigned char load_result_schema[]; /* docs/schema/load-result.json */
extern const size_t load_result_schema_length;

/* ---- pieces; what is read keeps to the schema already */

static uint64_t count_of(const json_t *object, const char *name) {
  return (uint64_t)json_integer_value(json_object_get(object, name));
}

static double number_of(const json_t *object, const char *name) {
  return json_number_value(json_object_get(object, name));
}

static int64_t ns_of(const json_t *object, const char *name, int64_t unit_ns) {
  double ns = number_of(object, name) * (double)unit_ns;
  return ns < (double)(INT64_MAX / 2) ? llround(ns) : INT64_MAX / 2;
}

static const char *text_of(const json_t *object, const char *name) {
  return json_string_value(json_object_get(object, name));
}

/* "2024-05-01T12:00:00.250Z"; 0 for what is no such time. */
static int64_t time_of(const char *text) {
  struct tm utc = {0};
  const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) : NULL;
  double fraction = rest && *rest == '.' ? fmin(strtod(rest, NULL), 1) : 0;
  int64_t second = rest ? (int64_t)timegm(&utc) : 0;
  if (second <= 0 || second >= INT64_MAX / NS_PER_SECOND - 1)
    return 0;
  return second * NS_PER_SECOND + llround(fraction * (double)NS_PER_SECOND);
}

/* ---- histograms */

static int take_histogram(const json_t *latency, const char *name, struct histogram *histogram, struct error **err) {
  const json_t *json = json_object_get(latency, name);
  const json_t *text = json_object_get(json, "histogram");
  _cleanup_error_ struct error *why = NULL;
  if (!text)
    return 0;
  int r = histogram_decode(histogram, json_string_value(text), json_string_length(text), &why);
  if (r < 0)
    return error_set(err, -r, "latencyMs.%s.histogram: %s", name, error_message(why));
  histogram_narrow(histogram, ns_of(json, "min", NS_PER_MS), ns_of(json, "max", NS_PER_MS));
  return 0;
}

static int take_latencies(const json_t *json, struct tally *tally, struct error **err) {
  const json_t *latency = json_object_get(json, "latencyMs");
  const struct {
    const char *name;
    struct histogram *histogram;
  } all[] = {{"response", tally->response}, {"service", tally->service},      {"wait", tally->wait},
             {"lag", tally->lag},           {"firstByte", tally->first_byte}, {"connecting", tally->connecting},
             {"securing", tally->securing}};
  int r = 0;
  for (size_t i = 0; r == 0 && i < ARRAY_COUNT(all); i++)
    r = take_histogram(latency, all[i].name, all[i].histogram, err);
  return r;
}

static int take_blocks(const json_t *json, struct timeline *timeline, struct error **err) {
  const json_t *blocks = json_object_get(json, "blocks"), *text;
  const json_t *run = json_object_get(json_object_get(json, "latencyMs"), text_of(blocks, "of"));
  int64_t block_s = json_integer_value(json_object_get(blocks, "seconds"));
  _cleanup_(histogram_destroy_p) struct histogram *histogram = histogram_create();
  size_t i;
  if (!histogram)
    return error_set(err, ENOMEM, "no memory");
  json_array_foreach(json_object_get(blocks, "histograms"), i, text) {
    _cleanup_error_ struct error *why = NULL;
    histogram_clear(histogram);
    int r = histogram_decode(histogram, json_string_value(text), json_string_length(text), &why);
    if (r < 0)
      return error_set(err, -r, "blocks.histograms[%zu]: %s", i, error_message(why));
    histogram_narrow(histogram, ns_of(run, "min", NS_PER_MS), ns_of(run, "max", NS_PER_MS));
    timeline_append(timeline, block_s, histogram);
  }
  return timeline_check(timeline) < 0 ? error_set(err, ENOMEM, "no memory") : 0;
}

/* ---- the rest */

static void take_counts(const json_t *json, struct tally *tally) {
  const char *status;
  const json_t *count, *errors = json_object_get(json, "errors");
  tally->scheduled = count_of(json, "scheduled");
  tally->completed = count_of(json, "completed");
  tally->failed = count_of(json, "failed");
  tally->censored = count_of(json, "censored");
  tally->warm_up = count_of(json, "warmUp");
  tally->bytes_read = count_of(json, "bytesRead");
  tally->bytes_written = count_of(json, "bytesWritten");
  tally->connections = count_of(json, "connectionsMade");
  tally->processor_ns = ns_of(json_object_get(json, "generator"), "processorSeconds", NS_PER_SECOND);
  for (int i = 0; i < LOAD_ERROR_COUNT; i++)
    tally->errors[i] = count_of(errors, load_error_name((enum load_error)i));
  json_object_foreach((json_t *)json_object_get(json, "statuses"), status, count) {
    unsigned long number = strtoul(status, NULL, 10);
    if (number < TALLY_STATUS_MAX)
      tally->statuses[number] = (uint64_t)json_integer_value(count);
  }
}

static void take_protocol(const json_t *json, struct tally *tally) {
  const json_t *grpc = json_object_get(json, "grpc"), *datagrams = json_object_get(json, "datagrams");
  for (unsigned i = 0; i < GRPC_STATUS_COUNT; i++)
    tally->grpc_statuses[i] = count_of(json_object_get(grpc, "statuses"), grpc_status_name(i));
  tally->messages_read = count_of(grpc, "messagesRead");
  tally->messages_written = count_of(grpc, "messagesWritten");
  tally->datagrams.late = count_of(datagrams, "late");
  tally->datagrams.duplicate = count_of(datagrams, "duplicate");
  tally->datagrams.foreign = count_of(datagrams, "foreign");
}

static void take_schedule(const json_t *json, struct load_options *options) {
  const json_t *schedule = json_object_get(json, "schedule");
  int kind = schedule_kind_parse(text_of(schedule, "kind"));
  const char *seed = text_of(schedule, "seed");
  options->schedule = (struct schedule){.kind = kind < 0 ? SCHEDULE_CLOSED : (enum schedule_kind)kind,
                                        .rate = number_of(schedule, "rate"),
                                        .rate_end = number_of(schedule, "rateEnd"),
                                        .rate_step = number_of(schedule, "rateStep"),
                                        .rate_swing = number_of(schedule, "rateSwing"),
                                        .period_ns = ns_of(schedule, "periodSeconds", NS_PER_SECOND),
                                        .duration_ns = ns_of(schedule, "durationSeconds", NS_PER_SECOND),
                                        .seed = seed ? strtoull(seed, NULL, 10) : 0};
  options->warm_up_ns = ns_of(schedule, "warmUpSeconds", NS_PER_SECOND);
  options->threads = (unsigned)count_of(json, "threads");
  options->connections = (unsigned)count_of(json, "connections");
  options->timeout_ns = ns_of(json, "timeoutSeconds", NS_PER_SECOND);
}

static unsigned doubts_of(const json_t *json) {
  const json_t *doubt;
  unsigned found = 0;
  size_t i;
  json_array_foreach(json_object_get(json, "doubts"), i, doubt) {
    for (unsigned bit = 1; bit <= LOAD_DOUBT_LAST; bit <<= 1)
      if (strcmp(text_of(doubt, "name"), load_doubt_name(bit)) == 0)
        found |= bit;
  }
  return found;
}

static int take_doubts(const json_t *json, struct load_result *result, struct error **err) {
  bool valid = json_is_true(json_object_get(json, "valid"));
  result->doubts = doubts_of(json);
  if (valid != (result->doubts == 0))
    return error_set(err, EINVAL,
                     "/valid is %s and contradicts /doubts, of which there are %s; take the file as it was "
                     "written",
                     valid ? "true" : "false", valid ? "some" : "none");
  return 0;
}

static int take_workers(const json_t *json, struct load_result *result, struct error **err) {
  const json_t *workers = json_object_get(json, "workers"), *lost = json_object_get(workers, "lost"), *loss;
  size_t count = json_array_size(lost), i;
  result->workers = (unsigned)count_of(workers, "count");
  if (count > result->workers)
    return error_set(err, EINVAL, "/workers/lost: %zu were lost, of %u", count, result->workers);
  if (count > 0 && !(result->losses = calloc(count, sizeof(*result->losses))))
    return error_set(err, ENOMEM, "no memory");
  json_array_foreach(lost, i, loss) {
    uint64_t worker = count_of(loss, "worker");
    if (worker >= result->workers)
      return error_set(err, EINVAL, "/workers/lost/%zu/worker: there are %u, from 0 on", i, result->workers);
    char *reason = strdup(text_of(loss, "reason"));
    if (!reason)
      return error_set(err, ENOMEM, "no memory");
    result->losses[result->loss_count++] = (struct load_loss){(unsigned)worker, reason};
  }
  return 0;
}

static int take_result(const json_t *json, struct load_result *result, struct error **err) {
  const char *problem = text_of(json, "problem");
  int r = tally_init(&result->tally, err);
  if (r < 0)
    return r;
  result->begun_ns = time_of(text_of(json, "started"));
  result->measured_ns = ns_of(json, "measuredSeconds", NS_PER_SECOND);
  result->target_rate = number_of(json, "targetRate");
  result->achieved_rate = number_of(json, "achievedRate");
  result->busy = number_of(json_object_get(json, "generator"), "busy");
  result->problem = problem ? strdup(problem) : NULL;
  if (problem && !result->problem)
    return error_set(err, ENOMEM, "no memory");
  r = take_doubts(json, result, err);
  if (r == 0)
    r = take_workers(json, result, err);
  if (r < 0)
    return r;
  take_counts(json, &result->tally);
  take_protocol(json, &result->tally);
  r = take_latencies(json, &result->tally, err);
  return r < 0 ? r : take_blocks(json, result->tally.timeline, err);
}

static void take_report(struct load_kept *kept) {
  const json_t *json = kept->json, *tls = json_object_get(json, "tls"), *grpc = json_object_get(json, "grpc");
  kept->report = (struct load_report){.version = text_of(json, "trammel"),
                                      .url = text_of(json, "url"),
                                      .method = text_of(json, "method"),
                                      .protocol = text_of(json, "protocol"),
                                      .call = text_of(grpc, "call"),
                                      .messages = (uint32_t)count_of(grpc, "messages"),
                                      .streams = (unsigned)count_of(json, "streams"),
                                      .secure = tls != NULL,
                                      .insecure = tls && json_is_false(json_object_get(tls, "verified")),
                                      .options = &kept->options,
                                      .result = &kept->result};
}

/* ---- the file */

static int check(const json_t *json, struct error **err) {
  json_auto_t *schema = json_loadb((const char *)load_result_schema, load_result_schema_length, 0, NULL);
  const char *format = text_of(json, "format");
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (!schema || !diagnostics || json_object_del(schema, "$schema") < 0)
    return error_set(err, ENOMEM, "no memory");
  if (!format || strcmp(format, "trammel.load-result/v1") != 0)
    return error_set(err, EINVAL,
                     "its format is not trammel.load-result/v1; wanted: what `trammel perf run -o json` wrote");
  if (schema_validate(schema, json, NULL, diagnostics) == 0)
    return 0;
  const struct diagnostic *first = diagnostics_at(diagnostics, 0);
  return error_set(err, EINVAL, "%s: %s", first->pointer ? first->pointer : "", first->summary);
}

static int load(const char *path, json_t **ret_json, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_close_ int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
  json_error_t where;
  int r = fd < 0 ? -errno : strbuf_read_file(&text, fd, LOAD_KEPT_BYTES_MAX);
  if (r == -EFBIG)
    return error_set(err, EINVAL, "a result has at most %d bytes", LOAD_KEPT_BYTES_MAX);
  if (r < 0)
    return error_set(err, -r, "%s", strerror(-r));
  *ret_json = json_loadb(strbuf_text(&text), text.length, JSON_REJECT_DUPLICATES, &where);
  return *ret_json ? 0 : error_set(err, EINVAL, "line %d: %s", where.line, where.text);
}

/* What the targets and repetitions of a profile come to together, in place of all of it; another result as it is. */
static void take_whole(json_t **json) {
  const char *format = json_string_value(json_object_get(*json, "format"));
  json_t *whole = json_object_get(*json, "whole");
  if (!format || strcmp(format, "trammel.perf-run/v1") != 0 || !json_is_object(whole))
    return;
  json_t *all = *json;
  *json = json_incref(whole);
  json_decref(all);
}

int load_kept_read(const char *path, struct load_kept *ret_kept, struct error **err) {
  _cleanup_error_ struct error *why = NULL;
  *ret_kept = (struct load_kept){0};
  int r = load(path, &ret_kept->json, &why);
  if (r == 0)
    take_whole(&ret_kept->json);
  if (r == 0)
    r = check(ret_kept->json, &why);
  if (r == 0)
    r = take_result(ret_kept->json, &ret_kept->result, &why);
  if (r == 0) {
    take_schedule(ret_kept->json, &ret_kept->options);
    take_report(ret_kept);
    return 0;
  }
  load_kept_finish(ret_kept);
  return error_set(err, -r, "%s: %s", path, error_message(why));
}

void load_kept_finish(struct load_kept *kept) {
  load_result_finish(&kept->result);
  json_decref(kept->json);
  *kept = (struct load_kept){0};
}
