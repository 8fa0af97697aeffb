#include "host/report/load_comparison.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "host/load/bootstrap.h"
#include "host/load/median.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

int load_comparison_by(const char *name) {
  for (int i = 0; i < LOAD_QUANTILES; i++)
    if (strcmp(load_quantiles[i].name, name) == 0)
      return i;
  return -1;
}

const char *load_verdict_name(enum load_verdict verdict) {
  static const char *const names[] = {"same", "slower", "faster", "untold"};
  return names[verdict];
}

/* ---- making it */

static struct histogram *together(const struct load_figures *runs, size_t count) {
  struct histogram *sum = histogram_create();
  for (size_t i = 0; sum && i < count; i++)
    histogram_add(sum, runs[i].latencies);
  return sum;
}

static int check(const struct load_figures *a, const struct load_figures *b, size_t pairs, struct error **err) {
  if (pairs < 1 || pairs > PAIRS_MAX)
    return error_set(err, EINVAL, "1 to %d pairs of runs can be compared, not %zu", PAIRS_MAX, pairs);
  for (size_t i = 0; i < pairs; i++)
    if (a[i].closed != a[0].closed || b[i].closed != a[0].closed)
      return error_set(err, EINVAL,
                       "open loops can't be compared with closed ones: the latencies of these leave out what waits");
  return 0;
}

/* The estimates when every run tells of the quantile. */
static int compare(const struct load_figures *a, const struct load_figures *b, size_t pairs, size_t which,
                   struct load_compared *compared) {
  double quantile = load_quantiles[which].quantile, ratios[PAIRS_MAX], added[PAIRS_MAX];
  compared->told = true;
  for (size_t i = 0; i < pairs; i++) {
    double before = (double)histogram_quantile(a[i].latencies, quantile);
    double after = (double)histogram_quantile(b[i].latencies, quantile);
    compared->told &= before > 0 && after > 0 && quantile_tells(histogram_count(a[i].latencies), quantile) &&
                      quantile_tells(histogram_count(b[i].latencies), quantile);
    ratios[i] = log(after / before);
    added[i] = after - before;
  }
  int r = compared->told ? pairs_estimate(ratios, pairs, &compared->log_ratio) : 0;
  return compared->told && r == 0 ? pairs_estimate(added, pairs, &compared->added_ns) : r;
}

static double median(const struct load_figures *runs, size_t count) {
  double values[PAIRS_MAX];
  struct median_estimate estimate = {0};
  for (size_t i = 0; i < count; i++)
    values[i] = runs[i].achieved;
  (void)median_estimate(values, count, &estimate);
  return estimate.value;
}

static int compare_rates(const struct load_figures *a, const struct load_figures *b, size_t pairs,
                         struct load_rates *rates) {
  double ratios[PAIRS_MAX];
  rates->told = a[0].closed;
  for (size_t i = 0; i < pairs; i++) {
    rates->told &= a[i].achieved > 0 && b[i].achieved > 0;
    ratios[i] = log(b[i].achieved / a[i].achieved);
  }
  rates->a = median(a, pairs);
  rates->b = median(b, pairs);
  return rates->told ? pairs_estimate(ratios, pairs, &rates->log_ratio) : 0;
}

static bool all_valid(const struct load_figures *runs, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!runs[i].valid)
      return false;
  return true;
}

/* What failed is slower than any quantile that its share reaches: a tenth of what is beyond this one may. */
static bool all_answered(const struct load_figures *runs, size_t count, double quantile) {
  for (size_t i = 0; i < count; i++)
    if (1 - runs[i].answered > (1 - quantile) / 10)
      return false;
  return true;
}

static bool same_rate(const struct load_figures *a, const struct load_figures *b, size_t pairs) {
  for (size_t i = 0; i < pairs; i++)
    if (fabs(a[i].rate - b[i].rate) > 0.01 * a[i].rate)
      return false;
  return true;
}

