#include <inttypes.h>

#include "host/report/emit.h"
#include "host/report/html_page.h"

static void total(struct html *page, unsigned count, const char *what, enum tone tone, const char *symbol) {
  strbuf_printf(&page->out,
                "<li class=\"%s\"><span class=\"symbol\" aria-hidden=\"true\">%s</span> <b>%u</b> %s</li>\n",
                html_tone_class(count > 0 ? tone : TONE_PLAIN), symbol, count, what);
}

static void totals(struct html *page) {
  static const struct {
    enum outcome outcome;
    const char *name;
  } entries[] = {{OUTCOME_PASSED, "passed"},
                 {OUTCOME_FAILED, "failed"},
                 {OUTCOME_ERROR, "not judged"},
                 {OUTCOME_SKIPPED, "skipped"},
                 {OUTCOME_INFORMATIVE, "informative"}};
  const unsigned counts[] = {page->totals.passed, page->totals.failed, page->totals.error, page->totals.skipped,
                             page->totals.informative};
  strbuf_puts(&page->out, "<ul class=\"totals\" aria-label=\"Cases by outcome\">\n");
  for (size_t i = 0; i < ARRAY_COUNT(entries); i++) {
    enum tone tone;
    const char *symbol = html_outcome(entries[i].outcome, &tone);
    total(page, counts[i], entries[i].name, tone, symbol);
  }
  strbuf_puts(&page->out, "</ul>\n");
  if (page->run->not_applicable > 0)
    strbuf_printf(&page->out,
                  "<p class=\"note\">A case counts once for each version it ran in. %u more were not run: "
                  "their version cannot express them.</p>\n",
                  page->run->not_applicable);
}

/* ---- the outcome in one sentence */

static void broken_list(struct html *page) {
  _cleanup_free_ const char **broken = NULL;
  size_t count = 0;
  if (run_broken_requirements(page->run, &broken, &count) < 0) {
    page->out.failed = true;
    return;
  }
  strbuf_puts(&page->out, "<ul class=\"broken\">\n");
  for (size_t i = 0; i < count; i++) {
    strbuf_puts(&page->out, "<li>");
    html_element(&page->out, "b", NULL, broken[i]);
    html_sentence(&page->out, broken[i]);
    strbuf_puts(&page->out, "</li>\n");
  }
  strbuf_puts(&page->out, "</ul>\n");
}

static void headline(struct html *page) {
  _cleanup_free_ const char **broken = NULL;
  size_t count = 0;
  unsigned proved;
  unsigned tested;
  run_requirements(page->run, &proved, &tested);
  if (run_broken_requirements(page->run, &broken, &count) < 0)
    page->out.failed = true;
  switch (page->standing) {
  case STANDING_HOLDS:
    strbuf_printf(&page->out, "All %u requirements hold", tested);
    break;
  case STANDING_PART:
    strbuf_printf(&page->out, "What was tested holds: %u of %u requirements proved", proved, tested);
    break;
  case STANDING_UNJUDGED:
    strbuf_printf(&page->out, "Not fully judged: %u of %u requirements proved", proved, tested);
    break;
  case STANDING_BROKEN:
    if (count > 0)
      strbuf_printf(&page->out, "%zu requirement%s broken", count, count == 1 ? " is" : "s are");
    else
      strbuf_printf(&page->out, "%u case%s failed", page->totals.failed, page->totals.failed == 1 ? "" : "s");
    break;
  }
}

static void early_end(struct html *page) {
  if (!page->run->interrupted)
    return;
  strbuf_puts(&page->out, "<p>The run ended early (");
  html_text(&page->out, page->run->stop_reason ? page->run->stop_reason : "interrupted");
  strbuf_printf(&page->out, "): %zu of %u cases ran.</p>\n", page->run->case_count, page->run->planned);
}

static void verdict(struct html *page) {
  static const struct {
    const char *class;
    enum cell cell;
  } looks[] = {[STANDING_HOLDS] = {"good", CELL_PROVED},
               [STANDING_PART] = {"warn", CELL_SKIPPED},
               [STANDING_UNJUDGED] = {"warn", CELL_UNJUDGED},
               [STANDING_BROKEN] = {"bad", CELL_BROKEN}};
  enum tone tone;
  strbuf_printf(
      &page->out,
      "<div class=\"verdict %s\">\n<p class=\"headline\"><span class=\"symbol\" aria-hidden=\"true\">%s</span> ",
      looks[page->standing].class, html_cell(looks[page->standing].cell, &tone));
  headline(page);
  strbuf_puts(&page->out, "</p>\n");
  if (page->standing == STANDING_BROKEN)
    broken_list(page);
  early_end(page);
  totals(page);
  strbuf_puts(&page->out, "</div>\n");
}

