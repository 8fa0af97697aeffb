#include "host/conformance/judge_metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "host/conformance/judge_text.h"
#include "host/conformance/metrics_reading.h"
#include "host/conformance/metrics_text.h"
#include "sdk/base/clock.h"

#define PB(name) Trammel__Adapter__V1__##name

/* Between two readings that are to catch up, and between two looks at whether the run is cancelled. */
#define READING_PAUSE_MS 5

/* A mesh may count latencies in buckets, of which the smallest ends at some milliseconds. Nothing else makes a latency
 * longer than the client saw, and nothing makes it a hundred times shorter than the shortest that the client saw. Units
 * that are mistaken are a thousand times off. */
#define LATENCY_FACTOR 2
#define LATENCY_BUCKET_NS (10 * NS_PER_MS)
#define LATENCY_LEAST 100

/* The header that tells a workload what to answer (docs/workload.md). */
#define ANSWER_HEADER "x-trammel-answer"

/* A check while it is judged. */
struct metrics_judge {
  struct prober *prober;
  struct engine *engine;
  const struct metrics_patience *patience;
  const struct check *check;
  struct arena *arena;
  struct metrics_query query;
  struct metrics_reading before, after;
  struct probe good, failing; /* the calls; `count` 0 for none */
};

static void judge_finish(struct metrics_judge *judge) {
  metrics_reading_finish(&judge->before);
  metrics_reading_finish(&judge->after);
  probe_finish(&judge->good);
  probe_finish(&judge->failing);
}

static int no_memory(struct error **err) {
  return error_set(err, ENOMEM, "judging metrics: no memory");
}

static int wait_for(const struct metrics_judge *judge, int64_t duration_ns, struct error **err) {
  const atomic_bool *cancel = judge->prober->cancel;
  int64_t until_ns = clock_in_ns(duration_ns);
  do {
    if (cancel && atomic_load(cancel))
      return error_set(err, ECANCELED, "cancelled");
    (void)poll(NULL, 0, READING_PAUSE_MS);
  } while (clock_monotonic_ns() < until_ns);
  return 0;
}

static int read_anew(const struct metrics_judge *judge, struct metrics_reading *reading, struct error **err) {
  metrics_reading_finish(reading);
  return metrics_read(judge->engine, &judge->query, reading, err);
}

/* Whether counts are judged, and not only that there are any. */
static bool counts_matter(const struct metrics_expectation *metrics) {
  bool matter = metrics->growth.judged || metrics->backend_count > 0;
  for (size_t i = 0; i < metrics->item_count; i++)
    matter |= metrics->items[i].growth.judged;
  return matter;
}

/* ---- before the calls */

/* Reads until nothing is added within the window: what was called before must not be taken for what comes now. */
static int read_before(struct metrics_judge *judge, struct error **err) {
  int64_t give_up_ns = clock_in_ns(judge->patience->converge_ns);
  int r = read_anew(judge, &judge->before, err);
  while (r == 0 && counts_matter(judge->check->metrics)) {
    uint64_t sum = metrics_sum(&judge->before);
    r = wait_for(judge, judge->patience->hold_window_ns, err);
    if (r == 0)
      r = read_anew(judge, &judge->before, err);
    if (r == 0 && (metrics_sum(&judge->before) == sum || clock_monotonic_ns() >= give_up_ns))
      break;
  }
  return r;
}

/* ---- the calls */

static int call_answered(struct metrics_judge *judge, unsigned count, unsigned status, struct probe *ret_probe,
                         struct error **err) {
  const struct check *check = judge->check;
  if (count == 0)
    return 0;
  struct check_header *headers = arena_array(judge->arena, check->header_count + 1, sizeof(*headers));
  const char *text = arena_printf(judge->arena, "%u", status);
  if (!headers || !text)
    return no_memory(err);
  if (check->header_count > 0)
    memcpy(headers, check->headers, check->header_count * sizeof(*headers));
  headers[check->header_count] = (struct check_header){.name = ANSWER_HEADER, .value = text};
  struct check asking = *check;
  asking.headers = headers;
  asking.header_count++;
  int r = probe_call(judge->prober, &asking, count, CALL_TIMEOUT_MS, ret_probe, err);
  return r < 0 ? r : probe_trace(judge->prober, ret_probe, err);
}

