#include <inttypes.h>

#include "host/report/emit.h"
#include "host/report/html_page.h"

size_t html_case_number(const struct html *page, const struct case_result *result) {
  return (size_t)(result - page->run->cases) + 1;
}

/* ---- the line that stands for a case while it is closed */

struct look {
  const char *symbol;
  const char *word;
  enum tone tone;
};

/* An informative case that the mesh takes otherwise is told apart from one that it takes as Trammel does. */
static struct look look_of(const struct case_result *result) {
  static const char *const words[] = {[OUTCOME_PASSED] = "passed",
                                      [OUTCOME_FAILED] = "failed",
                                      [OUTCOME_SKIPPED] = "skipped",
                                      [OUTCOME_INFORMATIVE] = "agrees",
                                      [OUTCOME_ERROR] = "not judged"};
  struct look look = {.word = words[result->outcome]};
  look.symbol = html_outcome(result->outcome, &look.tone);
  if (result->outcome == OUTCOME_INFORMATIVE && !result->held)
    look = (struct look){.symbol = "≠", .word = "differs", .tone = TONE_WARNING};
  return look;
}

static void state(struct html *page, const struct case_result *result) {
  struct look look = look_of(result);
  strbuf_printf(&page->out, "<span class=\"state %s\"><span class=\"symbol\" aria-hidden=\"true\">%s</span> %s</span> ",
                html_tone_class(look.tone), look.symbol, look.word);
}

void html_case_link(struct html *page, const struct case_result *result) {
  struct look look = look_of(result);
  strbuf_printf(&page->out,
                "<span class=\"entry\"><span class=\"symbol %s\" aria-hidden=\"true\">%s</span><span "
                "class=\"vh\">%s</span> <a href=\"#c%zu\">",
                html_tone_class(look.tone), look.symbol, look.word, html_case_number(page, result));
  html_text(&page->out, result->test->id);
  strbuf_puts(&page->out, "<span class=\"vh\"> ");
  html_text(&page->out, result->column.label);
  strbuf_puts(&page->out, "</span></a></span>\n");
}

/* What there is to say of the case in one line. */
static void remark(struct html *page, const struct case_result *result) {
  const struct check_result *broken = case_first_broken(result);
  strbuf_puts(&page->out, "<span class=\"remark\">");
  if (result->outcome == OUTCOME_FAILED && broken) {
    html_element(&page->out, "b", NULL, broken->check->requirement);
    strbuf_puts(&page->out, " expected: ");
    html_text(&page->out, broken->expected);
    strbuf_puts(&page->out, "; seen: ");
    html_text(&page->out, broken->seen);
  } else if (result->reason && result->outcome != OUTCOME_INFORMATIVE) {
    html_text(&page->out, result->reason);
  } else {
    html_prose(&page->out, result->test->title);
  }
  strbuf_puts(&page->out, "</span>");
}

static void summary_line(struct html *page, const struct case_result *result) {
  strbuf_puts(&page->out, "<summary>");
  state(page, result);
  html_element(&page->out, "code", NULL, result->test->id);
  strbuf_putc(&page->out, ' ');
  html_element(&page->out, "span", "column", result->column.label);
  remark(page, result);
  strbuf_puts(&page->out, "</summary>\n");
}

/* ---- what is in it */

static bool has_text(const char *text) {
  return text && text[0] != '\0';
}

static void term(struct html *page, const char *name, const char *text) {
  if (!has_text(text))
    return;
  strbuf_printf(&page->out, "<dt>%s</dt><dd>", name);
  html_prose(&page->out, text);
  strbuf_puts(&page->out, "</dd>\n");
}

static void requirement(struct html *page, const char *id) {
  html_element(&page->out, "b", NULL, id);
  html_sentence(&page->out, id);
}

static void requirements(struct html *page, const struct case_result *result) {
  strbuf_puts(&page->out, "<dt>Requirements</dt>");
  for (size_t i = 0; i < result->test->requirement_count; i++) {
    strbuf_puts(&page->out, "<dd>");
    requirement(page, result->test->requirements[i]);
    strbuf_puts(&page->out, "</dd>\n");
  }
}

/* A report that was read back may name readings that this program does not know. */
static void readings(struct html *page, const struct case_result *result) {
  const struct test_case *test = result->test;
  if (test->interpretation_count == 0)
    return;
  strbuf_puts(&page->out, "<dt>Reads SMI so</dt>");
  for (size_t i = 0; i < test->interpretation_count; i++) {
    const struct interpretation *known = interpretation_find(test->interpretations[i]);
    strbuf_printf(&page->out, "<dd><b>%d%s", test->interpretations[i], known ? ". " : "");
    html_prose(&page->out, known ? known->title : NULL);
    strbuf_puts(&page->out, known ? ".</b> " : "</b>");
    html_prose(&page->out, known ? known->text : NULL);
    strbuf_puts(&page->out, "</dd>\n");
  }
}

