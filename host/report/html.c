#include "host/report/emit.h"
#include "host/report/html_page.h"
#include "host/report/report.h"

static void title(struct html *page) {
  static const char *const words[] = {[STANDING_HOLDS] = "holds",
                                      [STANDING_PART] = "holds in part",
                                      [STANDING_UNJUDGED] = "not fully judged",
                                      [STANDING_BROKEN] = "broken"};
  strbuf_printf(&page->out, "%s: ", words[page->standing]);
  html_text(&page->out, page->run->mesh_name ? page->run->mesh_name : "an unnamed mesh");
  strbuf_puts(&page->out, " – SMI conformance");
}

static void head(struct html *page) {
  html_head_begin(&page->out);
  title(page);
  html_head_end(&page->out, NULL, 0);
}

static void entry(struct html *page, const char *id, const char *name, unsigned count) {
  if (count > 0)
    strbuf_printf(&page->out, "<li><a href=\"#%s\">%s</a> %u</li>\n", id, name, count);
}

static void contents(struct html *page) {
  strbuf_puts(&page->out, "<nav aria-label=\"Contents\">\n<ul>\n<li><a href=\"#capability\">Capability</a></li>\n"
                          "<li><a href=\"#requirements\">Requirements</a></li>\n");
  entry(page, "failures", "Failures", page->totals.failed);
  entry(page, "unjudged", "Not judged", page->totals.error);
  entry(page, "skipped", "Skipped", page->totals.skipped);
  entry(page, "informative", "Informative", page->totals.informative);
  if (html_has_readings(page))
    strbuf_puts(&page->out, "<li><a href=\"#readings\">Interpretations</a></li>\n");
  if (page->totals.passed + page->totals.failed + page->totals.informative > 0)
    strbuf_puts(&page->out, "<li><a href=\"#propagation\">Propagation</a></li>\n");
  entry(page, "passed", "Passed", page->totals.passed);
  strbuf_puts(&page->out, "<li><a href=\"#index\">Cases by requirement</a></li>\n</ul>\n</nav>\n");
}

static void body(struct html *page) {
  strbuf_puts(&page->out, "<body>\n<a class=\"skip\" href=\"#main\">To the results</a>\n");
  html_summary(page);
  contents(page);
  strbuf_puts(&page->out, "<main id=\"main\">\n");
  html_capability(page);
  html_matrix(page);
  html_findings(page);
  html_readings(page);
  html_propagation(page);
  html_passed(page);
  html_index(page);
  strbuf_puts(&page->out, "</main>\n<footer><p>Written by Trammel ");
  html_text(&page->out, page->run->trammel_version);
  strbuf_puts(&page->out, ". <a href=\"#top\">To the top</a></p></footer>\n</body>\n</html>\n");
}

int report_html(const struct run_result *run, FILE *out) {
  _cleanup_matrix_ struct matrix matrix = {0};
  int r = matrix_build(run, &matrix);
  if (r < 0)
    return r;
  struct html page = {
      .out = STRBUF_INIT, .run = run, .matrix = matrix, .totals = run_totals(run), .standing = run_standing(run)};
  head(&page);
  body(&page);
  r = emit(&page.out, out);
  strbuf_finish(&page.out);
  return r;
}
