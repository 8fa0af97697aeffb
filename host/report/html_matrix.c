#include <string.h>

#include "host/report/html_page.h"

/* Where one cell of the matrix gets its cases from: a requirement in one version. */
struct place {
  const struct matrix_row *row;
  size_t number; /* of the row in the matrix */
  unsigned alpha;
};

static bool names(const struct case_result *result, const char *requirement) {
  for (size_t i = 0; i < result->test->requirement_count; i++)
    if (strcmp(result->test->requirements[i], requirement) == 0)
      return true;
  for (size_t i = 0; i < result->check_count; i++)
    if (strcmp(result->checks[i].check->requirement, requirement) == 0)
      return true;
  return false;
}

static bool is_in(const struct case_result *result, const struct place *place) {
  return column_version(&result->column, place->row->group).alpha == place->alpha &&
         names(result, place->row->requirement);
}

/* ---- the matrix */

/* To the case itself when there is one, else to the list of them. */
static void link_to(struct html *page, const struct place *place) {
  unsigned count = 0;
  size_t number = 0;
  for (size_t i = 0; i < page->run->case_count; i++) {
    if (!is_in(&page->run->cases[i], place))
      continue;
    number = i + 1;
    count++;
  }
  if (count == 1)
    strbuf_printf(&page->out, "<a href=\"#c%zu\">", number);
  else
    strbuf_printf(&page->out, "<a href=\"#r%zu-%u\">", place->number, place->alpha);
}

static void cell(struct html *page, const struct place *place) {
  static const char *const words[] = {
      [CELL_NONE] = "no case",  [CELL_SKIPPED] = "skipped",     [CELL_INFORMATIVE] = "informative",
      [CELL_PROVED] = "proved", [CELL_UNJUDGED] = "not judged", [CELL_BROKEN] = "broken",
  };
  enum cell state = place->row->cells[place->alpha];
  enum tone tone;
  const char *symbol = html_cell(state, &tone);
  strbuf_printf(&page->out, "<td class=\"%s\">", html_tone_class(tone));
  if (state != CELL_NONE)
    link_to(page, place);
  strbuf_printf(&page->out,
                "<span class=\"symbol\" aria-hidden=\"true\">%s</span><span class=\"vh\">%s</span>%s</td>\n", symbol,
                words[state], state != CELL_NONE ? "</a>" : "");
}

static void matrix_row(struct html *page, size_t number) {
  const struct matrix_row *row = &page->matrix.rows[number];
  bool broken = false;
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++)
    broken |= row->cells[alpha] == CELL_BROKEN;
  strbuf_printf(&page->out, "<tr%s>\n<th scope=\"row\"><b>", broken ? " class=\"broken\"" : "");
  html_text(&page->out, row->requirement);
  strbuf_puts(&page->out, "</b>");
  html_sentence(&page->out, row->requirement);
  strbuf_puts(&page->out, "</th>\n");
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++)
    if (page->matrix.used[row->group][alpha])
      cell(page, &(struct place){.row = row, .number = number, .alpha = alpha});
  strbuf_puts(&page->out, "</tr>\n");
}

static void matrix_head(struct html *page, enum smi_group group, unsigned columns) {
  const char *name = smi_group_name(group);
  strbuf_printf(
      &page->out,
      "<h3 id=\"m-%s\">%s</h3>\n<div class=\"scroll\" role=\"region\" aria-labelledby=\"m-%s\" tabindex=\"0\">\n"
      "<table class=\"matrix\">\n<thead>\n<tr><th scope=\"col\" rowspan=\"2\">Requirement</th>"
      "<th scope=\"colgroup\" colspan=\"%u\">v1alpha…</th></tr>\n<tr>",
      name, name, name, columns);
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++) {
    if (!page->matrix.used[group][alpha])
      continue;
    if (alpha == 0)
      strbuf_puts(&page->out, "<th scope=\"col\">any<span class=\"vh\"> version</span></th>");
    else
      strbuf_printf(&page->out, "<th scope=\"col\"><span class=\"vh\">v1alpha</span>%u</th>", alpha);
  }
  strbuf_puts(&page->out, "</tr>\n</thead>\n<tbody>\n");
}

static void matrix_group(struct html *page, enum smi_group group) {
  unsigned columns = 0;
  for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++)
    columns += page->matrix.used[group][alpha];
  if (columns == 0)
    return;
  matrix_head(page, group, columns);
  for (size_t i = 0; i < page->matrix.count; i++)
    if (page->matrix.rows[i].group == group)
      matrix_row(page, i);
  strbuf_puts(&page->out, "</tbody>\n</table>\n</div>\n");
}

static void legend(struct html *page) {
  static const struct {
    enum cell cell;
    const char *meaning;
  } entries[] = {{CELL_PROVED, "proved"},   {CELL_BROKEN, "broken"},           {CELL_UNJUDGED, "not judged"},
                 {CELL_SKIPPED, "skipped"}, {CELL_INFORMATIVE, "informative"}, {CELL_NONE, "no case"}};
  strbuf_puts(&page->out, "<ul class=\"legend\" aria-label=\"Symbols\">\n");
  for (size_t i = 0; i < ARRAY_COUNT(entries); i++) {
    enum tone tone;
    const char *symbol = html_cell(entries[i].cell, &tone);
    strbuf_printf(&page->out, "<li><span class=\"symbol %s\">%s</span> %s</li>\n", html_tone_class(tone), symbol,
                  entries[i].meaning);
  }
  strbuf_puts(&page->out, "</ul>\n");
}

void html_matrix(struct html *page) {
  strbuf_puts(&page->out, "<section id=\"requirements\" aria-labelledby=\"h-requirements\">\n"
                          "<h2 id=\"h-requirements\">Requirements by version</h2>\n");
  legend(page);
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++)
    matrix_group(page, group);
  strbuf_puts(&page->out, "</section>\n");
}

/* ---- the cases behind each cell */

static void index_cases(struct html *page, const struct place *place) {
  strbuf_printf(&page->out, "<li id=\"r%zu-%u\"><span class=\"label\">", place->number, place->alpha);
  if (place->alpha > 0)
    strbuf_printf(&page->out, "v1alpha%u", place->alpha);
  else
    strbuf_puts(&page->out, "any version");
  strbuf_puts(&page->out, "</span>\n");
  for (size_t i = 0; i < page->run->case_count; i++) {
    const struct case_result *result = &page->run->cases[i];
    if (!is_in(result, place))
      continue;
    html_case_link(page, result);
  }
  strbuf_puts(&page->out, "</li>\n");
}

void html_index(struct html *page) {
  strbuf_puts(&page->out, "<section id=\"index\" aria-labelledby=\"h-index\">\n"
                          "<h2 id=\"h-index\">Cases by requirement</h2>\n");
  for (size_t i = 0; i < page->matrix.count; i++) {
    const struct matrix_row *row = &page->matrix.rows[i];
    strbuf_puts(&page->out, "<h3>");
    html_text(&page->out, row->requirement);
    html_sentence(&page->out, row->requirement);
    strbuf_puts(&page->out, "</h3>\n<ul class=\"index\">\n");
    for (unsigned alpha = 0; alpha < MATRIX_COLUMNS; alpha++)
      if (row->cells[alpha] != CELL_NONE)
        index_cases(page, &(struct place){.row = row, .number = i, .alpha = alpha});
    strbuf_puts(&page->out, "</ul>\n");
  }
  strbuf_puts(&page->out, "</section>\n");
}
