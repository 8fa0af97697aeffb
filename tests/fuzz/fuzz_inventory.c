/* Bytes to documents to an inventory: nothing crashes, what is refused is told, and what is written reads back as the
 * same. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/inventory/inventory.h"
#include "sdk/base/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX ((size_t)256 << 20)

static const struct document_limits limits = {.bytes = 1 << 16, .depth = 32, .nodes = 20000, .documents = 100};

static int read_inventory(struct arena *arena, const void *data, size_t size, struct diagnostics *diagnostics,
                          struct inventory_found *ret_found) {
  const struct inventory_options options = {.only = true};
  struct document_list list = {0};
  struct inventory_reader *reader = inventory_reader_create(arena, &options, diagnostics);
  if (!reader)
    abort();
  int result = document_read(arena, "fuzz", data, size, DOCUMENT_ANY, &limits, diagnostics, &list);
  for (size_t i = 0; i < list.count; i++)
    (void)inventory_reader_document(reader, list.roots[i]);
  int r = inventory_reader_finish(reader, ret_found);
  return result < 0 ? result : r;
}

/* The text of an inventory, on the heap. */
static char *written(const struct inventory_found *found) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *json = inventory_to_json(found);
  if (!json || json_write(json, &text) < 0)
    abort();
  json_decref(json);
  return strbuf_steal(&text);
}

static void check_same(const char *text) {
  _cleanup_arena_ struct arena *arena = arena_create(MEMORY_MAX);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct inventory_found again = {0};
  int r = read_inventory(arena, text, strlen(text), diagnostics, &again);
  if (r == -E2BIG) /* the text has become longer than what a fuzzer's input may have */
    return;
  if (r < 0)
    abort();
  _cleanup_free_ char *twice = written(&again);
  if (strcmp(text, twice) != 0)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_arena_ struct arena *arena = arena_create(MEMORY_MAX);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct inventory_found found = {0};
  int r = read_inventory(arena, data, size, diagnostics, &found);
  if (r == -ENOMEM)
    return 0;
  if ((r < 0) != diagnostics_have_error(diagnostics))
    abort(); /* an error nobody is told about */
  if (r < 0)
    return 0;
  _cleanup_free_ char *text = written(&found);
  check_same(text);
  return 0;
}
