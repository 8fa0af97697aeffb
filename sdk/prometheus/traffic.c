#include "sdk/prometheus/traffic.h"

#include <math.h>
#include <string.h>

#include "sdk/base/strbuf.h"

/* Which of an item's numbers a series of the answer is. */
#define VALUE_LABEL "trammel_value"
enum value { SUCCESS, FAILURE, P50, P90, P99, VALUES };
static const char *const value_names[VALUES] = {"success", "failure", "p50", "p90", "p99"};

#define COUNT_MAX 9007199254740992.0 /* 2^53: a double has every whole number up to it */
#define LATENCY_MAX_NS 8.64e13       /* a day: no answer to a request takes longer */

struct reading {
  struct call *call;
  const struct traffic_view *view;
  const struct metrics_request *request;
  struct traffic_names names; /* of the resource, in the labels; "": all */
  json_int_t window_s;
};

/* ---- the query */

static void add_to_list(struct strbuf *out, const char *text) {
  if (*text)
    strbuf_printf(out, "%s%s", out->length ? "," : "", text);
}

/* NAME="VALUE" */
static void add_matcher(const struct reading *r, struct strbuf *out, const char *label, const char *operator,
                        const char * value) {
  const char *quoted = prometheus_quote(r->call, value);
  if (quoted)
    strbuf_printf(out, "%s%s%s%s", out->length ? "," : "", label, operator, quoted);
}

static void add_chosen_labels(const struct reading *r, struct strbuf *out) {
  const json_t *list = json_object_get(call_config(r->call), "metrics_labels"), *item;
  size_t i;
  json_array_foreach(list, i, item) {
    const char *text = json_string_value(item), *value = text ? strchr(text, '=') : NULL;
    const char *label = value ? arena_printf(call_arena(r->call), "%.*s", (int)(value - text), text) : NULL;
    if (label)
      add_matcher(r, out, label, "=", value + 1);
    else
      call_out_of_memory(r->call);
  }
}

/* Those of the resource and, for edges, of who is at the other end: who has no name is nobody. */
static void add_names(const struct reading *r, struct strbuf *out) {
  const struct traffic_view *view = r->view;
  if (r->names.pattern)
    add_matcher(r, out, view->resource.name, "=~", r->names.pattern);
  else if (*r->names.name)
    add_matcher(r, out, view->resource.name, "=", r->names.name);
  else
    add_matcher(r, out, view->resource.name, "!=", "");
  if (view->resource.ns && *r->names.ns)
    add_matcher(r, out, view->resource.ns, "=", r->names.ns);
  if (view->edges)
    add_matcher(r, out, view->peer.name, "!=", "");
}

/* The labels that tell items apart. */
static void grouping(const struct traffic_view *view, struct strbuf *out) {
  add_to_list(out, view->resource.name);
  add_to_list(out, view->resource.ns ? view->resource.ns : "");
  if (view->edges) {
    add_to_list(out, view->peer.name);
    add_to_list(out, view->peer.ns ? view->peer.ns : "");
  }
}

/* sum by (…) (increase(counter{…}[300s])) */
static void add_sum(const struct reading *r, struct strbuf *out, const char *series, const char *matchers,
                    const char *by) {
  _cleanup_strbuf_ struct strbuf where = STRBUF_INIT;
  add_to_list(&where, r->view->matchers);
  add_to_list(&where, matchers);
  add_chosen_labels(r, &where);
  add_names(r, &where);
  if (strbuf_failed(&where))
    call_out_of_memory(r->call);
  strbuf_printf(out, "sum by (%s) (%s%s{%s}", by, r->window_s ? "increase(" : "", series, strbuf_text(&where));
  if (r->window_s)
    strbuf_printf(out, "[%llds])", (long long)r->window_s);
  strbuf_puts(out, ")");
}

