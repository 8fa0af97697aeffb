/* Bytes to a document to a topology and a case of the built-in topologies: nothing crashes, and what is refused is
 * told. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/conformance/case_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX ((size_t)64 << 20)
#define TOPOLOGIES_MAX 8

static const struct document_limits limits = {.bytes = 1 << 16, .depth = 64, .nodes = 20000, .documents = 4};

static struct topology_table built_in(void) {
  static const struct topology *topologies[TOPOLOGIES_MAX];
  static struct topology_table table = {.topologies = topologies};
  static struct suite *suite;
  if (suite)
    return table;
  if (suite_load("smi", NULL, NULL, &suite, NULL) < 0)
    abort();
  for (size_t i = 0; i < suite_count(suite) && table.count < TOPOLOGIES_MAX; i++) {
    const struct topology *topology = suite_at(suite, i)->topology;
    size_t k = 0;
    while (k < table.count && topologies[k] != topology)
      k++;
    if (k == table.count)
      topologies[table.count++] = topology;
  }
  return table;
}

static const char *alias_itself(void *ctx, const char *alias) {
  (void)ctx;
  return alias;
}

/* A case that was accepted can be run. */
static void use_case(const struct test_case *test, struct arena *arena) {
  struct case_column *columns = NULL;
  struct smi_set set;
  size_t count = 0;
  if (case_columns(test, &columns, &count) < 0 || count == 0)
    abort();
  free(columns);
  if (case_resources(test, arena, alias_itself, NULL, &set, NULL, NULL) == -EINVAL)
    abort();
  for (size_t i = 0; i < test->step_count; i++)
    for (size_t k = 0; k < test->steps[i].check_count; k++) {
      const struct check *check = &test->steps[i].checks[k];
      if (!check->from || !check->to || !check->requirement || check->port == 0)
        abort();
      if (check->kind != CHECK_SPLIT &&
          (check->repeat < 1 || check->repeat > CASE_REPEAT_MAX || check_request_count(check) != check->repeat))
        abort();
    }
}

static void read_both(struct arena *arena, const struct node *root) {
  _cleanup_diagnostics_ struct diagnostics *of_topology = diagnostics_create();
  _cleanup_diagnostics_ struct diagnostics *of_case = diagnostics_create();
  struct topology_table topologies = built_in();
  struct topology topology;
  struct test_case test;
  int r = topology_read(arena, "fuzz", root, of_topology, &topology);
  if (r != -ENOMEM && (r == 0) == diagnostics_have_error(of_topology))
    abort();
  r = case_read(arena, &topologies, root, of_case, &test);
  if (r != -ENOMEM && (r == 0) == diagnostics_have_error(of_case))
    abort();
  if (r == 0)
    use_case(&test, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_arena_ struct arena *arena = arena_create(MEMORY_MAX);
  struct document_list documents = {0};
  if (!arena || document_read(arena, "fuzz", data, size, DOCUMENT_YAML, &limits, NULL, &documents) < 0)
    return 0;
  for (size_t i = 0; i < documents.count; i++)
    read_both(arena, documents.roots[i]);
  return 0;
}