static int make_calls(struct metrics_judge *judge, struct error **err) {
  const struct check *check = judge->check;
  unsigned failing = check->failing, good = (unsigned)check_request_count(check) - failing;
  int r = call_answered(judge, good, check->answer, &judge->good, err);
  return r < 0 ? r : call_answered(judge, failing, METRICS_ANSWER_FAILING, &judge->failing, err);
}

/* Only calls that one server received, and answered as told, have a number of successes and failures. What else becomes
 * of them says nothing about metrics, and other cases tell what it says. */
static int require_answered(struct metrics_judge *judge, const struct probe *probe, unsigned status,
                            struct error **err) {
  for (unsigned i = 0; i < probe->count; i++) {
    const struct call_outcome *call = &probe->calls[i];
    const struct arrival *arrival = &probe->arrivals[i];
    bool one = arrival->receivers != 0 && (arrival->receivers & (arrival->receivers - 1)) == 0;
    if (call->end == CALL_ANSWERED && call->status == status && one && arrival->provers == arrival->receivers)
      continue;
    const char *seen = glance_seen(judge->arena, judge->check, call);
    return error_set(
        err, EPROTO,
        "the mesh's metrics could not be judged: call %u of %u that they are to count was not answered with "
        "%u by one server: %s",
        i + 1, probe->count, status, seen ? seen : "");
  }
  return 0;
}

/* How many of the calls the servers behind a backend recorded. */
static uint64_t received_by(const struct metrics_judge *judge, const struct probe *probe, const char *backend) {
  struct check behind = {.to = arena_printf(judge->arena, "%s/%s", TOPOLOGY_NAMESPACE_DEFAULT, backend)};
  uint64_t targets = behind.to ? probe_targets(judge->prober, &behind) : 0;
  uint64_t count = 0;
  for (unsigned i = 0; i < probe->count; i++)
    count += (probe->arrivals[i].receivers & targets) != 0;
  return count;
}

/* ---- what is wrong with the reading after them; each returns NULL when nothing is */

static const char *problem_of_growth(struct metrics_judge *judge, const char *what, const PB(MetricsItem) * before,
                                     const PB(MetricsItem) * after, const struct metrics_growth *growth) {
  if (!after)
    return metrics_problem(arena_printf(judge->after.arena, "%s has no item", what));
  uint64_t success = before ? before->success_count : 0, failure = before ? before->failure_count : 0;
  if (!growth->judged ||
      (after->success_count - success == growth->success && after->failure_count - failure == growth->failure))
    return NULL;
  return metrics_problem(arena_printf(judge->after.arena,
                                      "%s has %" PRId64 " successes and %" PRId64 " failures more (%" PRIu64
                                      " and %" PRIu64 ", before %" PRIu64 " and %" PRIu64 ")",
                                      what, (int64_t)(after->success_count - success),
                                      (int64_t)(after->failure_count - failure), after->success_count,
                                      after->failure_count, success, failure));
}

static const char *problem_of_latency(struct metrics_judge *judge, const PB(MetricsItem) * item) {
  uint64_t most = (uint64_t)judge->prober->longest_ns * LATENCY_FACTOR + LATENCY_BUCKET_NS;
  uint64_t least = (uint64_t)judge->prober->shortest_ns / LATENCY_LEAST;
  bool ordered = item->p50_ns <= item->p90_ns && item->p90_ns <= item->p99_ns;
  if (ordered && item->p50_ns > 0 && item->p50_ns >= least && item->p99_ns <= most)
    return NULL;
  return metrics_problem(arena_printf(judge->after.arena,
                                      "latencies of %" PRIu64 " us (p50), %" PRIu64 " us (p90) and %" PRIu64
                                      " us (p99), where the client's calls took %" PRId64 " us to %" PRId64 " us",
                                      item->p50_ns / 1000, item->p90_ns / 1000, item->p99_ns / 1000,
                                      judge->prober->shortest_ns / 1000, judge->prober->longest_ns / 1000));
}

