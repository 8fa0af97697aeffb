#include <math.h>

#include "host/load/bootstrap.h"
#include "host/load/median.h"
#include "host/report/meshmark_report.h"

/* Latencies of more bad answers than these, which are quick, tell nothing: with as many, reliability is 0. */
#define LOST_MAX 0.01

/* How the target answers without a mesh: these statuses are its own. */
struct own {
  bool statuses[TALLY_STATUS_MAX], grpc_statuses[GRPC_STATUS_COUNT];
};

/* What is asked of a run; NaN: it does not tell. */
typedef double (*figure)(const struct load_report *report, const struct own *own);

struct side {
  const struct load_report *reports;
  size_t count;
  const struct own *own; /* of both sides */
};

static void own_of(const struct meshmark_runs *runs, struct own *ret_own) {
  *ret_own = (struct own){.grpc_statuses = {true}}; /* OK */
  for (size_t i = 0; i < runs->direct_count; i++) {
    const struct tally *tally = &runs->direct[i].result->tally;
    for (size_t j = 0; j < TALLY_STATUS_MAX; j++)
      ret_own->statuses[j] |= tally->statuses[j] > 0;
    for (size_t j = 0; j < GRPC_STATUS_COUNT; j++)
      ret_own->grpc_statuses[j] |= tally->grpc_statuses[j] > 0;
  }
}

/* ---- one run */

static double quantile_ms(const struct load_report *report, double quantile) {
  const struct histogram *histogram = load_report_latencies(report);
  return quantile_tells(histogram_count(histogram), quantile) ? load_ms(histogram_quantile(histogram, quantile)) : NAN;
}

static double median_ms(const struct load_report *report, const struct own *own) {
  (void)own;
  return quantile_ms(report, 0.5);
}

static double tail_ms(const struct load_report *report, const struct own *own) {
  (void)own;
  return quantile_ms(report, 0.99);
}

/* 5xx is none: it may be the mesh's own. Nor is what the target never answers by itself: 4xx, or a status of gRPC. */
static uint64_t good_answers(const struct tally *tally, const struct own *own) {
  uint64_t bad = 0;
  for (size_t i = 400; i < 600; i++)
    bad += i >= 500 || !own->statuses[i] ? tally->statuses[i] : 0;
  for (size_t i = 0; i < GRPC_STATUS_COUNT; i++)
    bad += own->grpc_statuses[i] ? 0 : tally->grpc_statuses[i];
  return tally->completed > bad ? tally->completed - bad : 0;
}

static double per_second(const struct load_report *report, const struct own *own) {
  const struct load_result *result = report->result;
  double measured_s = load_seconds(result->measured_ns);
  return measured_s > 0 ? (double)good_answers(&result->tally, own) / measured_s : NAN;
}

static double lost_share(const struct load_report *report, const struct own *own) {
  const struct tally *tally = &report->result->tally;
  double scheduled = (double)tally->scheduled;
  return scheduled > 0 ? (scheduled - (double)good_answers(tally, own)) / scheduled : NAN;
}

/* ---- a side */

static double median_of(const struct side *side, bool closed, figure of) {
  double values[MESHMARK_RUNS_MAX];
  struct median_estimate median;
  size_t count = 0;
  for (size_t i = 0; i < side->count && count < MESHMARK_RUNS_MAX; i++)
    if (load_report_is_closed(&side->reports[i]) == closed)
      values[count++] = of(&side->reports[i], side->own);
  for (size_t i = 0; i < count; i++)
    if (!isfinite(values[i]))
      return NAN;
  return count > 0 && median_estimate(values, count, &median) == 0 ? median.value : NAN;
}

static size_t count_of(const struct side *side, bool closed) {
  size_t count = 0;
  for (size_t i = 0; i < side->count; i++)
    count += load_report_is_closed(&side->reports[i]) == closed;
  return count;
}

static bool all_valid(const struct side *side, bool closed) {
  for (size_t i = 0; i < side->count; i++)
    if (load_report_is_closed(&side->reports[i]) == closed && side->reports[i].result->doubts != 0)
      return false;
  return true;
}

static bool loses_much(const struct side *side) {
  for (size_t i = 0; i < side->count; i++)
    if (!load_report_is_closed(&side->reports[i]) && lost_share(&side->reports[i], side->own) > LOST_MAX)
      return true;
  return false;
}

/* To 1%, as `perf compare` has it. */
static bool same_rates(const struct side *a, const struct side *b) {
  double rate = 0;
  for (size_t i = 0; i < a->count + b->count; i++) {
    const struct load_report *report = i < a->count ? &a->reports[i] : &b->reports[i - a->count];
    if (load_report_is_closed(report))
      continue;
    if (rate > 0 && fabs(report->result->target_rate - rate) > 0.01 * rate)
      return false;
    rate = report->result->target_rate;
  }
  return true;
}

/* ---- inputs */

static struct meshmark_input compared(const struct side *direct, const struct side *mesh, bool closed, figure of) {
  struct meshmark_input input = {.direct = median_of(direct, closed, of), .mesh = median_of(mesh, closed, of)};
  if (count_of(direct, closed) == 0 || count_of(mesh, closed) == 0)
    input.missing = closed ? "no runs in a closed loop (--rate max) on both sides"
                           : "no runs in an open loop (--rate N) on both sides";
  else if (!all_valid(direct, closed) || !all_valid(mesh, closed))
    input.missing = "a run is INVALID: its numbers tell of something else";
  else if (!closed && !same_rates(direct, mesh))
    input.missing = "the runs had other rates";
  else if (!isfinite(input.direct) || !isfinite(input.mesh))
    input.missing = "a run has too few requests for it";
  else if ((of == median_ms || of == tail_ms) && (loses_much(direct) || loses_much(mesh)))
    input.missing = "a run has no good answer to more than 1% of its requests";
  else if (closed && !(input.direct > 0))
    input.missing = "nothing was answered without the mesh";
  return input;
}

/* Warm-up is load on the mesh, too. */
static struct meshmark_input processor(const struct side *mesh, double processor_s) {
  struct meshmark_input input = {.mesh = NAN, .missing = "not given (--mesh-processor)"};
  double requests = 0;
  for (size_t i = 0; i < mesh->count; i++)
    requests += (double)(mesh->reports[i].result->tally.completed + mesh->reports[i].result->tally.warm_up);
  if (!isfinite(processor_s))
    return input;
  input.mesh = processor_s * 1e6 / requests;
  input.missing = requests > 0 ? NULL : "nothing was answered through the mesh";
  return input;
}

static struct meshmark_input memory(double memory_mib) {
  return (struct meshmark_input){.mesh = memory_mib,
                                 .missing = isfinite(memory_mib) ? NULL : "not given (--mesh-memory)"};
}

struct meshmark meshmark_of_runs(const struct meshmark_runs *runs) {
  struct own own;
  own_of(runs, &own);
  const struct side mesh = {runs->mesh, runs->mesh_count, &own}, direct = {runs->direct, runs->direct_count, &own};
  const struct meshmark_input inputs[MESHMARK_CLASSES] = {
      [MESHMARK_MEDIAN] = compared(&direct, &mesh, false, median_ms),
      [MESHMARK_TAIL] = compared(&direct, &mesh, false, tail_ms),
      [MESHMARK_THROUGHPUT] = compared(&direct, &mesh, true, per_second),
      [MESHMARK_RELIABILITY] = compared(&direct, &mesh, false, lost_share),
      [MESHMARK_PROCESSOR] = processor(&mesh, runs->processor_s),
      [MESHMARK_MEMORY] = memory(runs->memory_mib)};
  return meshmark_make(inputs);
}
