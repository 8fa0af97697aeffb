#include "sdk/prometheus/prometheus.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "sdk/adapter/native.h"
#include "sdk/base/document.h"
#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

#define WARNINGS_MAX 8 /* that are told; the rest is passed over */
#define SHOWN_MAX 300  /* bytes of a text of Prometheus' */
#define TYPE_MAX 40    /* bytes of the type of an error */

const char *prometheus_quote(struct call *call, const char *value) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_puts(&text, "\"");
  for (const char *at = value; *at; at++)
    if (*at == '\n')
      strbuf_puts(&text, "\\n");
    else
      strbuf_printf(&text, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
  strbuf_puts(&text, "\"");
  const char *quoted = strbuf_failed(&text) ? NULL : arena_strdup(call_arena(call), strbuf_text(&text));
  if (!quoted)
    call_out_of_memory(call);
  return quoted;
}

/* For "%.*s": as many bytes as are whole characters. JSON's texts are UTF-8. */
static int shown(const char *text, size_t most) {
  return (int)utf8_fit(text, strlen(text), most);
}

static int no_answer(struct call *call, const char *what) {
  return call_fail(call, TRAMMEL_UNAVAILABLE, CODE_PROMETHEUS_ANSWER,
                   "what answers at the endpoint " PROMETHEUS_ENDPOINT " is not Prometheus' API: %s", what);
}

static const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

/* {"status": "error", "errorType": …, "error": …}, which a 4xx or 5xx has. */
static int tell_error(struct call *call, unsigned status, const json_t *root) {
  const char *type = text_of(root, "errorType"), *text = text_of(root, "error");
  type = type ? type : "no errorType";
  text = text ? text : "no error is said";
  return call_fail(call, TRAMMEL_UNAVAILABLE, CODE_PROMETHEUS_ANSWER,
                   "Prometheus could not evaluate the query (%u, %.*s): %.*s", status, shown(type, TYPE_MAX), type,
                   shown(text, SHOWN_MAX), text);
}

/* Both members of an answer: the series may not be all there are. */
static void tell_warnings(struct call *call, const json_t *root) {
  static const char *const members[] = {"warnings", "infos"};
  for (size_t m = 0; m < sizeof members / sizeof members[0]; m++) {
    const json_t *list = json_object_get(root, members[m]);
    for (size_t i = 0; i < json_array_size(list) && i < WARNINGS_MAX; i++) {
      const char *text = json_string_value(json_array_get(list, i));
      if (text)
        call_diagnose(
            call,
            &(struct finding){.severity = m == 0 ? TRAMMEL_WARNING : TRAMMEL_INFO, .code = CODE_PROMETHEUS_ANSWER},
            "Prometheus says of the query: %.*s", shown(text, SHOWN_MAX), text);
    }
  }
}

/* A number as Prometheus writes it: "3", "0.25", "1e+06", "NaN", "+Inf", "-Inf". */
static int read_number(struct call *call, const char *text, double *ret_value) {
  static const struct {
    const char *text;
    double value;
  } named[] = {{"NaN", NAN}, {"+Inf", INFINITY}, {"Inf", INFINITY}, {"-Inf", -INFINITY}};
  for (size_t i = 0; text && i < sizeof named / sizeof named[0]; i++)
    if (strcmp(text, named[i].text) == 0) {
      *ret_value = named[i].value;
      return TRAMMEL_OK;
    }
  json_auto_t *number = NULL;
  if (text && json_read(text, strlen(text), &number, NULL) == -ENOMEM)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (!json_is_number(number))
    return no_answer(call, "the value of a series is no number");
  *ret_value = json_number_value(number);
  return TRAMMEL_OK;
}

static int read_labels(struct call *call, const json_t *metric, struct prometheus_series *series) {
  const size_t count = json_object_size(metric);
  if (!json_is_object(metric) || count > PROMETHEUS_LABELS_MAX)
    return no_answer(call, "the labels of a series are no object, or too many");
  struct prometheus_label *labels = arena_array(call_arena(call), count + 1, sizeof *labels);
  if (!labels)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  for (void *at = json_object_iter((json_t *)(uintptr_t)metric); at;
       at = json_object_iter_next((json_t *)(uintptr_t)metric, at)) {
    const char *value = json_string_value(json_object_iter_value(at));
    if (!value)
      return no_answer(call, "a label of a series is no string");
    struct prometheus_label *label = &labels[series->label_count++];
    label->name = arena_strdup(call_arena(call), json_object_iter_key(at));
    label->value = arena_strdup(call_arena(call), value);
    if (!label->name || !label->value)
      return TRAMMEL_RESOURCE_EXHAUSTED;
  }
  series->labels = labels;
  return TRAMMEL_OK;
}

