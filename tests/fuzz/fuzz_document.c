/* Reads any bytes in each format and holds the readers to what they promise: positions and parents are set, JSON is
 * what jansson takes for JSON, YAML is what libyaml alone reads, what is written reads back the same, and JSON is
 * restyled to what its tree is written as. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"
#include "tests/unit/base/two_readers.h"

static const struct document_limits limits = {.bytes = 1 << 16, .depth = 32, .nodes = 5000, .documents = 50};

static void require(bool holds) {
  if (!holds)
    abort();
}

static void check_node(const struct node *node, const struct node *parent) {
  require(node->parent == parent);
  require(node->position.line > 0 && node->position.column > 0);
  if (node->kind == NODE_LIST)
    for (size_t i = 0; i < node->count; i++)
      check_node(node->items[i], node);
  else if (node->kind == NODE_MAP)
    for (size_t i = 0; i < node->count; i++) {
      require(node->entries[i].position.line > 0 && node->entries[i].position.column > 0);
      check_node(node->entries[i].value, node);
    }
  else
    require(node->text && strlen(node->text) == node->length);
}

static void check_reads_back(const json_t *value, int (*write)(const json_t *, struct strbuf *),
                             enum document_format format) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  struct document_list documents;
  json_t *back;

  require(arena && write(value, &text) == 0);
  require(document_read(arena, NULL, text.data, text.length, format, NULL, NULL, &documents) == 0);
  require(documents.count == 1);
  back = node_to_json(documents.roots[0]);
  require(back && json_equal(value, back));
  json_decref(back);
}

static void check_document(const struct node *root) {
  json_t *value = node_to_json(root);

  require(value);
  check_node(root, NULL);
  check_reads_back(value, yaml_write, DOCUMENT_YAML);
  check_reads_back(value, json_write, DOCUMENT_JSON);
  json_decref(value);
}

/* Jansson's verdict differs only for a byte-order mark, for a NUL byte (which ends its input), for limits, and for
 * numbers beyond its range. */
static void check_against_jansson(const uint8_t *data, size_t size, int result) {
  json_error_t error;
  json_t *value;

  if (result == -E2BIG || (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) || (size > 0 && memchr(data, '\0', size)))
    return;
  value = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
  if (value)
    require(result == 0);
  else
    require(result == -EINVAL || json_error_code(&error) == json_error_numeric_overflow);
  json_decref(value);
}

static void check_format(const uint8_t *data, size_t size, enum document_format format) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct document_list documents;
  int r;

  require(arena && diagnostics);
  r = document_read(arena, "fuzz", data, size, format, &limits, diagnostics, &documents);
  require(r == 0 || r == -EINVAL || r == -E2BIG);
  require(diagnostics_have_error(diagnostics) == (r < 0));
  for (size_t i = 0; i < documents.count; i++)
    check_document(documents.roots[i]);
  if (format == DOCUMENT_JSON)
    check_against_jansson(data, size, r);
}

/* What is restyled is JSON, and comes out as its tree does. */
static void check_restyled(const char *key, const char *data, size_t size) {
  _cleanup_strbuf_ struct strbuf quick = STRBUF_INIT, slow = STRBUF_INIT;
  int r = yaml_restyle(key, data, size, NULL, 0, &quick);
  json_t *value = NULL;

  if (r < 0) {
    require(r == -ENOTSUP && quick.length == 0);
    return;
  }
  value = json_loadb(data, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
  require(value != NULL);
  if (key)
    value = json_pack("{s:o}", key, value);
  require(value && yaml_write(value, &slow) == 0);
  require(strcmp(strbuf_text(&quick), strbuf_text(&slow)) == 0);
  json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t offset;

  for (enum document_format format = DOCUMENT_ANY; format <= DOCUMENT_YAML; format++)
    check_format(data, size, format);
  if (size > 0 && utf8_valid((const char *)data, size, &offset) && !memchr(data, '\0', size))
    require(readers_agree((const char *)data, size, &limits));
  check_restyled(NULL, (const char *)data, size);
  check_restyled("body", (const char *)data, size);
  return 0;
}
