#include <string.h>

#include "host/report/html_page.h"

bool html_has_readings(const struct html *page) {
  for (int number = 1; number <= interpretation_last(); number++)
    if (run_takes_interpretation(page->run, number))
      return true;
  return false;
}

static bool takes(const struct case_result *result, int number) {
  for (size_t i = 0; i < result->test->interpretation_count; i++)
    if (result->test->interpretations[i] == number)
      return true;
  return false;
}

/* The same case in its next version, which came out the same. */
static bool is_like(const struct case_result *result, const struct case_result *next) {
  return strcmp(result->test->id, next->test->id) == 0 && result->outcome == next->outcome &&
         result->held == next->held;
}

/* A link for each case, and for how many versions it stands. */
static void reading_cases(struct html *page, int number) {
  const struct run_result *run = page->run;
  for (size_t i = 0, next; i < run->case_count; i = next) {
    next = i + 1;
    if (!takes(&run->cases[i], number))
      continue;
    while (next < run->case_count && takes(&run->cases[next], number) && is_like(&run->cases[i], &run->cases[next]))
      next++;
    html_case_link(page, &run->cases[i]);
    if (next - i > 1)
      strbuf_printf(&page->out, "<span>in %zu versions</span>\n", next - i);
  }
}

static void reading(struct html *page, const struct interpretation *interpretation) {
  strbuf_printf(&page->out, "<h3>%d. ", interpretation->number);
  html_prose(&page->out, interpretation->title);
  strbuf_puts(&page->out, "</h3>\n<p>");
  html_prose(&page->out, interpretation->text);
  strbuf_puts(&page->out, "</p>\n<p class=\"entries\">\n");
  reading_cases(page, interpretation->number);
  strbuf_puts(&page->out, "</p>\n");
}

void html_readings(struct html *page) {
  if (!html_has_readings(page))
    return;
  strbuf_puts(&page->out,
              "<section id=\"readings\" aria-labelledby=\"h-readings\">\n<h2 id=\"h-readings\">"
              "Interpretations</h2>\n<p class=\"note\">What SMI leaves open, how Trammel reads it, and what the "
              "mesh does in the cases that rely on it.</p>\n");
  for (int number = 1; number <= interpretation_last(); number++)
    if (run_takes_interpretation(page->run, number))
      reading(page, interpretation_find(number));
  strbuf_puts(&page->out, "</section>\n");
}