static void add_value(const struct reading *r, struct strbuf *out, enum value value, const char *by,
                      const char *by_le) {
  static const char *const quantiles[VALUES] = {[P50] = "0.5", [P90] = "0.9", [P99] = "0.99"};
  const struct traffic_series *series = r->view->series;
  strbuf_printf(out, "%slabel_replace(", out->length ? " or " : "");
  if (quantiles[value]) {
    strbuf_printf(out, "histogram_quantile(%s,", quantiles[value]);
    add_sum(r, out, series->buckets, "", by_le);
    strbuf_puts(out, ")");
  } else {
    add_sum(r, out, series->counter, value == SUCCESS ? series->success : series->failure, by);
  }
  strbuf_printf(out, ",\"" VALUE_LABEL "\",\"%s\",\"\",\"\")", value_names[value]);
}

/* All numbers in one query, so that they are of one moment. */
static const char *expression(const struct reading *r) {
  _cleanup_strbuf_ struct strbuf by = STRBUF_INIT, by_le = STRBUF_INIT, out = STRBUF_INIT;
  grouping(r->view, &by);
  grouping(r->view, &by_le);
  add_to_list(&by_le, "le");
  for (int value = 0; value < VALUES; value++)
    add_value(r, &out, (enum value)value, strbuf_text(&by), strbuf_text(&by_le));
  const char *text = strbuf_failed(&by) || strbuf_failed(&by_le) || strbuf_failed(&out)
                         ? NULL
                         : arena_strdup(call_arena(r->call), strbuf_text(&out));
  if (!text)
    call_out_of_memory(r->call);
  return text;
}

/* ---- the answer */

/* What an item is put together of. */
struct row {
  const struct prometheus_series *series; /* whose labels name it */
  double values[VALUES];
  bool has[VALUES];
};

static bool same_label(const struct prometheus_series *a, const struct prometheus_series *b, const char *label) {
  return !label || strcmp(prometheus_label(a, label), prometheus_label(b, label)) == 0;
}

static bool same_item(const struct traffic_view *view, const struct prometheus_series *a,
                      const struct prometheus_series *b) {
  return same_label(a, b, view->resource.name) && same_label(a, b, view->resource.ns) &&
         (!view->edges || (same_label(a, b, view->peer.name) && same_label(a, b, view->peer.ns)));
}

static struct row *find_row(const struct traffic_view *view, struct row *rows, size_t *count,
                            const struct prometheus_series *series) {
  for (size_t i = 0; i < *count; i++)
    if (same_item(view, rows[i].series, series))
      return &rows[i];
  rows[*count] = (struct row){.series = series};
  return &rows[(*count)++];
}

static int bad_value(const struct reading *r, const char *what, double value) {
  return call_fail(r->call, TRAMMEL_UNAVAILABLE, CODE_TRAFFIC_VALUE,
                   "Prometheus has %s of %g for a %.80s, which cannot be", what, value, r->view->kind);
}

/* A quantile of no samples is NaN, and stays away. */
static int take_value(const struct reading *r, const struct prometheus_series *series, struct row *rows,
                      size_t *count) {
  const char *name = prometheus_label(series, VALUE_LABEL);
  enum value value = SUCCESS;
  while (value < VALUES && strcmp(value_names[value], name) != 0)
    value++;
  if (value == VALUES)
    return call_fail(r->call, TRAMMEL_UNAVAILABLE, CODE_PROMETHEUS_ANSWER,
                     "Prometheus answered with a series that was not asked for");
  if (value >= P50 && isnan(series->value))
    return TRAMMEL_OK;
  if (value < P50 && !(series->value >= 0 && series->value <= COUNT_MAX))
    return bad_value(r, "a count", series->value);
  if (value >= P50 && !(series->value >= 0 && series->value * (double)r->view->series->unit_ns <= LATENCY_MAX_NS))
    return bad_value(r, "a latency", series->value);
  struct row *row = find_row(r->view, rows, count, series);
  row->values[value] = series->value;
  row->has[value] = true;
  return TRAMMEL_OK;
}

