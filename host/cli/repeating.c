#include "host/cli/repeating.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/workers/workers.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

/* A run under way, for those who tell of it. */
struct turn {
  const struct repeating *repeating;
  size_t number; /* from 0 */
  int side;
};

static const char side_names[] = "AB";

struct load_report repeating_report(const struct repeating *repeating, int side, const struct load_options *load,
                                    const struct load_result *result) {
  const struct repeating_target *of = &repeating->sides[side];
  return (struct load_report){.version = TRAMMEL_VERSION,
                              .url = of->url,
                              .method = of->target->method,
                              .protocol = target_protocol_name(of->target->protocol),
                              .call = of->target->call,
                              .messages = of->target->messages,
                              .streams = of->target->streams,
                              .secure = of->target->tls != NULL,
                              .insecure = of->target->tls && repeating->insecure,
                              .options = load,
                              .result = result};
}

int repeating_load(const struct repeating *repeating, int side, const struct load_options *load,
                   struct load_result *ret_result, struct error **err) {
  static char *const words[] = {"trammel", "perf", "worker", NULL};
  const struct workers workers = {.words = words, .count = repeating->workers};
  const struct repeating_target *of = &repeating->sides[side];
  return repeating->workers > 0 ? workers_run(&workers, of->options, load, ret_result, err)
                                : load_run(of->target, load, ret_result, err);
}

static int keep_result(const struct turn *turn, const struct load_options *load, const struct load_result *result,
                       struct load_series *series, struct error **err) {
  const struct load_report report = repeating_report(turn->repeating, turn->side, load, result);
  if (!series->results)
    return 0;
  json_t *json = json_pack("{s:s#, s:o}", "of", &side_names[turn->side], 1, "result", load_report_json(&report));
  return json_array_append_new(series->results, json) == 0 ? 0 : error_set(err, ENOMEM, "no memory for a result");
}

/* The errors that most requests had. */
static const char *foremost_error(const struct tally *tally) {
  int most = 0;
  for (int i = 1; i < LOAD_ERROR_COUNT; i++)
    if (tally->errors[i] > tally->errors[most])
      most = i;
  return tally->errors[most] > 0 ? load_error_name((enum load_error)most) : "no answer in time";
}

static char *unanswered(const struct turn *turn, const struct load_result *result) {
  const char *url = turn->repeating->sides[turn->side].url, *why = foremost_error(&result->tally);
  char *text = NULL;
  if (asprintf(&text, "%s: no request was answered (%s)", url, result->problem ? result->problem : why) < 0)
    return NULL;
  return text;
}

/* 0: it is complete; 1: it is not, and there is no use in another one. */
static int run_once(const struct turn *turn, struct load_series *series, struct error **err) {
  const struct repeating *repeating = turn->repeating;
  const struct repeating_target *of = &repeating->sides[turn->side];
  struct load_options load = *repeating->load;
  struct load_result result;
  load.schedule.seed += turn->number;
  int r = repeating_load(repeating, turn->side, &load, &result, err);
  if (r == -ECANCELED)
    return 1;
  if (r < 0)
    return r;
  bool cut = result.doubts & LOAD_DOUBT_CUT, empty = !cut && result.tally.completed == 0;
  if (!cut)
    r = keep_result(turn, &load, &result, series, err);
  if (r == 0 && !cut && !empty)
    r = load_figures_take(of->url, &load, &result, &series->runs[turn->side][turn->number], err);
  if (r == 0 && empty)
    series->problem = unanswered(turn, &result);
  load_result_finish(&result);
  return r < 0 ? r : cut || empty;
}

/* ---- progress */

static void tell_run(FILE *progress, const struct load_figures *figures) {
  fprintf(progress, "p50 %.3f ms, %.1f per second", (double)histogram_quantile(figures->latencies, 0.5) / NS_PER_MS,
          figures->achieved);
  for (unsigned bit = 1; bit <= LOAD_DOUBT_LAST; bit <<= 1)
    if (figures->doubts & bit)
      fprintf(progress, ", INVALID (%s)", load_doubt_name((enum load_doubt)bit));
}

static void tell(FILE *progress, const struct load_series *series, size_t number) {
  fprintf(progress, "%s %zu of %zu: ", series->paired ? "pair" : "run", number + 1, series->planned);
  fputs(series->paired ? "A " : "", progress);
  tell_run(progress, &series->runs[0][number]);
  if (series->paired) {
    fputs("; B ", progress);
    tell_run(progress, &series->runs[1][number]);
  }
  fputc('\n', progress);
  (void)fflush(progress);
}

static void tell_plan(FILE *progress, const struct load_series *series, const struct load_options *load) {
  double run_s = (double)(load->warm_up_ns + load->schedule.duration_ns) / (double)NS_PER_SECOND;
  fprintf(progress, "%zu %s%s, about %.0f s in all\n", series->planned, series->paired ? "pair" : "run",
          series->planned == 1 ? "" : "s", run_s * (double)series->planned * (series->paired ? 2 : 1));
}

int repeating_run(const struct repeating *repeating, FILE *progress, struct load_series *series, struct error **err) {
  int r = 0;
  tell_plan(progress, series, repeating->load);
  for (size_t i = 0; r == 0 && i < series->planned; i++) {
    for (int k = 0; r == 0 && k <= series->paired; k++) {
      const struct turn turn = {.repeating = repeating, .number = i, .side = series->paired && i % 2 == 1 ? 1 - k : k};
      r = run_once(&turn, series, err);
    }
    if (r != 0)
      break;
    series->count++;
    tell(progress, series, i);
  }
  series->cut = r > 0;
  return r < 0 ? r : 0;
}
