#include "host/cli/text_table.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/utf8.h"

void text_table_add(struct text_table *table, const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, strlen(text), NULL);
  strbuf_puts(&safe, ""); /* an empty cell is a string, too */
  char *cell = strbuf_failed(&safe) ? NULL : strdup(strbuf_text(&safe));
  if (!cell || array_reserve((void **)&table->cells, &table->capacity, table->count, sizeof *table->cells) < 0) {
    free(cell);
    table->failed = true;
    return;
  }
  table->cells[table->count++] = cell;
}

static size_t width_of(const char *text) {
  return utf8_count(text, strlen(text));
}

static void measure(const struct text_table *table, size_t widths[static TEXT_TABLE_COLUMNS_MAX]) {
  for (size_t i = 0; i < table->count; i++) {
    size_t width = width_of(table->cells[i]), *widest = &widths[i % table->columns];
    if (width <= TEXT_TABLE_WIDTH_MAX && width > *widest)
      *widest = width;
  }
}

int text_table_print(const struct text_table *table, FILE *out) {
  size_t widths[TEXT_TABLE_COLUMNS_MAX] = {0};
  if (table->failed)
    return -ENOMEM;
  measure(table, widths);
  int gap = 0; /* before the next cell that has something: no line ends with spaces */
  for (size_t i = 0; i < table->count; i++) {
    const char *cell = table->cells[i];
    size_t column = i % table->columns, width = width_of(cell);
    if (*cell) {
      fprintf(out, "%*s%s", gap, "", cell);
      gap = 0;
    }
    gap += (int)(widths[column] > width ? widths[column] - width : 0) + 2;
    if (column + 1 == table->columns) {
      fputc('\n', out);
      gap = 0;
    }
  }
  return 0;
}

void text_table_finish(struct text_table *table) {
  for (size_t i = 0; i < table->count; i++)
    free(table->cells[i]);
  free(table->cells);
  *table = (struct text_table){0};
}
