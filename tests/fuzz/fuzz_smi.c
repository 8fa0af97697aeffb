/* Bytes to documents, resources, lint, every version and back: nothing crashes, and a conversion that is made means the
 * same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/smi/convert.h"
#include "sdk/smi/lint.h"
#include "sdk/smi/parse.h"
#include "tests/unit/smi/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX ((size_t)256 << 20)

static const struct document_limits limits = {.bytes = 1 << 16, .depth = 32, .nodes = 20000, .documents = 100};

static bool parse(struct arena *arena, const void *data, size_t size, struct smi_set *ret_set) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct document_list list = {0};
  int r;

  if (document_read(arena, "fuzz", data, size, DOCUMENT_ANY, &limits, diagnostics, &list) < 0)
    return false;
  r = smi_parse(arena, &list, NULL, diagnostics, ret_set);
  if ((r != 0) != diagnostics_have_error(diagnostics))
    abort(); /* an error nobody is told about */
  return r == 0;
}

/* What was written must be read again as the same. Weights keep their proportions only through quantities. */
static void check_same(const struct smi_set *set, const json_t *resources) {
  _cleanup_arena_ struct arena *arena = arena_create(MEMORY_MAX);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct smi_reader *reader = smi_reader_create(arena, NULL, diagnostics);
  char *text = json_dumps(resources, JSON_COMPACT);
  struct document_list list = {0};
  struct smi_set again;

  if (!text ||
      document_read(arena, NULL, text, strlen(text), DOCUMENT_JSON, &document_limits_default, diagnostics, &list) < 0)
    abort();
  for (size_t i = 0; i < list.roots[0]->count; i++)
    if (smi_reader_document(reader, list.roots[0]->items[i]) != 0)
      abort();
  if (smi_reader_finish(reader, &again) != 0)
    abort();
  if (set_difference(arena, set, &again, COMPARE_PROPORTIONS + COMPARE_PORTS))
    abort();
  free(text);
}

static void convert(const struct smi_set *set, const struct smi_target_versions *versions, bool valid) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  json_t *resources = NULL;
  int r = smi_convert(set, versions, diagnostics, &resources);

  if ((r != 0) != diagnostics_have_error(diagnostics))
    abort();
  if (r == 0 && valid)
    check_same(set, resources);
  json_decref(resources);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_arena_ struct arena *arena = arena_create(MEMORY_MAX);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  const char *text = arena_strndup(arena, (const char *)data, size);
  struct smi_set set = {0};
  int lint;

  if (!text || !parse(arena, text, strlen(text), &set))
    return 0;
  lint = smi_lint(&set, diagnostics);
  if ((lint != 0) != diagnostics_have_error(diagnostics))
    abort();
  /* With two resources of one name, which one a reference means is open. */
  for (uint8_t access = 1; access <= 4; access++)
    for (uint8_t specs = 1; specs <= 4; specs++)
      for (uint8_t split = 1; split <= 4; split++)
        convert(&set, &(struct smi_target_versions){{SMI_ACCESS, access}, {SMI_SPECS, specs}, {SMI_SPLIT, split}},
                lint == 0);
  return 0;
}
