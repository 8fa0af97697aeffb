#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/conformance/suite.h"

/* Access versions and the specs versions they go with; the last one is a draft. */
static const uint8_t access_pairs[][2] = {{1, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 4}};
/* Split versions; {n, 0} goes with any specs, because it cannot refer to a route group. */
static const uint8_t split_pairs[][2] = {{1, 0}, {2, 0}, {3, 3}, {4, 4}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Every access pair with every split version. */
#define COLUMNS_MAX (COUNT(access_pairs) * COUNT(split_pairs))

/* Which groups a case's resources are of. */
struct groups {
  bool access;
  bool specs;
  bool split;
};

static struct groups groups_of(const struct test_case *test) {
  struct groups groups = {0};
  for (size_t i = 0; i < test->resources->count; i++) {
    const struct node *node = node_get(test->resources->items[i], "apiVersion");
    struct smi_version version;
    if (!node || node->kind != NODE_STRING || smi_version_parse(node->text, &version) < 0)
      continue;
    groups.access |= version.group == SMI_ACCESS;
    groups.specs |= version.group == SMI_SPECS;
    groups.split |= version.group == SMI_SPLIT;
  }
  return groups;
}

struct smi_version column_version(const struct case_column *column, enum smi_group group) {
  switch (group) {
  case SMI_ACCESS:
    return column->access;
  case SMI_SPECS:
    return column->specs;
  case SMI_SPLIT:
    return column->split;
  case SMI_METRICS:
    return column->metrics;
  }
  return (struct smi_version){0};
}

static bool version_equal(struct smi_version a, struct smi_version b) {
  return a.group == b.group && a.alpha == b.alpha;
}

static bool column_wanted(const struct test_case *test, const struct case_column *column) {
  struct smi_version written = test->written_in;
  if (written.group != 0 && !version_equal(column_version(column, written.group), written))
    return false;
  for (size_t i = 0; i < test->version_count; i++)
    if (version_equal(column_version(column, test->versions[i].group), test->versions[i]))
      return true;
  return test->version_count == 0;
}

static void column_label(struct case_column *column) {
  struct smi_version versions[] = {column->access, column->specs, column->split, column->metrics};
  size_t length = 0;
  for (size_t i = 0; i < COUNT(versions); i++) {
    if (versions[i].group == 0)
      continue;
    int n = snprintf(column->label + length, sizeof(column->label) - length, "%s%s/v1alpha%u", length > 0 ? " " : "",
                     smi_group_name(versions[i].group), (unsigned)versions[i].alpha);
    length += n > 0 ? (size_t)n : 0;
  }
}

static bool column_equal(const struct case_column *a, const struct case_column *b) {
  return version_equal(a->access, b->access) && version_equal(a->specs, b->specs) && version_equal(a->split, b->split);
}

struct column_list {
  const struct test_case *test;
  struct groups groups;
  struct case_column *columns;
  size_t count;
};

/* Adds the combination unless the case does not want it or has it already (two that differ in a group the case has
 * nothing of). */
static void column_add(struct column_list *list, uint8_t access, uint8_t specs, uint8_t split) {
  struct case_column column = {0};
  if (list->groups.access)
    column.access = (struct smi_version){.group = SMI_ACCESS, .alpha = access};
  if (list->groups.specs)
    column.specs = (struct smi_version){.group = SMI_SPECS, .alpha = specs};
  if (list->groups.split)
    column.split = (struct smi_version){.group = SMI_SPLIT, .alpha = split};
  if (!column_wanted(list->test, &column))
    return;
  for (size_t i = 0; i < list->count; i++)
    if (column_equal(&list->columns[i], &column))
      return;
  column_label(&column);
  list->columns[list->count++] = column;
}

/* A split that goes with no specs version is of no use to a case about splits with route groups. */
static void columns_add_splits(struct column_list *list, uint8_t access, uint8_t specs) {
  for (size_t k = 0; k < COUNT(split_pairs); k++) {
    uint8_t paired = split_pairs[k][1];
    if (list->groups.access ? paired == 0 || paired == specs : paired != 0 || !list->groups.specs)
      column_add(list, access, list->groups.access ? specs : paired, split_pairs[k][0]);
  }
}

/* There is one version, which says how the mesh answers; what a case applies for it is in hub form. */
static void columns_add_metrics(struct column_list *list) {
  struct case_column column = {.metrics = {.group = SMI_METRICS, .alpha = 1}};
  if (!column_wanted(list->test, &column))
    return;
  column_label(&column);
  list->columns[list->count++] = column;
}

int case_columns(const struct test_case *test, struct case_column **ret_columns, size_t *ret_count) {
  struct column_list list = {.test = test, .groups = groups_of(test)};
  list.columns = calloc(COLUMNS_MAX, sizeof(*list.columns));
  if (!list.columns)
    return -ENOMEM;
  if (test->group == SMI_METRICS) {
    columns_add_metrics(&list);
    *ret_columns = list.columns;
    *ret_count = list.count;
    return 0;
  }
  if (list.groups.split && !list.groups.access)
    columns_add_splits(&list, 0, 0);
  for (size_t i = 0; (list.groups.access || !list.groups.split) && i < COUNT(access_pairs); i++) {
    if (list.groups.split)
      columns_add_splits(&list, access_pairs[i][0], access_pairs[i][1]);
    else
      column_add(&list, access_pairs[i][0], access_pairs[i][1], 0);
  }
  *ret_columns = list.columns;
  *ret_count = list.count;
  return 0;
}