/* {"metric": {…}, "value": [TIME, "NUMBER"]} */
static int read_series(struct call *call, const json_t *from, struct prometheus_series *series) {
  const json_t *value = json_object_get(from, "value");
  if (json_array_size(value) != 2 || !json_is_number(json_array_get(value, 0)))
    return no_answer(call, "the value of a series is not a time and a number as text");
  int status = read_number(call, json_string_value(json_array_get(value, 1)), &series->value);
  return status == TRAMMEL_OK ? read_labels(call, json_object_get(from, "metric"), series) : status;
}

static int read_vector(struct call *call, const json_t *data, struct prometheus_answer *ret_answer) {
  const char *type = text_of(data, "resultType");
  const json_t *result = json_object_get(data, "result");
  if (!type || strcmp(type, "vector") != 0 || !json_is_array(result))
    return no_answer(call, "the result is no vector");
  const size_t count = json_array_size(result);
  if (count > PROMETHEUS_SERIES_MAX)
    return call_fail(call, TRAMMEL_RESOURCE_EXHAUSTED, CODE_PROMETHEUS_ANSWER,
                     "Prometheus answered with %zu series, more than the %d that are read: ask for less", count,
                     PROMETHEUS_SERIES_MAX);
  struct prometheus_series *series = arena_array(call_arena(call), count + 1, sizeof *series);
  int status = series ? TRAMMEL_OK : TRAMMEL_RESOURCE_EXHAUSTED;
  for (size_t i = 0; status == TRAMMEL_OK && i < count; i++) {
    series[i] = (struct prometheus_series){0};
    status = read_series(call, json_array_get(result, i), &series[i]);
  }
  *ret_answer = (struct prometheus_answer){.series = series, .count = count};
  return status;
}

int prometheus_read(struct call *call, unsigned status, const char *body, size_t length,
                    struct prometheus_answer *ret_answer) {
  _cleanup_error_ struct error *err = NULL;
  json_auto_t *root = NULL;
  int r = json_read(body, length, &root, &err);
  if (r == -ENOMEM)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  const char *outcome = r == 0 ? text_of(root, "status") : NULL;
  if (outcome && strcmp(outcome, "error") == 0)
    return tell_error(call, status, root);
  if (status != 200)
    return call_fail(call, TRAMMEL_UNAVAILABLE, CODE_PROMETHEUS_ANSWER,
                     "GET " PROMETHEUS_QUERY_PATH " at the endpoint " PROMETHEUS_ENDPOINT " answered %u, expected 200",
                     status);
  if (!outcome || strcmp(outcome, "success") != 0)
    return no_answer(call, r < 0 ? error_message(err) : "its status is neither success nor error");
  tell_warnings(call, root);
  return read_vector(call, json_object_get(root, "data"), ret_answer);
}

int prometheus_query(struct call *call, const char *expression, struct prometheus_answer *ret_answer) {
  const char *path = arena_printf(call_arena(call), PROMETHEUS_QUERY_PATH "?query=%s", path_segment(call, expression));
  struct call_http_answer answer = {0};
  if (!path)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (strlen(path) > CALL_PATH_MAX)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, CODE_PROMETHEUS_QUERY,
                     "the query for Prometheus takes %zu bytes of a request's path, which may have %u: ask with fewer "
                     "or shorter metrics_labels",
                     strlen(path), CALL_PATH_MAX);
  int status = call_http(call, &(struct call_http){.endpoint = PROMETHEUS_ENDPOINT, .path = path}, &answer);
  if (status != TRAMMEL_OK)
    return status;
  return prometheus_read(call, answer.status, answer.body, answer.body_length, ret_answer);
}

const char *prometheus_label(const struct prometheus_series *series, const char *name) {
  for (size_t i = 0; i < series->label_count; i++)
    if (strcmp(series->labels[i].name, name) == 0)
      return series->labels[i].value;
  return "";
}
