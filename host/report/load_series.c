#include "host/report/load_series.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/load/bootstrap.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

int load_series_init(struct load_series *series, size_t planned, bool paired, bool wants_results, struct error **err) {
  *series = (struct load_series){.planned = planned, .paired = paired};
  if (planned < 1 || planned > LOAD_SERIES_MAX)
    return error_set(err, EINVAL, "1 to %d runs can be made in turn, not %zu", LOAD_SERIES_MAX, planned);
  series->results = wants_results ? json_array() : NULL;
  for (int side = 0; side <= paired; side++)
    series->runs[side] = calloc(planned, sizeof(*series->runs[side]));
  if (!series->runs[0] || (paired && !series->runs[1]) || (wants_results && !series->results))
    return error_set(err, ENOMEM, "no memory for %zu runs", planned);
  return 0;
}

void load_series_finish(struct load_series *series) {
  for (int side = 0; side < 2; side++) {
    for (size_t i = 0; series->runs[side] && i < series->planned; i++)
      load_figures_finish(&series->runs[side][i]);
    free(series->runs[side]);
  }
  free(series->problem);
  json_decref(series->results);
  *series = (struct load_series){0};
}

bool load_series_valid(const struct load_series *series) {
  bool valid = true;
  for (int side = 0; side <= series->paired; side++)
    for (size_t i = 0; i < series->count; i++)
      valid &= series->runs[side][i].valid;
  return valid;
}

/* ---- medians of runs of one target */

/* False when a run has too few values for the quantile. */
static bool quantile_median(const struct load_series *series, double quantile, struct median_estimate *ret_estimate) {
  double values[LOAD_SERIES_MAX];
  for (size_t i = 0; i < series->count; i++) {
    const struct histogram *latencies = series->runs[0][i].latencies;
    if (!quantile_tells(histogram_count(latencies), quantile))
      return false;
    values[i] = (double)histogram_quantile(latencies, quantile) / (double)NS_PER_MS;
  }
  return median_estimate(values, series->count, ret_estimate) == 0;
}

static bool rate_median(const struct load_series *series, struct median_estimate *ret_estimate) {
  double values[LOAD_SERIES_MAX];
  for (size_t i = 0; i < series->count; i++)
    values[i] = series->runs[0][i].achieved;
  return median_estimate(values, series->count, ret_estimate) == 0;
}

static json_t *estimate_json(const struct median_estimate *estimate) {
  json_t *json = json_pack("{s:f}", "median", estimate->value);
  if (estimate->level > 0)
    (void)json_object_set_new(json, "interval", json_pack("[f, f]", estimate->low, estimate->high));
  if (estimate->level > 0)
    (void)json_object_set_new(json, "level", json_real(estimate->level));
  return json;
}

static json_t *medians_json(const struct load_series *series) {
  struct median_estimate estimate;
  json_t *latency = json_object();
  json_t *json =
      json_pack("{s:s, s:o}", "of", series->runs[0][0].closed ? "service" : "response", "latencyMs", latency);
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    if (quantile_median(series, load_quantiles[i].quantile, &estimate))
      (void)json_object_set_new(latency, load_quantiles[i].name, estimate_json(&estimate));
  if (rate_median(series, &estimate))
    (void)json_object_set_new(json, "achievedRate", estimate_json(&estimate));
  return json;
}

static json_t *mesh_json(const struct load_series_mesh *mesh) {
  return json_pack("{s:s, s:s*, s:s, s:s, s:s}", "name", mesh->name, "version", mesh->version, "adapter", mesh->adapter,
                   "adapterVersion", mesh->adapter_version, "lab", "process");
}

json_t *load_series_json(const struct load_series *series, const struct load_comparison *comparison) {
  json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:s*, s:b, s:O*}", "format", "trammel.load-series/v1",
                           "trammel", series->version, "unit", series->paired ? "pair" : "run", "planned",
                           (json_int_t)series->planned, "complete", (json_int_t)series->count, "cut", series->cut,
                           "problem", series->problem, "valid", load_series_valid(series), "runs", series->results);
  if (series->mesh)
    (void)json_object_set_new(json, "mesh", mesh_json(series->mesh));
  if (comparison)
    (void)json_object_set_new(json, "comparison", load_comparison_json(comparison));
  if (!series->paired && series->count > 0)
    (void)json_object_set_new(json, "medians", medians_json(series));
  return json;
}