static struct metrics_resource resource_of(const struct row *row, const char *kind, const struct traffic_labels *labels,
                                           const char *ns) {
  return (struct metrics_resource){.kind = kind,
                                   .ns = labels->ns ? prometheus_label(row->series, labels->ns) : ns,
                                   .name = prometheus_label(row->series, labels->name)};
}

static uint64_t latency_ns(const struct reading *r, const struct row *row, enum value value) {
  return row->has[value] ? (uint64_t)llround(row->values[value] * (double)r->view->series->unit_ns) : 0;
}

static void add_item(const struct reading *r, const struct row *row, struct metrics *metrics) {
  const struct traffic_view *view = r->view;
  struct metrics_item item = {.resource = resource_of(row, view->kind, &view->resource, r->request->resource.ns),
                              .success_count = (uint64_t)llround(row->values[SUCCESS]),
                              .failure_count = (uint64_t)llround(row->values[FAILURE]),
                              .p50_ns = latency_ns(r, row, P50),
                              .p90_ns = latency_ns(r, row, P90),
                              .p99_ns = latency_ns(r, row, P99)};
  if (*r->request->resource.name && !r->names.pattern)
    item.resource.name = r->request->resource.name;
  if (*r->request->resource.ns)
    item.resource.ns = r->request->resource.ns;
  if (view->edges) {
    item.peer = resource_of(row, view->peer_kind, &view->peer, "");
    item.direction = view->direction;
    item.side = view->side;
  }
  metrics_add(metrics, &item);
}

/* What has latencies alone was not counted: a number would be made up. */
static int answer_view(const struct reading *r, struct metrics *metrics) {
  struct prometheus_answer answer = {0};
  const char *query = expression(r);
  size_t count = 0;
  if (!query)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  int status = prometheus_query(r->call, query, &answer);
  struct row *rows = status == TRAMMEL_OK ? arena_array(call_arena(r->call), answer.count + 1, sizeof *rows) : NULL;
  if (status == TRAMMEL_OK && !rows)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  for (size_t i = 0; status == TRAMMEL_OK && i < answer.count; i++)
    status = take_value(r, &answer.series[i], rows, &count);
  for (size_t i = 0; status == TRAMMEL_OK && i < count; i++)
    if (rows[i].has[SUCCESS] || rows[i].has[FAILURE])
      add_item(r, &rows[i], metrics);
  return status;
}

/* ---- what is asked */

static int check_request(struct call *call, const struct metrics_request *request) {
  if (request->selector_count > 0)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_TRAFFIC_UNTOLD,
                     "series in Prometheus do not have the labels of resources: leave the selector out");
  if (request->edges && !*request->resource.name)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, CODE_TRAFFIC_UNTOLD, "edges are those of one resource: name it");
  return TRAMMEL_OK;
}

int traffic_metrics(struct call *call, const struct traffic_view *views, size_t count,
                    const struct metrics_request *request, const struct traffic_names *names, struct metrics *metrics) {
  const struct metrics_resource *resource = &request->resource;
  const char *untold = "nothing is counted for it";
  size_t told = 0;
  struct reading reading = {.call = call,
                            .request = request,
                            .names = {.name = names && names->name ? names->name : resource->name,
                                      .ns = names && names->ns ? names->ns : resource->ns,
                                      .pattern = names ? names->pattern : NULL},
                            .window_s = json_integer_value(json_object_get(call_config(call), "metrics_window"))};
  int status = check_request(call, request);
  for (size_t i = 0; status == TRAMMEL_OK && i < count; i++) {
    if (strcmp(views[i].kind, resource->kind) != 0 || views[i].edges != request->edges)
      continue;
    if (views[i].untold) {
      untold = views[i].untold;
      continue;
    }
    reading.view = &views[i];
    status = answer_view(&reading, metrics);
    told++;
  }
  if (status == TRAMMEL_OK && told == 0)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_TRAFFIC_UNTOLD, "no metrics of %sa %.80s: %s",
                     request->edges ? "edges of " : "", resource->kind, untold);
  metrics_window(metrics, (uint32_t)(reading.window_s * 1000));
  return status;
}
