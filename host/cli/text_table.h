/* A table for people: columns as wide as what is in them, cells that cannot steer a terminal. */
#ifndef TRAMMEL_HOST_CLI_TEXT_TABLE_H
#define TRAMMEL_HOST_CLI_TEXT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "sdk/base/memory.h"

#define TEXT_TABLE_COLUMNS_MAX 6
#define TEXT_TABLE_WIDTH_MAX 70 /* of a column, in characters: what is longer moves the rest of its row */

struct text_table {
  size_t columns;
  char **cells; /* heap, row by row */
  size_t count, capacity;
  bool failed; /* memory ran out */
};

/* Adds a cell, copied; rows are full when they have `columns` of them. */
void text_table_add(struct text_table *table, const char *text);
/* The last column is not padded. -ENOMEM when a cell could not be added. */
int text_table_print(const struct text_table *table, FILE *out);
void text_table_finish(struct text_table *table);
#define _cleanup_text_table_ _cleanup_(text_table_finish)

#endif