/* ---- for people */

static void print_estimate(const char *name, const struct median_estimate *estimate, FILE *out) {
  fprintf(out, "  %-10s %10.3f", name, estimate->value);
  if (estimate->level > 0)
    fprintf(out, "  %.3f to %.3f", estimate->low, estimate->high);
  fputc('\n', out);
}

static void print_medians(const struct load_series *series, FILE *out) {
  struct median_estimate estimate;
  bool has_rate = rate_median(series, &estimate);
  fprintf(out, "%s\n  %zu run%s, %s times in ms\n\n", series->runs[0][0].url, series->count,
          series->count == 1 ? "" : "s", series->runs[0][0].closed ? "service" : "response");
  fprintf(out, "  %-10s %10s", "", "median");
  if (estimate.level > 0)
    fprintf(out, "  at %.1f%%", 100 * estimate.level);
  fputc('\n', out);
  if (has_rate)
    print_estimate("per second", &estimate, out);
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    if (quantile_median(series, load_quantiles[i].quantile, &estimate))
      print_estimate(load_quantiles[i].name, &estimate, out);
    else
      fprintf(out, "  %-10s %10s\n", load_quantiles[i].name, "n/a");
}

static size_t count_doubt(const struct load_series *series, enum load_doubt doubt) {
  size_t count = 0;
  for (int side = 0; side <= series->paired; side++)
    for (size_t i = 0; i < series->count; i++)
      count += (series->runs[side][i].doubts & doubt) != 0;
  return count;
}

static void print_doubts(const struct load_series *series, FILE *out) {
  size_t runs = series->count * (series->paired ? 2 : 1);
  fputs(series->paired ? "\n" : "\nINVALID\n", out);
  for (unsigned bit = 1; bit <= LOAD_DOUBT_LAST; bit <<= 1) {
    enum load_doubt doubt = (enum load_doubt)bit;
    size_t count = count_doubt(series, doubt);
    if (count > 0)
      fprintf(out, "  %s, in %zu of %zu runs: %s\n", load_doubt_name(doubt), count, runs, load_doubt_text(doubt));
  }
}

static void print_mesh(const struct load_series_mesh *mesh, FILE *out) {
  fprintf(out, "%s %s, by adapter %s %s, in a process lab\n", mesh->name, mesh->version, mesh->adapter,
          mesh->adapter_version);
  fputs("  A is direct, B goes through the sidecars of a client and a server\n\n", out);
}

static void print_overhead(const struct load_comparison *comparison, FILE *out) {
  const struct load_compared *by = &comparison->compared[comparison->by];
  const struct pairs_estimate *added = &by->added_ns, *ratio = &by->log_ratio;
  if (comparison->verdict == LOAD_VERDICT_UNTOLD && (!by->told || added->level == 0))
    return;
  fprintf(out, "\nthe mesh adds %+.3f ms at %s, %+.3f to %+.3f at %.1f%% (%+.1f%%, %+.1f%% to %+.1f%%)%s\n",
          added->centre / NS_PER_MS, by->name, added->low / NS_PER_MS, added->high / NS_PER_MS, 100 * added->level,
          100 * expm1(ratio->centre), 100 * expm1(ratio->low), 100 * expm1(ratio->high),
          comparison->verdict == LOAD_VERDICT_UNTOLD ? ", if these runs could be believed" : "");
}

void load_series_text(const struct load_series *series, const struct load_comparison *comparison, FILE *out) {
  if (series->mesh)
    print_mesh(series->mesh, out);
  if (comparison)
    load_comparison_text(comparison, out);
  else if (!series->paired && series->count > 0)
    print_medians(series, out);
  if (!load_series_valid(series))
    print_doubts(series, out);
  if (series->mesh && comparison)
    print_overhead(comparison, out);
  if (series->cut)
    fprintf(out, "\nended before its time: %zu of %zu %s%s are complete%s%s\n", series->count, series->planned,
            series->paired ? "pair" : "run", series->planned == 1 ? "" : "s", series->problem ? "; " : "",
            series->problem ? series->problem : "");
}