static void judge(struct load_comparison *comparison, bool valid, bool answered, bool same_load) {
  const struct load_compared *by = &comparison->compared[comparison->by];
  double tolerated = log1p(comparison->tolerance);
  comparison->verdict = LOAD_VERDICT_UNTOLD;
  if (!valid)
    comparison->reason = "a run is INVALID: its numbers tell of something else than the target";
  else if (!answered)
    comparison->reason = "requests of a run failed or were answered by 5xx: what users wait for these is in no latency";
  else if (!same_load)
    comparison->reason = "the runs of a pair had other rates";
  else if (!by->told)
    comparison->reason = "a run has too few requests for this quantile: run longer, or compare by a lower one (--by)";
  else if (comparison->pairs < PAIRS_MIN)
    comparison->reason = "fewer than 6 pairs of runs: no interval has 95%";
  else if (by->log_ratio.low > tolerated)
    comparison->verdict = LOAD_VERDICT_SLOWER;
  else if (by->log_ratio.high < -tolerated)
    comparison->verdict = LOAD_VERDICT_FASTER;
  else if (tolerated > 0 && by->log_ratio.high > tolerated)
    comparison->reason = "the interval is wider than what is tolerated: more pairs of runs tell";
  else
    comparison->verdict = LOAD_VERDICT_SAME;
}

int load_comparison_make(const struct load_figures *a, const struct load_figures *b, size_t pairs, size_t by,
                         double tolerance, struct load_comparison *ret_comparison, struct error **err) {
  struct load_comparison comparison = {.pairs = pairs, .by = by, .tolerance = tolerance};
  int r = check(a, b, pairs, err);
  if (r < 0)
    return r;
  _cleanup_(histogram_destroy_p) struct histogram *all_a = together(a, pairs), *all_b = together(b, pairs);
  if (!all_a || !all_b)
    return error_set(err, ENOMEM, "no memory for a comparison");
  comparison.closed = a[0].closed;
  comparison.a_url = a[0].url;
  comparison.b_url = b[0].url;
  comparison.superiority = histogram_superiority(all_b, all_a);
  for (size_t i = 0; i < LOAD_QUANTILES; i++) {
    struct load_compared *compared = &comparison.compared[i];
    *compared = (struct load_compared){.name = load_quantiles[i].name,
                                       .a_ns = (double)histogram_quantile(all_a, load_quantiles[i].quantile),
                                       .b_ns = (double)histogram_quantile(all_b, load_quantiles[i].quantile)};
    if (compare(a, b, pairs, i, compared) < 0)
      return error_set(err, ENOMEM, "no memory for a comparison");
  }
  if (compare_rates(a, b, pairs, &comparison.rates) < 0)
    return error_set(err, ENOMEM, "no memory for a comparison");
  double quantile = load_quantiles[by].quantile;
  judge(&comparison, all_valid(a, pairs) && all_valid(b, pairs),
        all_answered(a, pairs, quantile) && all_answered(b, pairs, quantile), same_rate(a, b, pairs));
  *ret_comparison = comparison;
  return 0;
}

/* ---- for programs */

static double ratio(double log_ratio) {
  return exp(log_ratio);
}

static double ms(double ns) {
  return ns / (double)NS_PER_MS;
}

static json_t *compared_json(const struct load_compared *compared) {
  const struct pairs_estimate *estimate = &compared->log_ratio, *added = &compared->added_ns;
  if (!compared->told)
    return json_object();
  json_t *json = json_pack("{s:f, s:f, s:f, s:f}", "aMs", ms(compared->a_ns), "bMs", ms(compared->b_ns), "ratio",
                           ratio(estimate->centre), "addedMs", ms(added->centre));
  if (estimate->level > 0)
    (void)json_object_set_new(json, "interval", json_pack("[f, f]", ratio(estimate->low), ratio(estimate->high)));
  if (estimate->level > 0)
    (void)json_object_set_new(json, "addedInterval", json_pack("[f, f]", ms(added->low), ms(added->high)));
  if (estimate->level > 0)
    (void)json_object_set_new(json, "level", json_real(estimate->level));
  return json;
}

static json_t *rates_json(const struct load_rates *rates) {
  const struct pairs_estimate *estimate = &rates->log_ratio;
  if (!rates->told)
    return NULL;
  json_t *json = json_pack("{s:f, s:f, s:f}", "a", rates->a, "b", rates->b, "ratio", ratio(estimate->centre));
  if (estimate->level > 0)
    (void)json_object_set_new(json, "interval", json_pack("[f, f]", ratio(estimate->low), ratio(estimate->high)));
  if (estimate->level > 0)
    (void)json_object_set_new(json, "level", json_real(estimate->level));
  return json;
}