/* ---- what was run */

static void fact(struct html *page, const char *name, const char *value, const char *more) {
  if (!value || value[0] == '\0')
    return;
  strbuf_printf(&page->out, "<li><span class=\"label\">%s</span> <span>", name);
  html_text(&page->out, value);
  if (more && more[0] != '\0') {
    strbuf_putc(&page->out, ' ');
    html_text(&page->out, more);
  }
  strbuf_puts(&page->out, "</span></li>\n");
}

static void facts(struct html *page) {
  const struct run_result *run = page->run;
  char seed[24];
  char time[TIME_TEXT_MAX];
  char duration[DURATION_TEXT_MAX];
  (void)snprintf(seed, sizeof seed, "%" PRIu64, run->seed);
  strbuf_puts(&page->out, "<ul class=\"facts\">\n");
  fact(page, "Mesh", run->mesh_name, run->mesh_version);
  fact(page, "Adapter", run->adapter_id, run->adapter_version);
  fact(page, "Trammel", run->trammel_version, NULL);
  fact(page, "Suite", run->suite, NULL);
  fact(page, "Lab", run->lab, NULL);
  fact(page, "Seed", seed, NULL);
  fact(page, "Started", time_text(run->started_ns, time), NULL);
  fact(page, "Took", duration_text(run->duration_ns, duration), NULL);
  fact(page, "Run", run->id, NULL);
  fact(page, "Adapter’s SHA-256", run->adapter_digest, NULL);
  strbuf_puts(&page->out, "</ul>\n");
  if (!run->command)
    return;
  strbuf_puts(&page->out, "<p class=\"label\">This command runs it again</p>\n");
  html_code(&page->out, run->command);
}

void html_summary(struct html *page) {
  strbuf_puts(&page->out,
              "<header class=\"page\" id=\"top\">\n<p class=\"kicker\">Trammel · SMI conformance report</p>\n<h1>");
  html_text(&page->out, page->run->mesh_name ? page->run->mesh_name : "An unnamed mesh");
  if (page->run->mesh_version && page->run->mesh_version[0] != '\0') {
    strbuf_putc(&page->out, ' ');
    html_element(&page->out, "span", "version", page->run->mesh_version);
  }
  strbuf_puts(&page->out, "</h1>\n");
  verdict(page);
  facts(page);
  strbuf_puts(&page->out, "</header>\n");
}

/* ---- capability */

#define BAR_WIDTH 200

static void bar(struct html *page, unsigned proved, unsigned total_count) {
  strbuf_printf(&page->out,
                "<svg class=\"bar\" viewBox=\"0 0 %d 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
                "<rect class=\"track\" width=\"%d\" height=\"6\" rx=\"3\"/>"
                "<rect class=\"fill\" width=\"%u\" height=\"6\" rx=\"3\"/></svg>\n",
                BAR_WIDTH, BAR_WIDTH, proved * BAR_WIDTH / total_count);
}

/* Who makes SMI work: the mesh or its adapter. */
static void support(struct html *page, enum smi_group group) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  support_describe(&text, page->run->support, page->run->support_count, group);
  page->out.failed = page->out.failed || strbuf_failed(&text);
  if (text.length > 0)
    html_element(&page->out, "p", "support", strbuf_text(&text));
}

static void capability_card(struct html *page, enum smi_group group) {
  static const char *const classes[] = {
      [CAPABILITY_UNTESTED] = "", [CAPABILITY_NONE] = "bad", [CAPABILITY_HALF] = "warn", [CAPABILITY_FULL] = "good"};
  unsigned proved = 0;
  unsigned count = 0;
  enum capability capability = run_capability(page->run, group, &proved, &count);
  if (count == 0)
    return;
  strbuf_printf(&page->out, "<li class=\"card %s\">\n<h3>%s</h3>\n<p class=\"level\">%s</p>\n", classes[capability],
                smi_group_name(group), capability_name(capability));
  bar(page, proved, count);
  strbuf_printf(&page->out, "<p>%u of %u requirements proved</p>\n", proved, count);
  support(page, group);
  strbuf_puts(&page->out, "</li>\n");
}

void html_capability(struct html *page) {
  strbuf_puts(&page->out,
              "<section id=\"capability\" aria-labelledby=\"h-capability\">\n<h2 id=\"h-capability\">Capability</h2>\n"
              "<p class=\"note\">From requirements proved by traffic in every version that was run: full, half or "
              "none, or untested when no case of the run asks for any.</p>\n<ul class=\"cards\">\n");
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++)
    capability_card(page, group);
  strbuf_puts(&page->out, "</ul>\n</section>\n");
}
