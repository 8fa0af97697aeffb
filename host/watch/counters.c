#include "host/watch/counters.h"

#include <string.h>

#include "sdk/base/clock.h"

/* Upper bounds, in milliseconds; the last bucket has the rest. */
static const unsigned bounds_ms[COUNTERS_BUCKETS] = {5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 60000};

void counters_done(struct counters *counters, enum rollout_outcome outcome, int64_t since_ns) {
  int64_t took_ns = clock_monotonic_ns() - since_ns;

  atomic_fetch_add(&counters->outcomes[outcome], 1);
  if (outcome != ROLLOUT_CREATED && outcome != ROLLOUT_CHANGED && outcome != ROLLOUT_REMOVED)
    return;
  for (size_t i = 0; i < COUNTERS_BUCKETS; i++)
    if (took_ns <= bounds_ms[i] * NS_PER_MS)
      atomic_fetch_add(&counters->latency[i], 1);
  atomic_fetch_add(&counters->latency_count, 1);
  atomic_fetch_add(&counters->latency_sum_ns, (unsigned long long)took_ns);
}

static void head(struct strbuf *out, const char *name, const char *type, const char *help) {
  strbuf_printf(out, "# HELP trammel_watch_%s %s\n# TYPE trammel_watch_%s %s\n", name, help, name, type);
}

static void single(struct strbuf *out, const char *name, const char *type, const char *help, unsigned long long value) {
  head(out, name, type, help);
  strbuf_printf(out, "trammel_watch_%s %llu\n", name, value);
}

static void write_objects(const struct counters *counters, struct strbuf *out) {
  head(out, "objects_total", "counter", "Native objects that something was done about, by what came of it.");
  for (enum rollout_outcome outcome = ROLLOUT_CREATED; outcome < ROLLOUT_NOT_DONE; outcome++)
    strbuf_printf(out, "trammel_watch_objects_total{outcome=\"%s\"} %llu\n", rollout_outcome_name(outcome),
                  atomic_load(&counters->outcomes[outcome]));
}

static void write_latency(const struct counters *counters, struct strbuf *out) {
  head(out, "apply_seconds", "histogram", "From learning of a change to the native object being as it should be.");
  for (size_t i = 0; i < COUNTERS_BUCKETS; i++)
    strbuf_printf(out, "trammel_watch_apply_seconds_bucket{le=\"%g\"} %llu\n", bounds_ms[i] / 1000.0,
                  atomic_load(&counters->latency[i]));
  unsigned long long count = atomic_load(&counters->latency_count);
  strbuf_printf(out,
                "trammel_watch_apply_seconds_bucket{le=\"+Inf\"} %llu\ntrammel_watch_apply_seconds_sum %.6f\n"
                "trammel_watch_apply_seconds_count %llu\n",
                count, (double)atomic_load(&counters->latency_sum_ns) / 1e9, count);
}

void counters_write(struct counters *counters, const char *adapter, struct strbuf *out) {
  head(out, "info", "gauge", "What is translated for.");
  strbuf_printf(out, "trammel_watch_info{adapter=\"%s\"} 1\n", adapter);
  single(out, "leader", "gauge", "Whether this one writes to the cluster.", atomic_load(&counters->leading));
  single(out, "ready", "gauge", "Whether everything was listed and translated once.", atomic_load(&counters->ready));
  single(out, "resources", "gauge", "SMI resources on the cluster.", atomic_load(&counters->resources));
  single(out, "resources_invalid", "gauge", "SMI resources that cannot be read.", atomic_load(&counters->invalid));
  single(out, "objects_wanted", "gauge", "Native objects that are to be there.", atomic_load(&counters->wanted));
  single(out, "objects_there", "gauge", "Native objects that are there.", atomic_load(&counters->there));
  single(out, "objects_pending", "gauge", "Native objects that something is to be done about.",
         atomic_load(&counters->pending));
  single(out, "objects_failing", "gauge", "Of these, those that failed and are tried again.",
         atomic_load(&counters->failing));
  single(out, "objects_contested", "gauge",
         "Of these, those that others add to again and again, and that are left to them for a while.",
         atomic_load(&counters->contested));
  single(out, "undone_total", "counter", "Objects that others had added to, which was undone.",
         atomic_load(&counters->undone));
  single(out, "changes_total", "counter", "Changes of resources, workloads and Services.",
         atomic_load(&counters->changes));
  single(out, "interruptions_total", "counter", "Connections to the API server that were lost or not made.",
         atomic_load(&counters->interruptions));
  single(out, "relists_total", "counter",
         "Lists that were begun again because a watch had fallen too far behind (410).",
         atomic_load(&counters->relists));
  single(out, "events_total", "counter", "Events written about SMI resources.", atomic_load(&counters->events));
  head(out, "translations_total", "counter", "Translations, of everything or of what a change touches.");
  strbuf_printf(
      out, "trammel_watch_translations_total{of=\"all\"} %llu\ntrammel_watch_translations_total{of=\"part\"} %llu\n",
      atomic_load(&counters->whole), atomic_load(&counters->partial));
  single(out, "corrections_total", "counter",
         "Objects that a translation of everything had otherwise than those of parts.",
         atomic_load(&counters->corrections));
  write_objects(counters, out);
  write_latency(counters, out);
}
