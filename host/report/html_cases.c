#include <string.h>

#include "host/report/emit.h"
#include "host/report/html_page.h"

static void section_begin(struct html *page, const char *id, const char *title, unsigned count) {
  strbuf_printf(&page->out, "<section id=\"%s\" aria-labelledby=\"h-%s\">\n<h2 id=\"h-%s\">%s (%u)</h2>\n", id, id, id,
                title, count);
}

static void section_end(struct html *page) {
  strbuf_puts(&page->out, "</section>\n");
}

/* ---- failures, by the requirement that broke first in each */

static bool is_failure_of(const struct case_result *result, const char *requirement) {
  const struct check_result *broken = case_first_broken(result);
  if (result->outcome != OUTCOME_FAILED)
    return false;
  return requirement ? broken && strcmp(broken->check->requirement, requirement) == 0 : !broken;
}

/* NULL for `requirement`: failures of no check. `ret_first` stays true until a case was written. */
static void failures_of(struct html *page, const char *requirement, bool *first) {
  unsigned count = 0;
  for (size_t i = 0; i < page->run->case_count; i++)
    count += is_failure_of(&page->run->cases[i], requirement);
  if (count == 0)
    return;
  strbuf_puts(&page->out, "<h3>");
  html_text(&page->out, requirement ? requirement : "Without a check");
  if (requirement)
    html_sentence(&page->out, requirement);
  strbuf_printf(&page->out, "</h3>\n<p class=\"note\">%u case%s, in which it broke first</p>\n", count,
                count == 1 ? "" : "s");
  for (size_t i = 0; i < page->run->case_count; i++) {
    if (!is_failure_of(&page->run->cases[i], requirement))
      continue;
    html_case(page, &page->run->cases[i], *first);
    *first = false;
  }
}

static void failures(struct html *page) {
  if (page->totals.failed == 0)
    return;
  _cleanup_free_ const char **broken = NULL;
  size_t count = 0;
  if (run_broken_requirements(page->run, &broken, &count) < 0)
    page->out.failed = true;
  bool first = true;
  section_begin(page, "failures", "Failures", page->totals.failed);
  for (size_t i = 0; i < count; i++)
    failures_of(page, broken[i], &first);
  failures_of(page, NULL, &first);
  section_end(page);
}

/* ---- informative cases */

static unsigned count_informative(const struct html *page, bool held) {
  unsigned count = 0;
  for (size_t i = 0; i < page->run->case_count; i++)
    count += page->run->cases[i].outcome == OUTCOME_INFORMATIVE && page->run->cases[i].held == held;
  return count;
}

static void informative_half(struct html *page, bool held) {
  unsigned count = count_informative(page, held);
  if (count == 0)
    return;
  strbuf_printf(&page->out, "<h3>The mesh %s (%u)</h3>\n",
                held ? "does as Trammel reads SMI" : "differs from Trammel’s reading", count);
  for (size_t i = 0; i < page->run->case_count; i++)
    if (page->run->cases[i].outcome == OUTCOME_INFORMATIVE && page->run->cases[i].held == held)
      html_case(page, &page->run->cases[i], false);
}

static void informative(struct html *page) {
  if (page->totals.informative == 0)
    return;
  section_begin(page, "informative", "Informative", page->totals.informative);
  strbuf_puts(&page->out,
              "<p class=\"note\">What SMI leaves open or does not require. A difference is no failure; it is "
              "where meshes are not interchangeable.</p>\n");
  informative_half(page, false);
  informative_half(page, true);
  section_end(page);
}

/* ---- the others */

static void outcome_group(struct html *page, enum outcome outcome, enum smi_group group) {
  unsigned count = 0;
  for (size_t i = 0; i < page->run->case_count; i++)
    count += page->run->cases[i].outcome == outcome && page->run->cases[i].test->group == group;
  if (count == 0)
    return;
  strbuf_printf(&page->out, "<h3>%s (%u)</h3>\n", smi_group_name(group), count);
  for (size_t i = 0; i < page->run->case_count; i++)
    if (page->run->cases[i].outcome == outcome && page->run->cases[i].test->group == group)
      html_case(page, &page->run->cases[i], false);
}

static void others(struct html *page, enum outcome outcome, const char *id, const char *title, unsigned count) {
  if (count == 0)
    return;
  section_begin(page, id, title, count);
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++)
    outcome_group(page, outcome, group);
  section_end(page);
}

void html_findings(struct html *page) {
  failures(page);
  others(page, OUTCOME_ERROR, "unjudged", "Not judged", page->totals.error);
  others(page, OUTCOME_SKIPPED, "skipped", "Skipped", page->totals.skipped);
  informative(page);
}

void html_passed(struct html *page) {
  others(page, OUTCOME_PASSED, "passed", "Passed", page->totals.passed);
}
