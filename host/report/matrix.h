/* The requirement matrix of a run: for each API group its requirements by version, from what the cases found. */
#ifndef TRAMMEL_HOST_REPORT_MATRIX_H
#define TRAMMEL_HOST_REPORT_MATRIX_H

#include "host/conformance/result.h"
#include "sdk/base/memory.h"

/* What is known of a requirement in one version. Where cases differ the larger one stands. */
enum cell {
  CELL_NONE = 0,    /* no case of the run speaks of it */
  CELL_SKIPPED,     /* the adapter cannot express it */
  CELL_INFORMATIVE, /* only informative cases speak of it */
  CELL_PROVED,
  CELL_UNJUDGED, /* a case ended in an error, or failed before it came to it */
  CELL_BROKEN,
};
const char *cell_name(enum cell cell); /* "none", "skipped", "informative", "proved", "unjudged", "broken" */

/* Columns are alpha versions; column 0 is for cases without a resource of the requirement's group. */
#define MATRIX_COLUMNS 8

struct matrix_row {
  const char *requirement; /* borrowed from the run's suite */
  enum smi_group group;
  enum cell cells[MATRIX_COLUMNS];
};

struct matrix {
  struct matrix_row *rows; /* by group, then id */
  size_t count;
  bool used[SMI_METRICS + 1][MATRIX_COLUMNS]; /* by group: the columns that any row has a cell in */
};

/* 0, -ENOMEM, or -ERANGE for a version beyond the matrix. */
int matrix_build(const struct run_result *run, struct matrix *ret_matrix);
void matrix_finish(struct matrix *matrix);
#define _cleanup_matrix_ _cleanup_(matrix_finish)

/* "ACC-05"'s sentence; "" when the suite knows none. */
const char *matrix_summary(const struct matrix_row *row);

#endif