static const char *problem_of_backends(struct metrics_judge *judge) {
  const struct metrics_expectation *metrics = judge->check->metrics;
  for (size_t i = 0; i < metrics->backend_count; i++) {
    const struct metrics_split_backend *backend = &metrics->backends[i];
    const char *what = arena_printf(judge->after.arena, "the backend %s", backend->name);
    struct metrics_growth growth = {.judged = true,
                                    .success = received_by(judge, &judge->good, backend->name),
                                    .failure = received_by(judge, &judge->failing, backend->name)};
    const PB(MetricsItem) *before = metrics_find(&judge->before, &judge->query, judge->query.name, backend->name);
    const PB(MetricsItem) *after = metrics_find(&judge->after, &judge->query, judge->query.name, backend->name);
    const char *problem = problem_of_growth(judge, what ? what : "", before, after, &growth);
    if (problem)
      return metrics_problem(arena_printf(judge->after.arena, "%s; its servers recorded %" PRIu64 " and %" PRIu64,
                                          problem, growth.success, growth.failure));
    if (strcmp(after->backend->apex, metrics->apex) != 0 || after->backend->weight != backend->weight)
      return metrics_problem(arena_printf(judge->after.arena, "%s has the apex %s and the weight %" PRIu64,
                                          what ? what : "", after->backend->apex, after->backend->weight));
  }
  if (judge->after.response->n_items != metrics->backend_count)
    return metrics_problem(arena_printf(judge->after.arena, "there are %zu items for %zu backends",
                                        judge->after.response->n_items, metrics->backend_count));
  return NULL;
}

static bool is_listed(const struct metrics_expectation *metrics, const PB(MetricsItem) * item) {
  for (size_t i = 0; i < metrics->item_count; i++)
    if (item->resource && strcmp(metrics->items[i].name, item->resource->name) == 0)
      return true;
  return false;
}

/* Namespaces of other cases are there at the same time. */
static const char *problem_of_strangers(struct metrics_judge *judge) {
  const struct metrics_expectation *metrics = judge->check->metrics;
  for (size_t i = 0; metrics->kind != METRICS_NAMESPACE && i < judge->after.response->n_items; i++) {
    const PB(MetricsItem) *item = judge->after.response->items[i];
    if (!is_listed(metrics, item))
      return metrics_problem(
          arena_printf(judge->after.arena, "the list has an item %s", item->resource ? item->resource->name : ""));
  }
  return NULL;
}

static const char *problem_of_list(struct metrics_judge *judge) {
  const struct metrics_expectation *metrics = judge->check->metrics;
  for (size_t i = 0; i < metrics->item_count; i++) {
    const struct metrics_list_item *item = &metrics->items[i];
    const char *name =
        metrics->kind == METRICS_NAMESPACE ? placement_namespace(judge->prober->placement, item->name) : item->name;
    const PB(MetricsItem) *before = metrics_find(&judge->before, &judge->query, name, NULL);
    const PB(MetricsItem) *after = metrics_find(&judge->after, &judge->query, name, NULL);
    const char *problem = problem_of_growth(judge, item->name, before, after, &item->growth);
    if (problem)
      return problem;
  }
  return problem_of_strangers(judge);
}

static const char *problem_of_resource(struct metrics_judge *judge) {
  const struct metrics_expectation *metrics = judge->check->metrics;
  const PB(MetricsItem) *before = metrics_find(&judge->before, &judge->query, judge->query.name, NULL);
  const PB(MetricsItem) *after = metrics_find(&judge->after, &judge->query, judge->query.name, NULL);
  const char *what = metrics_what(judge->after.arena, metrics);
  const char *problem = problem_of_growth(judge, what ? what : "", before, after, &metrics->growth);
  return problem || !metrics->latency ? problem : problem_of_latency(judge, after);
}

static const char *problem_of(struct metrics_judge *judge) {
  const struct metrics_expectation *metrics = judge->check->metrics;
  if (judge->after.problem)
    return judge->after.problem;
  if (!metrics->name)
    return problem_of_list(judge);
  return metrics->backend_count > 0 ? problem_of_backends(judge) : problem_of_resource(judge);
}

