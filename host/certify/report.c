#include "host/certify/report.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/engine/journal.h"
#include "host/runner/confinement.h"
#include "sdk/base/clock.h"
#include "sdk/base/utf8.h"

void certify_report_finish(struct certify_report *report) {
  for (size_t i = 0; report->outcomes && i < report->count; i++) {
    struct outcome *outcome = &report->outcomes[i];
    for (size_t j = 0; j < outcome->finding_count; j++)
      finding_finish(&outcome->findings[j]);
    free(outcome->reason);
  }
  free(report->outcomes);
  report->outcomes = NULL;
  report->count = 0;
}

bool certify_report_good(const struct certify_report *report) {
  return report->totals[CERTIFY_FAILED] == 0 && report->totals[CERTIFY_CRASHED] == 0;
}

/* ---- running */

static const struct finding *weightiest(const struct outcome *outcome) {
  const struct finding *found = NULL;
  for (size_t i = 0; i < outcome->finding_count; i++)
    if (!found || outcome->findings[i].verdict > found->verdict)
      found = &outcome->findings[i];
  return found;
}

static bool answers_differ(const struct outcome *outcome) {
  const struct finding *a = &outcome->findings[0], *b = &outcome->findings[1];
  return outcome->check->compared && outcome->finding_count == 2 && *a->answers && *b->answers &&
         strcmp(a->answers, b->answers) != 0;
}

static int conclude(struct outcome *outcome) {
  const struct finding *worst = weightiest(outcome);
  outcome->verdict = worst->verdict;
  bool single = outcome->finding_count == 1 || worst->verdict <= CERTIFY_PASSED || !*worst->reason;
  int n;
  if (worst->verdict < CERTIFY_FAILED && answers_differ(outcome)) {
    outcome->verdict = CERTIFY_FAILED;
    n = asprintf(&outcome->reason, "the answers of the adapter in a child are not those that it gives in-process; they "
                                   "may depend on nothing but what it is asked");
  } else {
    n = asprintf(&outcome->reason, "%s%s%s", single ? "" : certify_place_name(worst->place), single ? "" : ": ",
                 worst->reason);
  }
  if (n < 0)
    outcome->reason = NULL;
  return n < 0 ? -ENOMEM : 0;
}

static int skip(struct outcome *outcome) {
  outcome->verdict = CERTIFY_SKIPPED;
  outcome->reason = strdup("the host refuses to load the adapter, for the reasons above");
  return outcome->reason ? 0 : -ENOMEM;
}

static int run_check(const struct certify_report *report, const struct certify_run *run, size_t number,
                     struct outcome *outcome, struct error **err) {
  const struct certify_check *check = outcome->check;
  int r = 0;
  if (!report->subject->entry.usable && !check->refused_too)
    return skip(outcome);
  for (const enum certify_place *place = check->places; r == 0 && *place; place++) {
    if (run->progress)
      run->progress(run->ctx, check, *place, number);
    r = examine(check, report->subject, *place, report->seed, run->interrupted,
                &outcome->findings[outcome->finding_count], err);
    outcome->finding_count += r == 0;
  }
  return r < 0 ? r : conclude(outcome);
}

static bool wanted(const struct certify_run *run, const struct certify_check *check) {
  const char *const *only = run->only;
  while (only && *only && strcmp(*only, check->id) != 0)
    only++;
  return !only || *only;
}

static int run_all(struct certify_report *report, const struct certify_run *run, struct error **err) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < certify_check_count; i++) {
    if (!wanted(run, &certify_checks[i]))
      continue;
    struct outcome *outcome = &report->outcomes[report->count++];
    outcome->check = &certify_checks[i];
    r = run_check(report, run, i + 1, outcome, err);
    if (r == -ENOMEM)
      r = error_set(err, ENOMEM, "out of memory");
    if (r == 0)
      report->totals[outcome->verdict]++;
  }
  return r;
}

/* With a directory for what checks write. It is that of a run, so that `trammel cleanup` takes it when this program is
 * killed. */
static int run_in_scratch(struct certify_report *report, const struct certify_run *run, struct error **err) {
  _cleanup_free_ char *state = NULL;
  struct journal *journal = NULL;
  int r = state_directory(&state, err);
  if (r == 0)
    r = journal_create(state, &journal, err);
  if (r < 0)
    return r;
  report->subject->scratch = journal_directory(journal);
  r = run_all(report, run, err);
  report->subject->scratch = NULL;
  (void)journal_finish(journal);
  return r;
}

int certify(struct certify_report *report, const struct certify_run *run, struct error **err) {
  report->began_ns = clock_realtime_ns();
  report->outcomes = calloc(certify_check_count, sizeof *report->outcomes);
  int r = report->outcomes ? run_in_scratch(report, run, err) : error_set(err, ENOMEM, "out of memory");
  if (r < 0)
    certify_report_finish(report);
  return r;
}

/* ---- as JSON */

static json_t *finding_json(const struct finding *finding) {
  return json_pack("{s:s, s:s, s:s, s:I}", "place", certify_place_name(finding->place), "verdict",
                   certify_verdict_name(finding->verdict), "reason", finding->reason, "tookMs",
                   (json_int_t)(finding->took_ns / NS_PER_MS));
}

/* Those of the first place that has any; what is counted is the same in all of them. */
static json_t *facts_of(const struct outcome *outcome) {
  for (size_t i = 0; i < outcome->finding_count; i++)
    if (json_object_size(outcome->findings[i].facts))
      return json_incref(outcome->findings[i].facts);
  return json_object();
}

/* Takes `value`. A list that lacks one is none: false. */
static bool append(json_t *list, json_t *value) {
  return list && value && json_array_append_new(list, value) == 0;
}