json_t *load_comparison_json(const struct load_comparison *comparison) {
  json_t *figures = json_object();
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    (void)json_object_set_new(figures, comparison->compared[i].name, compared_json(&comparison->compared[i]));
  json_t *json =
      json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:f, s:s, s:s*, s:o*, s:o}", "format", "trammel.load-comparison/v1",
                "a", comparison->a_url, "b", comparison->b_url, "of", comparison->closed ? "service" : "response",
                "pairs", (json_int_t)comparison->pairs, "by", comparison->compared[comparison->by].name, "tolerance",
                comparison->tolerance, "verdict", load_verdict_name(comparison->verdict), "reason", comparison->reason,
                "perSecond", rates_json(&comparison->rates), "figures", figures);
  if (!isnan(comparison->superiority))
    (void)json_object_set_new(json, "chanceThatBTakesLonger", json_real(comparison->superiority));
  return json;
}

/* ---- for people */

static double percent(double log_ratio) {
  return 100 * expm1(log_ratio);
}

static void print_compared(const struct load_compared *compared, FILE *out) {
  const struct pairs_estimate *estimate = &compared->log_ratio, *added = &compared->added_ns;
  if (!compared->told) {
    fprintf(out, "  %-8s %9s\n", compared->name, "n/a");
    return;
  }
  fprintf(out, "  %-8s %9.3f %9.3f %+9.3f %+8.1f%%", compared->name, ms(compared->a_ns), ms(compared->b_ns),
          ms(added->centre), percent(estimate->centre));
  if (estimate->level > 0)
    fprintf(out, "  %+.3f to %+.3f, %+.1f%% to %+.1f%%", ms(added->low), ms(added->high), percent(estimate->low),
            percent(estimate->high));
  fputc('\n', out);
}

static void print_rates(const struct load_rates *rates, FILE *out) {
  const struct pairs_estimate *estimate = &rates->log_ratio;
  if (!rates->told)
    return;
  fprintf(out, "\n  %.1f per second of A, %.1f of B: %+.1f%%", rates->a, rates->b, percent(estimate->centre));
  if (estimate->level > 0)
    fprintf(out, ", %+.1f%% to %+.1f%%", percent(estimate->low), percent(estimate->high));
  fputc('\n', out);
}

static void print_verdict(const struct load_comparison *comparison, FILE *out) {
  const struct load_compared *by = &comparison->compared[comparison->by];
  const struct pairs_estimate *estimate = &by->log_ratio;
  switch (comparison->verdict) {
  case LOAD_VERDICT_SAME:
    fprintf(out, "\nSAME: at %s no difference", by->name);
    if (comparison->tolerance > 0)
      fprintf(out, " of more than %g%%", 100 * comparison->tolerance);
    fprintf(out, " is shown, at %.1f%%\n", 100 * estimate->level);
    return;
  case LOAD_VERDICT_SLOWER:
  case LOAD_VERDICT_FASTER:
    fprintf(out, "\n%s: at %s B is %+.1f%%, between %+.1f%% and %+.1f%% at %.1f%%\n",
            comparison->verdict == LOAD_VERDICT_SLOWER ? "SLOWER" : "FASTER", by->name, percent(estimate->centre),
            percent(estimate->low), percent(estimate->high), 100 * estimate->level);
    return;
  case LOAD_VERDICT_UNTOLD:
    fprintf(out, "\nCAN'T BE TOLD: %s\n", comparison->reason);
    return;
  }
}

void load_comparison_text(const struct load_comparison *comparison, FILE *out) {
  fprintf(out, "A  %s\nB  %s\n  %zu pair%s of runs, %s times in ms\n\n", comparison->a_url, comparison->b_url,
          comparison->pairs, comparison->pairs == 1 ? "" : "s", comparison->closed ? "service" : "response");
  fprintf(out, "  %-8s %9s %9s %9s %9s", "", "A", "B", "B - A", "B to A");
  if (comparison->pairs >= PAIRS_MIN)
    fprintf(out, "  at %.0f%% and more", 100 * PAIRS_LEVEL);
  fputc('\n', out);
  for (size_t i = 0; i < LOAD_QUANTILES; i++)
    print_compared(&comparison->compared[i], out);
  print_rates(&comparison->rates, out);
  if (!isnan(comparison->superiority))
    fprintf(out, "\n  a request of B takes longer than one of A with a chance of %.1f%%\n",
            100 * comparison->superiority);
  print_verdict(comparison, out);
}
