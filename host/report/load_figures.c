#include "host/report/load_figures.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

static int not_a_result(const char *path, const char *what, struct error **err) {
  return error_set(err, EINVAL, "%s: %s; wanted: what `trammel perf run -o json` wrote", path, what);
}

static int take_latencies(const char *path, const json_t *result, struct load_figures *figures, struct error **err) {
  const json_t *latency = json_object_get(result, "latencyMs");
  const char *name = figures->closed ? "service" : "response";
  const json_t *text = json_object_get(json_object_get(latency, name), "histogram");
  _cleanup_error_ struct error *why = NULL;
  if (!json_is_string(text))
    return not_a_result(path, "it has no histogram of latencies", err);
  figures->latencies = histogram_create();
  if (!figures->latencies)
    return error_set(err, ENOMEM, "%s: no memory for its histogram", path);
  int r = histogram_decode(figures->latencies, json_string_value(text), json_string_length(text), &why);
  if (r < 0)
    return error_set(err, -r, "%s: latencyMs.%s.histogram: %s", path, name, error_message(why));
  return 0;
}

/* What a user waits for otherwise is in no latency. */
static double answered_share(const json_t *result) {
  double scheduled = json_number_value(json_object_get(result, "scheduled"));
  double good = json_number_value(json_object_get(result, "completed"));
  const char *status;
  json_t *count;

  json_object_foreach(json_object_get(result, "statuses"), status, count) good -=
      *status == '5' ? json_number_value(count) : 0;
  return scheduled > 0 ? good / scheduled : 0;
}

static int take_figures(const char *path, const json_t *result, struct load_figures *figures, struct error **err) {
  const char *format = json_string_value(json_object_get(result, "format"));
  const char *url = json_string_value(json_object_get(result, "url"));
  const char *kind = json_string_value(json_object_get(json_object_get(result, "schedule"), "kind"));
  if (!format || strcmp(format, "trammel.load-result/v1") != 0)
    return not_a_result(path, "its format is not trammel.load-result/v1", err);
  if (!url || !kind || !json_is_boolean(json_object_get(result, "valid")))
    return not_a_result(path, "url, schedule.kind or valid is missing", err);
  figures->url = strdup(url);
  if (!figures->url)
    return error_set(err, ENOMEM, "%s: no memory", path);
  figures->valid = json_is_true(json_object_get(result, "valid"));
  figures->closed = strcmp(kind, "closed") == 0;
  figures->rate = json_number_value(json_object_get(result, "targetRate"));
  figures->achieved = json_number_value(json_object_get(result, "achievedRate"));
  figures->answered = answered_share(result);
  return take_latencies(path, result, figures, err);
}

/* What a profile's targets and repetitions come to together; else the result itself. */
static const json_t *whole_of(const json_t *result) {
  const char *format = json_string_value(json_object_get(result, "format"));
  return format && strcmp(format, "trammel.perf-run/v1") == 0 ? json_object_get(result, "whole") : result;
}

int load_figures_read(const char *path, struct load_figures *ret_figures, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct load_figures figures = {0};
  json_error_t where;
  int r = fd < 0 ? -errno : strbuf_read_file(&text, fd, LOAD_FIGURES_BYTES_MAX);
  if (r == -EFBIG)
    return error_set(err, EINVAL, "%s: a result has at most %d bytes", path, LOAD_FIGURES_BYTES_MAX);
  if (r < 0)
    return error_set(err, -r, "%s: %s", path, strerror(-r));
  json_t *result = json_loadb(strbuf_text(&text), text.length, JSON_REJECT_DUPLICATES, &where);
  if (!result)
    return error_set(err, EINVAL, "%s, line %d: %s", path, where.line, where.text);
  r = take_figures(path, whole_of(result), &figures, err);
  json_decref(result);
  if (r < 0)
    load_figures_finish(&figures);
  else
    *ret_figures = figures;
  return r;
}

static double tally_answered_share(const struct tally *tally) {
  uint64_t good = tally->completed;
  for (int status = 500; status < 600; status++)
    good -= tally->statuses[status];
  return tally->scheduled > 0 ? (double)good / (double)tally->scheduled : 0;
}

int load_figures_take(const char *url, const struct load_options *options, const struct load_result *result,
                      struct load_figures *ret_figures, struct error **err) {
  struct load_figures figures = {.url = strdup(url),
                                 .valid = result->doubts == 0,
                                 .doubts = result->doubts,
                                 .closed = options->schedule.kind == SCHEDULE_CLOSED,
                                 .rate = result->target_rate,
                                 .achieved = result->achieved_rate,
                                 .answered = tally_answered_share(&result->tally),
                                 .latencies = histogram_create()};
  if (!figures.url || !figures.latencies) {
    load_figures_finish(&figures);
    return error_set(err, ENOMEM, "no memory for the figures of a run");
  }
  histogram_add(figures.latencies, figures.closed ? result->tally.service : result->tally.response);
  *ret_figures = figures;
  return 0;
}

void load_figures_finish(struct load_figures *figures) {
  free(figures->url);
  histogram_destroy(figures->latencies);
  *figures = (struct load_figures){0};
}