static json_t *outcome_json(const struct outcome *outcome) {
  json_auto_t *places = json_array();
  for (size_t i = 0; i < outcome->finding_count; i++)
    if (!append(places, finding_json(&outcome->findings[i])))
      return NULL;
  return json_pack("{s:s, s:s, s:s, s:s, s:o, s:O}", "id", outcome->check->id, "proves", outcome->check->proves,
                   "verdict", certify_verdict_name(outcome->verdict), "reason", outcome->reason, "facts",
                   facts_of(outcome), "places", places);
}

static json_t *totals_json(const struct certify_report *report) {
  json_auto_t *totals = json_object();
  for (int v = CERTIFY_SKIPPED; v <= CERTIFY_VERDICT_LAST; v++)
    if (json_object_set_new(totals, certify_verdict_name((enum certify_verdict)v), json_integer(report->totals[v])) < 0)
      return NULL;
  return json_incref(totals);
}

static json_t *adapter_json(const struct subject *subject) {
  const trammel_note *note = &subject->gate.note;
  return json_pack("{s:s, s:s, s:s, s:s, s:{s:i, s:i}}", "id", note->id, "version", note->version, "mesh", note->mesh,
                   "sha256", subject->gate.digest, "abi", "major", (int)note->abi_major, "minor", (int)note->abi_minor);
}

/* Under what the checks were made: with the seed, it is what has to be the same for them to ask the same again. */
static json_t *conditions_json(const struct subject *subject) {
  const struct confinement_offer offer = confinement_offered();
  const char *config = subject->config ? subject->config : "";
  char digest[DIGEST_SIZE];
  if (digest_of(config, strlen(config), digest, NULL) < 0)
    return NULL;
  return json_pack("{s:b, s:{s:b, s:s}}", "confined", offer.landlock > 0 && offer.seccomp, "configuration", "given",
                   (int)subject->configured, "sha256", digest);
}

static void date_text(int64_t ns, char ret_text[32]) {
  time_t seconds = (time_t)(ns / NS_PER_SECOND);
  struct tm time;
  ret_text[0] = '\0';
  if (gmtime_r(&seconds, &time))
    (void)strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%SZ", &time);
}

json_t *certify_report_json(const struct certify_report *report) {
  const struct subject *subject = report->subject;
  char seed[24], date[32];
  (void)snprintf(seed, sizeof seed, "%" PRIu64, report->seed);
  date_text(report->began_ns, date);
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
  utf8_append_safe(&name, report->name, strlen(report->name), "");
  json_auto_t *checks = json_array();
  for (size_t i = 0; i < report->count; i++)
    if (!append(checks, outcome_json(&report->outcomes[i])))
      return NULL;
  return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s}, s:o, s:{s:i, s:i}, s:o, s:o, s:i, s:O}", "format",
                   "trammel.adapter-check/v1", "trammel", report->version, "date", date, "seed", seed, "file", "name",
                   strbuf_text(&name), "kind", subject->packed ? "package" : "shared-object", "sha256", subject->digest,
                   "adapter", adapter_json(subject), "hostAbi", "major", (int)TRAMMEL_ABI_MAJOR, "minor",
                   (int)TRAMMEL_ABI_MINOR, "conditions", conditions_json(subject), "totals", totals_json(report),
                   "exitCode", certify_report_good(report) ? 0 : 1, "checks", checks);
}

/* ---- as text */

/* "partsExact" as "parts exact". */
static void append_words(struct strbuf *out, const char *name) {
  for (; *name; name++) {
    if (*name >= 'A' && *name <= 'Z')
      strbuf_putc(out, ' ');
    strbuf_putc(out, (char)tolower((unsigned char)*name));
  }
}

static void facts_text(const struct outcome *outcome, struct strbuf *out) {
  json_auto_t *facts = facts_of(outcome);
  const char *name, *before = "            ";
  const json_t *value;
  json_object_foreach(facts, name, value) {
    strbuf_puts(out, before);
    append_words(out, name);
    strbuf_printf(out, ": %" JSON_INTEGER_FORMAT, json_integer_value(value));
    before = ", ";
  }
  if (json_object_size(facts))
    strbuf_putc(out, '\n');
}

static void outcome_text(const struct outcome *outcome, struct strbuf *out) {
  static const char *const words[] = {"", "skipped", "passed", "WARNING", "FAILED", "CRASHED"};
  strbuf_printf(out, "%-8s%-14s%s\n", words[outcome->verdict], outcome->check->id, outcome->check->proves);
  if (*outcome->reason)
    strbuf_printf(out, "            %s\n", outcome->reason);
  facts_text(outcome, out);
}

void certify_report_text(const struct certify_report *report, struct strbuf *out) {
  const struct subject *subject = report->subject;
  for (size_t i = 0; i < report->count; i++)
    outcome_text(&report->outcomes[i], out);
  strbuf_printf(out, "\n%s %s, SHA-256 %s\n", subject->gate.note.id, subject->gate.note.version, subject->digest);
  strbuf_printf(out, "%u passed, %u %s, %u failed, %u crashed, %u skipped; ABI %u.%u, Trammel %s, seed %" PRIu64 "\n",
                report->totals[CERTIFY_PASSED], report->totals[CERTIFY_WARNING],
                report->totals[CERTIFY_WARNING] == 1 ? "warning" : "warnings", report->totals[CERTIFY_FAILED],
                report->totals[CERTIFY_CRASHED], report->totals[CERTIFY_SKIPPED], subject->gate.note.abi_major,
                subject->gate.note.abi_minor, report->version, report->seed);
}
