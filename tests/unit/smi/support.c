#include "tests/unit/smi/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct reading_result read_bytes(const char *data, size_t length, enum document_format format) {
  struct reading_result result = {.arena = arena_create(0), .diagnostics = diagnostics_create()};
  const struct smi_parse_options options = {.documents_stay = true};
  struct document_list list = {0};

  assert_non_null(result.arena);
  assert_non_null(result.diagnostics);
  result.result = document_read(result.arena, "test.yaml", data, length, format, &document_limits_default,
                                result.diagnostics, &list);
  if (result.result == 0)
    result.result = smi_parse(result.arena, &list, &options, result.diagnostics, &result.set);
  return result;
}

struct reading_result read_text(const char *yaml) {
  return read_bytes(yaml, strlen(yaml), DOCUMENT_YAML);
}

struct reading_result read_json(const json_t *resources) {
  json_t *list = json_pack("{s:s, s:s, s:O}", "apiVersion", "v1", "kind", "List", "items", (json_t *)resources);
  char *text = json_dumps(list, 0);
  struct reading_result result;

  assert_non_null(text);
  result = read_bytes(text, strlen(text), DOCUMENT_JSON);
  free(text);
  json_decref(list);
  return result;
}

void reading_finish(struct reading_result *result) {
  diagnostics_destroy(result->diagnostics);
  arena_destroy(result->arena);
}

const struct diagnostic *expect_diagnostic(const struct diagnostics *list, const char *code) {
  for (size_t i = 0; i < diagnostics_count(list); i++)
    if (strcmp(diagnostics_at(list, i)->code, code) == 0)
      return diagnostics_at(list, i);
  diagnostics_print(list, stderr);
  fail_msg("no diagnostic %s", code);
  return NULL;
}

bool diagnostic_says(const struct diagnostic *diagnostic, const char *part) {
  return (diagnostic->summary && strstr(diagnostic->summary, part)) ||
         (diagnostic->detail && strstr(diagnostic->detail, part)) ||
         (diagnostic->remedy && strstr(diagnostic->remedy, part));
}

struct smi_target_versions target_versions(const char *text) {
  struct smi_target_versions versions = {0};
  char copy[128], *rest = copy, *word;

  assert_true(snprintf(copy, sizeof(copy), "%s", text) < (int)sizeof(copy));
  while ((word = strsep(&rest, " "))) {
    struct smi_version version;

    if (*word == '\0')
      continue;
    assert_int_equal(smi_version_parse(word, &version), 0);
    if (version.group == SMI_ACCESS)
      versions.access = version;
    else if (version.group == SMI_SPECS)
      versions.specs = version;
    else
      versions.split = version;
  }
  return versions;
}
