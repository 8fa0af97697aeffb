#include "host/report/load_html.h"

#include <errno.h>
#include <string.h>

#include "host/report/emit.h"
#include "host/report/html_page.h"
#include "sdk/base/utf8.h"

extern const unsigned char html_load_style_sheet[]; /* html_load.css */
extern const size_t html_load_style_sheet_length;

/* ---- names */

static void name_run(const struct load_page *page, size_t i, char name[LOAD_RUN_NAME_MAX]) {
  const struct load_report *report = &page->reports[i];
  char text[LOAD_RUN_NAME_MAX];
  int length = page->count == 1 ? snprintf(text, sizeof(text), "%s %s", report->method, report->url)
                                : snprintf(text, sizeof(text), "%zu: %s %s", i + 1, report->method, report->url);
  size_t whole = utf8_fit(text, strlen(text), LOAD_RUN_NAME_MAX - sizeof "…");
  (void)snprintf(name, LOAD_RUN_NAME_MAX, "%.*s%s", (int)whole, text, whole < (size_t)length ? "…" : "");
}

/* ---- what was run, and whether to believe it */

static void fact(struct load_page *page, const char *name, const char *value) {
  strbuf_printf(&page->out, "<li><span class=\"label\">%s</span> <span>", name);
  html_text(&page->out, value);
  strbuf_puts(&page->out, "</span></li>\n");
}

static const char *schedule_text(const struct load_report *report, char *text, size_t size) {
  const struct schedule *schedule = &report->options->schedule;
  if (load_report_is_closed(report))
    return "closed loop: each answer is followed by the next request";
  (void)snprintf(text, size, "%s, %s%g requests per second", schedule_kind_name(schedule->kind),
                 schedule->kind == SCHEDULE_CONSTANT  ? ""
                 : schedule->kind == SCHEDULE_POISSON ? "on average "
                                                      : "from ",
                 schedule->rate);
  return text;
}

static void facts(struct load_page *page, const struct load_report *report) {
  const struct load_options *options = report->options;
  const struct load_result *result = report->result;
  char text[128], time[TIME_TEXT_MAX];
  strbuf_puts(&page->out, "<ul class=\"facts\">\n");
  fact(page, "Protocol", report->protocol);
  (void)snprintf(text, sizeof(text), "%u on %u thread%s", options->connections, options->threads,
                 options->threads == 1 ? "" : "s");
  fact(page, "Connections", text);
  if (report->streams > 1) {
    (void)snprintf(text, sizeof(text), "%u", report->streams);
    fact(page, "Streams of each", text);
  }
  if (result->begun_ns > 0)
    fact(page, "Started", time_text(result->begun_ns, time));
  (void)snprintf(text, sizeof(text), "%.3f s", load_seconds(result->measured_ns));
  fact(page, "Measured", text);
  (void)snprintf(text, sizeof(text), "%.1f per second", result->achieved_rate);
  fact(page, "Ended", text);
  (void)snprintf(text, sizeof(text), "%.1f%% busy", 100 * result->busy);
  fact(page, "Generator", text);
  fact(page, "Trammel", report->version);
  fact(page, "Latency",
       load_report_is_closed(report) ? "service: from sent to answered" : "response: from due to answered");
  fact(page, "Schedule", schedule_text(report, text, sizeof(text)));
  strbuf_puts(&page->out, "</ul>\n");
}

static void doubts(struct load_page *page, const struct load_result *result) {
  strbuf_puts(&page->out, "<ul class=\"broken\">\n");
  for (unsigned doubt = 1; doubt <= LOAD_DOUBT_LAST; doubt <<= 1) {
    if (!(result->doubts & doubt))
      continue;
    strbuf_puts(&page->out, "<li>");
    html_element(&page->out, "b", NULL, load_doubt_name(doubt));
    strbuf_putc(&page->out, ' ');
    html_text(&page->out, load_doubt_text(doubt));
    strbuf_puts(&page->out, "</li>\n");
  }
  strbuf_puts(&page->out, "</ul>\n");
}

