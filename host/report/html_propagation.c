#include <string.h>

#include "host/report/html_page.h"
#include "host/report/propagation.h"

#define GROUPS (SMI_METRICS + 1)

static bool has_any(const struct propagation *propagation) {
  return propagation->settled + propagation->never > 0;
}

static void table_begin(struct html *page, const char *id, const char *caption) {
  strbuf_printf(&page->out,
                "<div class=\"scroll\" role=\"region\" aria-labelledby=\"%s\" tabindex=\"0\">\n"
                "<table class=\"numbers\">\n<caption id=\"%s\">%s</caption>\n",
                id, id, caption);
}

static void time_cell(struct html *page, const struct propagation *propagation, int64_t time_ns) {
  strbuf_puts(&page->out, "<td>");
  if (propagation->settled > 0)
    html_duration(&page->out, time_ns);
  else
    strbuf_puts(&page->out, "–");
  strbuf_puts(&page->out, "</td>");
}

static void times(struct html *page, const struct propagation *groups) {
  table_begin(page, "t-times", "Times by group");
  strbuf_puts(
      &page->out,
      "<thead><tr><th scope=\"col\">Group</th><th scope=\"col\">Cases</th><th scope=\"col\">Median</th>"
      "<th scope=\"col\">p90</th><th scope=\"col\">Longest</th><th scope=\"col\">Never</th></tr></thead>\n<tbody>\n");
  for (enum smi_group group = SMI_ACCESS; group < GROUPS; group++) {
    const struct propagation *propagation = &groups[group];
    if (!has_any(propagation))
      continue;
    strbuf_printf(&page->out, "<tr><th scope=\"row\">%s</th><td>%u</td>", smi_group_name(group),
                  propagation->settled + propagation->never);
    time_cell(page, propagation, propagation->median_ns);
    time_cell(page, propagation, propagation->p90_ns);
    time_cell(page, propagation, propagation->max_ns);
    strbuf_printf(&page->out, "<td%s>%u</td></tr>\n", propagation->never > 0 ? " class=\"bad\"" : "",
                  propagation->never);
  }
  strbuf_puts(&page->out, "</tbody>\n</table>\n</div>\n");
}

/* ---- the histogram: a row for each bucket, a column for each group */

#define BAR_WIDTH 60

static void bar_cell(struct html *page, unsigned count, unsigned most, bool never) {
  strbuf_printf(&page->out,
                "<td><span>%u</span><svg class=\"bar%s\" viewBox=\"0 0 %d 6\" preserveAspectRatio=\"none\" "
                "aria-hidden=\"true\"><rect class=\"fill\" width=\"%u\" height=\"6\"/></svg></td>",
                count, never ? " bad" : "", BAR_WIDTH,
                count > 0 ? (unsigned)((uint64_t)count * (BAR_WIDTH - 1) / most + 1) : 0);
}

static unsigned bucket_count(const struct propagation *propagation, size_t bucket) {
  return bucket < PROPAGATION_BUCKETS ? propagation->buckets[bucket] : propagation->never;
}

/* Each group's bars are in proportion to its own cases. The bucket after the last is for what never settled. */
static void histogram_row(struct html *page, const struct propagation *groups, size_t bucket) {
  bool never = bucket == PROPAGATION_BUCKETS;
  strbuf_printf(&page->out, "<tr><th scope=\"row\">%s</th>", never ? "never" : propagation_bucket_name(bucket));
  for (enum smi_group group = SMI_ACCESS; group < GROUPS; group++)
    if (has_any(&groups[group]))
      bar_cell(page, bucket_count(&groups[group], bucket), groups[group].settled + groups[group].never, never);
  strbuf_puts(&page->out, "</tr>\n");
}

static bool is_used(const struct propagation *groups, size_t bucket) {
  for (enum smi_group group = SMI_ACCESS; group < GROUPS; group++)
    if (bucket_count(&groups[group], bucket) > 0)
      return true;
  return false;
}

/* From the first bucket in use to the last one, and what never settled. */
static void histogram(struct html *page, const struct propagation *groups) {
  size_t first = 0;
  size_t end = PROPAGATION_BUCKETS;
  while (first < end && !is_used(groups, first))
    first++;
  while (end > first && !is_used(groups, end - 1))
    end--;
  table_begin(page, "t-histogram", "Cases by time");
  strbuf_puts(&page->out, "<thead><tr><th scope=\"col\">In force after</th>");
  for (enum smi_group group = SMI_ACCESS; group < GROUPS; group++)
    if (has_any(&groups[group]))
      strbuf_printf(&page->out, "<th scope=\"col\">%s</th>", smi_group_name(group));
  strbuf_puts(&page->out, "</tr></thead>\n<tbody>\n");
  for (size_t bucket = first; bucket < end; bucket++)
    histogram_row(page, groups, bucket);
  if (is_used(groups, PROPAGATION_BUCKETS))
    histogram_row(page, groups, PROPAGATION_BUCKETS);
  strbuf_puts(&page->out, "</tbody>\n</table>\n</div>\n");
}

void html_propagation(struct html *page) {
  struct propagation groups[GROUPS] = {0};
  bool any = false;
  for (enum smi_group group = SMI_ACCESS; group < GROUPS; group++) {
    if (propagation_of(page->run, group, &groups[group]) < 0)
      page->out.failed = true;
    any |= has_any(&groups[group]);
  }
  if (!any)
    return;
  strbuf_puts(
      &page->out,
      "<section id=\"propagation\" aria-labelledby=\"h-propagation\">\n<h2 id=\"h-propagation\">Propagation</h2>\n"
      "<p class=\"note\">How long it took from a change until what it wants held for good: of each case its slowest "
      "step, as seen by its clients.</p>\n<div class=\"side\">\n");
  times(page, groups);
  histogram(page, groups);
  strbuf_puts(&page->out, "</div>\n</section>\n");
}