static void times(struct html *page, const struct case_result *result) {
  strbuf_puts(&page->out, "<dt>In force after</dt><dd>");
  if (result->propagation_ns >= 0)
    html_duration(&page->out, result->propagation_ns);
  else
    strbuf_puts(&page->out, "it never settled");
  strbuf_puts(&page->out, "</dd>\n<dt>Took</dt><dd>");
  html_duration(&page->out, result->duration_ns);
  strbuf_puts(&page->out, "</dd>\n");
}

static void check(struct html *page, const struct case_result *result, const struct check_result *check) {
  enum tone tone;
  const char *symbol = html_cell(check->held ? CELL_PROVED : CELL_BROKEN, &tone);
  strbuf_printf(
      &page->out,
      "<div class=\"check %s\">\n<p><span class=\"state %s\"><span class=\"symbol\" aria-hidden=\"true\">%s</span> "
      "%s</span> ",
      html_tone_class(tone), html_tone_class(tone), symbol, check->held ? "held" : "broken");
  if (result->test->step_count > 1)
    strbuf_printf(&page->out, "step %u, ", check->step + 1);
  requirement(page, check->check->requirement);
  strbuf_puts(&page->out, "</p>\n");
  if (has_text(check->expected) || has_text(check->seen)) {
    strbuf_puts(&page->out, "<dl>");
    term(page, "Expected", check->expected);
    term(page, "Seen", check->seen);
    strbuf_puts(&page->out, "</dl>\n");
  }
  html_json(&page->out, "Evidence", check->evidence);
  strbuf_puts(&page->out, "</div>\n");
}

static size_t count_held(const struct case_result *result) {
  size_t count = 0;
  for (size_t i = 0; i < result->check_count; i++)
    count += result->checks[i].held;
  return count;
}

/* The broken ones are to be seen at once. */
static void checks(struct html *page, const struct case_result *result) {
  for (size_t i = 0; i < result->check_count; i++)
    if (!result->checks[i].held)
      check(page, result, &result->checks[i]);
  size_t held = count_held(result);
  if (held == 0)
    return;
  strbuf_printf(&page->out, "<details class=\"more\"><summary>%zu check%s that held</summary>\n", held,
                held == 1 ? "" : "s");
  for (size_t i = 0; i < result->check_count; i++)
    if (result->checks[i].held)
      check(page, result, &result->checks[i]);
  strbuf_puts(&page->out, "</details>\n");
}

static void reproduction(struct html *page, const struct case_result *result) {
  if (!page->run->reproduce)
    return;
  _cleanup_strbuf_ struct strbuf command = STRBUF_INIT;
  append_reproduction(&command, page->run, result);
  page->out.failed = page->out.failed || strbuf_failed(&command);
  strbuf_puts(&page->out, "<p class=\"label\">See it again</p>\n");
  html_code(&page->out, strbuf_text(&command));
}

/* <dl> must not be empty. */
static void explanation(struct html *page, const struct case_result *result) {
  const char *reason = result->outcome == OUTCOME_FAILED && result->check_count > 0 ? NULL : result->reason;
  if (!has_text(result->test->why) && !has_text(reason) && !has_text(result->cause))
    return;
  strbuf_puts(&page->out, "<dl>\n");
  term(page, "Why", result->test->why);
  term(page, "Reason", reason);
  term(page, "Likely cause", result->cause);
  strbuf_puts(&page->out, "</dl>\n");
}

static void body(struct html *page, const struct case_result *result) {
  strbuf_puts(&page->out, "<p class=\"title\">");
  html_prose(&page->out, result->test->title);
  strbuf_puts(&page->out, "</p>\n");
  explanation(page, result);
  checks(page, result);
  html_yaml(&page->out, "Native objects in force", result->objects);
  html_yaml(&page->out, "SMI resources", result->resources);
  html_yaml(&page->out, "What the adapter says of its translation", result->coverage);
  strbuf_puts(&page->out, "<dl>\n");
  requirements(page, result);
  readings(page, result);
  times(page, result);
  strbuf_puts(&page->out, "</dl>\n");
  if (result->outcome != OUTCOME_PASSED)
    reproduction(page, result);
}

void html_case(struct html *page, const struct case_result *result, bool open) {
  strbuf_printf(&page->out, "<details class=\"case\" id=\"c%zu\"%s>\n", html_case_number(page, result),
                open ? " open=\"\"" : "");
  summary_line(page, result);
  strbuf_puts(&page->out, "<div class=\"body\">\n");
  body(page, result);
  strbuf_puts(&page->out, "</div>\n</details>\n");
}
