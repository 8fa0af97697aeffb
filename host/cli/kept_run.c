#include "host/cli/kept_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/report/report.h"
#include "host/report/report_read.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

#define HEAD_FORMAT "trammel.kept-run/v1"

void kept_run_finish(struct kept_run *kept) {
  if (kept->empty)
    results_discard(kept->results);
  else
    results_close(kept->results);
  report_read_free(kept->before);
  for (int i = 0; i < kept->argc; i++)
    free(kept->argv[i]);
  free(kept->argv);
  free(kept->done);
  json_decref(kept->head);
  error_free(kept->failure);
  *kept = (struct kept_run){0};
}

/* ---- the first line */

static json_t *digest_text(uint64_t digest) {
  return json_sprintf("%016" PRIx64, digest);
}

static json_t *texts(int count, const char *const *words) {
  json_t *list = json_array();
  for (int i = 0; list && i < count; i++)
    if (json_array_append_new(list, json_string(words[i])) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

int kept_run_begin(struct kept_run *kept, const char *state_directory, const struct run_result *run,
                   const struct run_facts *facts, int count, const char *const *words, struct error **err) {
  json_auto_t *head = json_pack("{s:s, s:o*, s:o*, s:o*, s:i, s:o*}", "format", HEAD_FORMAT, "words",
                                texts(count, words), "suiteDigest", digest_text(suite_digest(facts->suite)),
                                "planDigest", digest_text(plan_digest(facts->plan)), "planned", (int)facts->plan->count,
                                "report", report_json_value(run));
  if (!head || json_object_size(head) != 6)
    return error_set(err, ENOMEM, "keeping results: no memory, or an option is no UTF-8");
  kept->started_ns = clock_monotonic_ns();
  kept->empty = true;
  int r = results_prune(state_directory, false, false, NULL, NULL, err);
  return r < 0 ? r : results_create(state_directory, run->id, head, &kept->results, err);
}

/* ---- reading */

/* The command line, and the seed, which it need not have. */
static int read_words(struct kept_run *kept) {
  static char program[] = "trammel conformance run";
  const json_t *words = json_object_get(kept->head, "words");
  size_t count = json_array_size(words);
  kept->argv = calloc(count + 4, sizeof(*kept->argv));
  if (!kept->argv)
    return -ENOMEM;
  kept->argv[kept->argc++] = strdup(program);
  for (size_t i = 0; i < count; i++) {
    const char *word = json_string_value(json_array_get(words, i));
    kept->argv[kept->argc++] = word ? strdup(word) : NULL;
    if (!kept->argv[kept->argc - 1])
      return word ? -ENOMEM : -EINVAL;
  }
  kept->argv[kept->argc++] = strdup("--seed");
  if (asprintf(&kept->argv[kept->argc], "%" PRIu64, kept->before->seed) < 0)
    return -ENOMEM;
  kept->argc++;
  return kept->argv[0] && kept->argv[kept->argc - 2] ? 0 : -ENOMEM;
}

static int64_t elapsed_of(const json_t *line) {
  return json_integer_value(json_object_get(line, "elapsedNs"));
}

static bool is_same_case(const json_t *a, const json_t *b) {
  return json_equal(json_object_get(a, "id"), json_object_get(b, "id")) &&
         json_equal(json_object_get(a, "column"), json_object_get(b, "column"));
}

/* Puts a case in the place of an earlier result of the same, which could not be judged then. */
static int put_case(json_t *cases, json_t *result) {
  for (size_t i = 0; i < json_array_size(cases); i++)
    if (is_same_case(json_array_get(cases, i), result))
      return json_array_set(cases, i, result);
  return json_array_append(cases, result);
}

/* One report of the first line and all results. */
static int read_report(struct kept_run *kept, const json_t *lines, struct diagnostics *diagnostics) {
  json_t *report = json_object_get(kept->head, "report");
  json_t *cases = json_object_get(report, "cases");
  size_t i;
  json_t *line;
  if (!json_is_array(cases))
    return -EINVAL;
  json_array_foreach(lines, i, line) {
    json_t *result = json_object_get(line, "case");
    if (!json_is_object(result))
      return -EINVAL;
    if (put_case(cases, result) < 0)
      return -ENOMEM;
    if (elapsed_of(line) > kept->spent_ns)
      kept->spent_ns = elapsed_of(line);
  }
  _cleanup_free_ char *text = json_dumps(report, JSON_COMPACT);
  return text ? report_read("the kept results", text, strlen(text), diagnostics, &kept->before) : -ENOMEM;
}

int kept_run_open(const char *state_directory, const char *id, struct kept_run *kept, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  json_auto_t *lines = NULL;
  int r = results_open(state_directory, id, &kept->results, &kept->head, &lines, err);
  if (r < 0)
    return r;
  const char *format = json_string_value(json_object_get(kept->head, "format"));
  r = format && strcmp(format, HEAD_FORMAT) == 0 ? read_report(kept, lines, diagnostics) : -EINVAL;
  if (r == 0)
    r = read_words(kept);
  diagnostics_print(diagnostics, stderr);
  if (r < 0)
    return error_set(err, -r, "what is kept of run %s cannot be gone on with: %s", results_id(kept->results),
                     r == -ENOMEM ? "no memory" : "another version of Trammel wrote it, or it is damaged");
  kept->started_ns = clock_monotonic_ns();
  return 0;
}

/* ---- is it the same run? */

static void differ(struct strbuf *differences, const char *what) {
  strbuf_printf(differences, "%s%s", differences->length > 0 ? ", " : "", what);
}

static bool same_digest(const json_t *head, const char *key, uint64_t digest) {
  json_auto_t *now = digest_text(digest);
  return json_equal(json_object_get(head, key), now);
}

static void find_differences(const struct kept_run *kept, const struct run_facts *facts, struct strbuf *differences) {
  const struct run_result *before = kept->before;
  if (strcmp(before->trammel_version, TRAMMEL_VERSION) != 0)
    differ(differences, "the version of Trammel");
  if (strcmp(before->adapter_id, facts->entry->id) != 0 || !before->adapter_digest ||
      strcmp(before->adapter_digest, facts->entry->digest) != 0)
    differ(differences, "the adapter's file");
  if (!json_equal(before->config, facts->config))
    differ(differences, "the adapter's configuration");
  if (!same_digest(kept->head, "suiteDigest", suite_digest(facts->suite)))
    differ(differences, "the content of the suite");
  if (!same_digest(kept->head, "planDigest", plan_digest(facts->plan)))
    differ(differences, "the selected cases");
}

static const struct case_result *find_result(const struct run_result *run, const struct job *job) {
  for (size_t i = 0; run && i < run->case_count; i++)
    if (strcmp(run->cases[i].test->id, job->test->id) == 0 &&
        strcmp(run->cases[i].column.label, job->column.label) == 0)
      return &run->cases[i];
  return NULL;
}

int kept_run_match(struct kept_run *kept, const struct run_facts *facts, struct error **err) {
  _cleanup_strbuf_ struct strbuf differences = STRBUF_INIT;
  find_differences(kept, facts, &differences);
  if (differences.length > 0)
    return error_set(err, EINVAL, "run %s cannot be gone on with, something is not as it was: %s",
                     results_id(kept->results), strbuf_text(&differences));
  kept->done = calloc(facts->plan->count + 1, sizeof(*kept->done));
  if (!kept->done)
    return error_set(err, ENOMEM, "going on with a run: no memory");
  for (size_t i = 0; i < facts->plan->count; i++) {
    const struct case_result *result = find_result(kept->before, &facts->plan->jobs[i]);
    kept->done[i] = result && result->outcome != OUTCOME_ERROR;
    kept->done_count += kept->done[i];
  }
  return 0;
}

/* ---- while it goes on */

static void keep_case(struct kept_run *kept, const struct case_result *result) {
  int64_t elapsed_ns = kept->spent_ns + clock_monotonic_ns() - kept->started_ns;
  json_auto_t *line = json_pack("{s:I, s:o*}", "elapsedNs", (json_int_t)elapsed_ns, "case", report_json_case(result));
  struct error *reason = NULL;
  if (!line || json_object_size(line) != 2)
    (void)error_set(&reason, ENOMEM, "keeping results: no memory");
  else if (results_add(kept->results, line, &reason) == 0)
    kept->empty = false;
  if (!reason)
    return;
  if (kept->failure) /* the first one is told at the end */
    error_free(reason);
  else
    kept->failure = reason;
}

static void on_planned(void *ctx, const struct run_result *run, unsigned planned) {
  const struct kept_run *kept = ctx;
  if (kept->next.planned)
    kept->next.planned(kept->next.ctx, run, planned);
}

static void on_started(void *ctx, unsigned slot, const struct test_case *test, const struct case_column *column) {
  const struct kept_run *kept = ctx;
  if (kept->next.case_started)
    kept->next.case_started(kept->next.ctx, slot, test, column);
}

/* A gap in what is kept costs nothing but that a case is done again. */
static void on_ended(void *ctx, unsigned slot, const struct case_result *result, unsigned done, unsigned planned) {
  struct kept_run *kept = ctx;
  if (kept->results)
    keep_case(kept, result);
  if (kept->next.case_ended)
    kept->next.case_ended(kept->next.ctx, slot, result, done, planned);
}

struct runner_listener kept_run_listener(struct kept_run *kept, const struct runner_listener *next) {
  kept->next = *next;
  return (struct runner_listener){
      .ctx = kept, .planned = on_planned, .case_started = on_started, .case_ended = on_ended};
}

/* ---- the end */

int kept_run_whole(const struct kept_run *kept, const struct plan *plan, const struct run_result *now,
                   struct run_result *ret_whole, struct case_result **ret_cases) {
  struct run_result whole = *kept->before;
  struct case_result *cases = calloc(plan->count + 1, sizeof(*cases));
  if (!cases)
    return -ENOMEM;
  whole.cases = cases;
  whole.case_count = 0;
  for (size_t i = 0; i < plan->count; i++) {
    const struct case_result *result = find_result(now, &plan->jobs[i]);
    if (!result)
      result = find_result(kept->before, &plan->jobs[i]);
    if (result)
      cases[whole.case_count++] = *result;
  }
  whole.source = plan->suite;
  whole.duration_ns = kept->spent_ns + now->duration_ns;
  whole.interrupted = now->interrupted;
  whole.stop_reason = now->stop_reason;
  *ret_whole = whole;
  *ret_cases = cases;
  return 0;
}

bool kept_run_end(struct kept_run *kept, bool keep) {
  if (!kept->results)
    return false;
  if (kept->failure)
    fprintf(stderr, "trammel: %s\n", error_message(kept->failure));
  if (keep)
    results_close(take(kept->results));
  else
    results_discard(take(kept->results));
  return keep;
}
