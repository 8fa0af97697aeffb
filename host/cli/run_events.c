#include "host/cli/run_events.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "host/report/glyph.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

int run_events_open(struct run_events *events, const char *path, struct error **err) {
  events->out = fopen(path, "we");
  return events->out ? 0 : error_set(err, errno, "--events=%s: %s", path, strerror(errno));
}

/* A line in one write, at once: who reads follows the run. Takes the event. */
static void tell(struct run_events *events, json_t *event) {
  json_auto_t *held = event;
  _cleanup_free_ char *text = held ? json_dumps(held, JSON_COMPACT) : NULL;
  events->lost |= !text;
  if (text)
    (void)fprintf(events->out, "%s\n", text);
  (void)fflush(events->out);
}

static json_t *requirements_of(const struct test_case *test) {
  json_t *list = json_array();
  for (size_t i = 0; i < test->requirement_count; i++)
    (void)json_array_append_new(list, json_string(test->requirements[i]));
  return list;
}

static void on_planned(void *ctx, const struct run_result *run, unsigned planned) {
  struct run_events *events = ctx;
  tell(events, json_pack("{s:s, s:i, s:o}", "type", "planned", "planned", (int)planned, "seed",
                         json_sprintf("%" PRIu64, events->seed)));
  if (events->next.planned)
    events->next.planned(events->next.ctx, run, planned);
}

static void on_started(void *ctx, unsigned slot, const struct test_case *test, const struct case_column *column) {
  struct run_events *events = ctx;
  tell(events, json_pack("{s:s, s:s, s:s}", "type", "caseStarted", "case", test->id, "column", column->label));
  if (events->next.case_started)
    events->next.case_started(events->next.ctx, slot, test, column);
}

static void on_ended(void *ctx, unsigned slot, const struct case_result *result, unsigned done, unsigned planned) {
  struct run_events *events = ctx;
  _cleanup_strbuf_ struct strbuf reason = STRBUF_INIT; /* what a mesh said may be no valid UTF-8 */
  glyph_append_valid(&reason, result->reason ? result->reason : "");
  tell(events, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:o}", "type", "caseEnded", "case", result->test->id,
                         "column", result->column.label, "outcome", outcome_name(result->outcome), "reason",
                         strbuf_text(&reason), "durationMs", (json_int_t)(result->duration_ns / 1000000), "done",
                         (int)done, "planned", (int)planned, "requirements", requirements_of(result->test)));
  if (events->next.case_ended)
    events->next.case_ended(events->next.ctx, slot, result, done, planned);
}

struct runner_listener run_events_listener(struct run_events *events, uint64_t seed,
                                           const struct runner_listener *next) {
  if (!events->out)
    return *next;
  events->seed = seed;
  events->next = *next;
  return (struct runner_listener){
      .ctx = events, .planned = on_planned, .case_started = on_started, .case_ended = on_ended};
}

int run_events_close(struct run_events *events, struct error **err) {
  bool failed = events->lost || (events->out && ferror(events->out) != 0);
  if (events->out && fclose(events->out) != 0)
    failed = true;
  events->out = NULL;
  return failed ? error_set(err, EIO, "not all events could be told") : 0;
}