/* ---- after the calls */

/* Gives the reading its time to catch up; then it must stay as it is for the window, and the last one is judged. */
static int read_after(struct metrics_judge *judge, const char **ret_problem, struct error **err) {
  int64_t give_up_ns = clock_in_ns(judge->patience->converge_ns);
  int r = read_anew(judge, &judge->after, err);
  while (r == 0 && problem_of(judge) && clock_monotonic_ns() < give_up_ns) {
    r = wait_for(judge, READING_PAUSE_MS * NS_PER_MS, err);
    if (r == 0)
      r = read_anew(judge, &judge->after, err);
  }
  if (r == 0 && counts_matter(judge->check->metrics)) {
    r = wait_for(judge, judge->patience->hold_window_ns, err);
    if (r == 0)
      r = read_anew(judge, &judge->after, err);
  }
  if (r == 0)
    *ret_problem = problem_of(judge);
  return r;
}

/* ---- the verdict */

/* What was served is shown when that is what is wrong, or could tell why. */
static json_t *served(const PB(MetricsResponse) * response) {
  enum { DOCUMENT_MAX = 4096 };
  size_t length = response->document.len < DOCUMENT_MAX ? response->document.len : DOCUMENT_MAX;
  return json_stringn((const char *)response->document.data, length);
}

static json_t *evidence_of(const struct metrics_judge *judge, bool held) {
  json_t *evidence =
      json_pack("{s:[s*, s*], s:i, s:i, s:I, s:I, s:o, s:o}", "ids", judge->good.count ? judge->good.id : NULL,
                judge->failing.count ? judge->failing.id : NULL, "requests",
                (int)(judge->good.count + judge->failing.count), "failing", (int)judge->failing.count, "shortest_ns",
                (json_int_t)judge->prober->shortest_ns, "longest_ns", (json_int_t)judge->prober->longest_ns, "before",
                metrics_items_json(judge->before.response), "after", metrics_items_json(judge->after.response));
  const PB(MetricsResponse) *response = judge->after.response;
  if (!evidence || !response || response->status == 0)
    return evidence;
  (void)json_object_set_new(evidence, "status", json_integer(response->status));
  if (!held)
    (void)json_object_set_new(evidence, "document", served(response));
  if (judge->after.problem)
    (void)json_object_set_new(evidence, "problem", json_true());
  return evidence;
}

static int run(struct metrics_judge *judge, const char **ret_problem, struct error **err) {
  int r = metrics_query_create(judge->check->metrics, judge->prober->placement, &judge->query, err);
  if (r == 0)
    r = read_before(judge, err);
  if (r == 0)
    r = make_calls(judge, err);
  if (r == 0)
    r = require_answered(judge, &judge->good, judge->check->answer, err);
  if (r == 0)
    r = require_answered(judge, &judge->failing, METRICS_ANSWER_FAILING, err);
  return r < 0 ? r : read_after(judge, ret_problem, err);
}

int judge_metrics(struct prober *prober, struct engine *engine, const struct metrics_patience *patience,
                  const struct check *check, struct arena *arena, struct verdict *ret_verdict, struct error **err) {
  _cleanup_(judge_finish) struct metrics_judge judge = {
      .prober = prober, .engine = engine, .patience = patience, .check = check, .arena = arena};
  struct verdict verdict = {.result.check = check};
  const char *problem = NULL;
  int r = run(&judge, &problem, err);
  if (r < 0)
    return r;
  verdict.result.held = !problem;
  verdict.result.expected = metrics_expected(arena, check);
  verdict.result.seen = problem ? arena_strdup(arena, problem) : "just that";
  verdict.result.evidence = evidence_of(&judge, !problem);
  if (!verdict.result.expected || !verdict.result.seen || !verdict.result.evidence) {
    verdict_finish(&verdict);
    return no_memory(err);
  }
  *ret_verdict = verdict;
  return 0;
}

const char *judge_metrics_cause(const json_t *evidence) {
  return json_object_get(evidence, "problem")
             ? "the mesh's metrics API does not serve what SMI says it serves"
             : "the mesh counts these requests, or sums them up, otherwise than SMI says";
}
