#include <errno.h>

#include "host/load/bootstrap.h"
#include "host/perf/outcome.h"
#include "sdk/base/clock.h"

static void print_quantile(FILE *out, const struct histogram *histogram, double quantile) {
  if (quantile_tells(histogram_count(histogram), quantile))
    fprintf(out, " %9.3f", (double)histogram_quantile(histogram, quantile) / (double)NS_PER_MS);
  else
    fprintf(out, " %9s", "n/a");
}

static void print_row(FILE *out, const struct outcome *outcome, const char *name, const struct load_result *result) {
  bool closed = profile_is_closed(outcome->profile);
  const struct histogram *latencies = closed ? result->tally.service : result->tally.response;
  fprintf(out, "  %-20.40s %10llu %8llu %8llu %10.1f", name, (unsigned long long)result->tally.completed,
          (unsigned long long)result->tally.failed, (unsigned long long)result->tally.censored, result->achieved_rate);
  print_quantile(out, latencies, 0.5);
  print_quantile(out, latencies, 0.99);
  fprintf(out, "%s\n", result->doubts ? "  INVALID" : "");
}

static void print_head(FILE *out, const char *of) {
  fprintf(out, "\n  %-20s %10s %8s %8s %10s %9s %9s\n", of, "completed", "failed", "censored", "per second", "p50 ms",
          "p99 ms");
}

static void print_parts(FILE *out, const struct outcome *outcome) {
  const struct profile *profile = outcome->profile;
  if (profile->load_count > 1)
    print_head(out, "target");
  for (size_t i = 0; profile->load_count > 1 && i < profile->load_count; i++)
    print_row(out, outcome, profile->loads[i].name, &outcome->by_load[i]);
  if (outcome->run_count > 1)
    print_head(out, "repetition");
  for (size_t i = 0; outcome->run_count > 1 && i < outcome->run_count; i++) {
    char number[24];
    (void)snprintf(number, sizeof(number), "%zu", i + 1);
    print_row(out, outcome, number, &outcome->runs[i]);
  }
}

static void print_unexpected(FILE *out, const struct outcome *outcome) {
  const struct profile *profile = outcome->profile;
  for (size_t i = 0; i < profile->load_count; i++)
    if (outcome->unexpected[i] > 0)
      fprintf(out, "\n  %s: %llu answers have a status that is not expected\n", profile->loads[i].name,
              (unsigned long long)outcome->unexpected[i]);
}

static void print_objectives(FILE *out, const struct outcome *outcome) {
  const struct profile *profile = outcome->profile;
  if (profile->objective_count > 0)
    fprintf(out, "\n  %-24s %-14s %s\n", "objective", "measured", "");
  for (size_t i = 0; i < profile->objective_count; i++) {
    const struct objective_finding *finding = &outcome->findings[i];
    _cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
    if (finding->measured)
      objective_value_text(&profile->objectives[i], finding->value, &value);
    else
      strbuf_puts(&value, "n/a");
    fprintf(out, "  %-24s %-14s %s%s%s\n", profile->objectives[i].text, strbuf_text(&value),
            objective_verdict_name(finding->verdict), finding->reason ? ": " : "",
            finding->reason ? finding->reason : "");
  }
}

int outcome_text(const struct outcome *outcome, FILE *out) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  const struct load_report whole = outcome_report(outcome, &text);
  fprintf(out, "%s\n\n", outcome->profile->name);
  (void)load_report_text(&whole, out);
  print_parts(out, outcome);
  print_unexpected(out, outcome);
  print_objectives(out, outcome);
  return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