static void verdict(struct load_page *page, size_t i) {
  const struct load_report *report = &page->reports[i];
  bool valid = report->result->doubts == 0;
  strbuf_printf(
      &page->out,
      "<div class=\"verdict %s\">\n<p class=\"headline\"><span class=\"symbol\" aria-hidden=\"true\">%s</span> "
      "%s</p>\n",
      valid ? "good" : "bad", valid ? "✓" : "✗",
      valid ? "Valid: the numbers tell of the target" : "Invalid: the numbers do not tell of the target");
  if (page->count > 1)
    html_element(&page->out, "p", NULL, page->names[i]);
  if (report->result->problem)
    html_element(&page->out, "p", NULL, report->result->problem);
  if (!valid)
    doubts(page, report->result);
  if (report->insecure)
    strbuf_puts(&page->out,
                "<p><b>Insecure</b>: whoever answered was taken for the target, no certificate was checked.</p>\n");
  strbuf_puts(&page->out, "</div>\n");
}

static void runs(struct load_page *page) {
  strbuf_puts(&page->out, "<div class=\"runs\">\n");
  for (size_t i = 0; i < page->count; i++) {
    verdict(page, i);
    facts(page, &page->reports[i]);
  }
  strbuf_puts(&page->out, "</div>\n");
}

static void heading(struct load_page *page) {
  if (page->count > 1)
    strbuf_printf(&page->out, "%zu runs of load", page->count);
  else
    html_text(&page->out, page->names[0]);
}

static void top(struct load_page *page) {
  strbuf_puts(
      &page->out,
      "<header class=\"page\" id=\"top\">\n<p class=\"kicker\">Trammel · load report</p>\n<h1 class=\"target\">");
  heading(page);
  strbuf_puts(&page->out, "</h1>\n");
  runs(page);
  strbuf_puts(&page->out, "</header>\n"
                          "<nav aria-label=\"Contents\">\n<ul>\n<li><a href=\"#latency\">Latency</a></li>\n"
                          "<li><a href=\"#time\">Over time</a></li>\n<li><a href=\"#counts\">Requests</a></li>\n"
                          "</ul>\n</nav>\n");
}

/* ---- the page */

static void section(struct load_page *page, const char *id, const char *title,
                    void (*const *parts)(struct load_page *page)) {
  strbuf_printf(&page->out, "<section id=\"%s\" aria-labelledby=\"h-%s\">\n<h2 id=\"h-%s\">%s</h2>\n", id, id, id,
                title);
  for (; *parts; parts++)
    (*parts)(page);
  strbuf_puts(&page->out, "</section>\n");
}

static void body(struct load_page *page) {
  static void (*const latency[])(struct load_page * page) = {load_html_charts_of_latency, load_html_latencies, NULL};
  static void (*const time[])(struct load_page * page) = {load_html_charts_over_time, load_html_blocks, NULL};
  static void (*const counts[])(struct load_page * page) = {load_html_counts, NULL};
  strbuf_puts(&page->out, "<body>\n<a class=\"skip\" href=\"#main\">To the results</a>\n");
  top(page);
  strbuf_puts(&page->out, "<main id=\"main\">\n");
  section(page, "latency", "Latency", latency);
  section(page, "time", "Over time", time);
  section(page, "counts", "Requests", counts);
  strbuf_puts(&page->out, "</main>\n<footer><p>Written by Trammel. <a href=\"#top\">To the top</a></p></footer>\n"
                          "</body>\n</html>\n");
}

int load_report_html(const struct load_report *reports, size_t count, FILE *out) {
  struct load_page page = {.out = STRBUF_INIT, .reports = reports, .count = count};
  if (count < 1 || count > LOAD_HTML_RUNS_MAX)
    return -EINVAL;
  for (size_t i = 0; i < count; i++)
    name_run(&page, i, page.names[i]);
  html_head_begin(&page.out);
  heading(&page);
  strbuf_puts(&page.out, " – load");
  html_head_end(&page.out, html_load_style_sheet, html_load_style_sheet_length);
  body(&page);
  int r = emit(&page.out, out);
  strbuf_finish(&page.out);
  return r;
}
