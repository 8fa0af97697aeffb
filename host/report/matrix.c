#include "host/report/matrix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/report/emit.h"

const char *cell_name(enum cell cell) {
  switch (cell) {
  case CELL_NONE:
    return "none";
  case CELL_SKIPPED:
    return "skipped";
  case CELL_INFORMATIVE:
    return "informative";
  case CELL_PROVED:
    return "proved";
  case CELL_UNJUDGED:
    return "unjudged";
  case CELL_BROKEN:
    return "broken";
  }
  return "none";
}

/* What a failed case says of one of its requirements: only the checks that bear its name count. */
static enum cell failed_cell(const struct case_result *result, const char *requirement) {
  bool judged = false;
  for (size_t i = 0; i < result->check_count; i++) {
    if (strcmp(result->checks[i].check->requirement, requirement) != 0)
      continue;
    if (!result->checks[i].held)
      return CELL_BROKEN;
    judged = true;
  }
  return judged ? CELL_PROVED : CELL_UNJUDGED;
}

static enum cell case_cell(const struct case_result *result, const char *requirement) {
  switch (result->outcome) {
  case OUTCOME_PASSED:
    return CELL_PROVED;
  case OUTCOME_FAILED:
    return failed_cell(result, requirement);
  case OUTCOME_SKIPPED:
    return CELL_SKIPPED;
  case OUTCOME_INFORMATIVE:
    return CELL_INFORMATIVE;
  case OUTCOME_ERROR:
    return CELL_UNJUDGED;
  }
  return CELL_UNJUDGED;
}

struct builder {
  struct matrix matrix;
  size_t capacity;
};

static int find_row(struct builder *builder, const char *requirement, enum smi_group fallback,
                    struct matrix_row **ret_row) {
  for (size_t i = 0; i < builder->matrix.count; i++) {
    if (strcmp(builder->matrix.rows[i].requirement, requirement) == 0) {
      *ret_row = &builder->matrix.rows[i];
      return 0;
    }
  }
  void *rows = builder->matrix.rows;
  int r = array_reserve(&rows, &builder->capacity, builder->matrix.count, sizeof *builder->matrix.rows);
  builder->matrix.rows = rows;
  if (r < 0)
    return r;
  const struct requirement *known = requirement_find(requirement);
  struct matrix_row *row = &builder->matrix.rows[builder->matrix.count++];
  *row = (struct matrix_row){.requirement = requirement, .group = known ? known->group : fallback};
  *ret_row = row;
  return 0;
}

static int note(struct builder *builder, const struct case_result *result, const char *requirement) {
  struct matrix_row *row;
  int r = find_row(builder, requirement, result->test->group, &row);
  if (r < 0)
    return r;
  unsigned alpha = column_version(&result->column, row->group).alpha;
  if (alpha >= MATRIX_COLUMNS)
    return -ERANGE;
  enum cell cell = case_cell(result, requirement);
  if (cell > row->cells[alpha])
    row->cells[alpha] = cell;
  builder->matrix.used[row->group][alpha] = true;
  return 0;
}

static int note_case(struct builder *builder, const struct case_result *result) {
  for (size_t i = 0; i < result->test->requirement_count; i++) {
    int r = note(builder, result, result->test->requirements[i]);
    if (r < 0)
      return r;
  }
  for (size_t i = 0; i < result->check_count; i++) {
    int r = note(builder, result, result->checks[i].check->requirement);
    if (r < 0)
      return r;
  }
  return 0;
}

static int compare_rows(const void *a, const void *b) {
  const struct matrix_row *left = a;
  const struct matrix_row *right = b;
  if (left->group != right->group)
    return left->group < right->group ? -1 : 1;
  return strcmp(left->requirement, right->requirement);
}

int matrix_build(const struct run_result *run, struct matrix *ret_matrix) {
  struct builder builder = {0};
  for (size_t i = 0; i < run->case_count; i++) {
    int r = note_case(&builder, &run->cases[i]);
    if (r < 0) {
      matrix_finish(&builder.matrix);
      return r;
    }
  }
  if (builder.matrix.count > 0)
    qsort(builder.matrix.rows, builder.matrix.count, sizeof *builder.matrix.rows, compare_rows);
  *ret_matrix = builder.matrix;
  return 0;
}

void matrix_finish(struct matrix *matrix) {
  free(matrix->rows);
  *matrix = (struct matrix){0};
}

const char *matrix_summary(const struct matrix_row *row) {
  const struct requirement *known = requirement_find(row->requirement);
  return known ? text_or_empty(known->summary) : "";
}
