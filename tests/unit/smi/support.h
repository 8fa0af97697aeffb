/* Reading SMI from text in tests. */
#ifndef TRAMMEL_TESTS_SMI_SUPPORT_H
#define TRAMMEL_TESTS_SMI_SUPPORT_H

#include "sdk/base/document.h"
#include "sdk/smi/convert.h"
#include "sdk/smi/parse.h"
#include "tests/unit/smi/compare.h"

struct reading_result {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct smi_set set;
  int result; /* of smi_parse, or of document_read when that failed */
};

struct reading_result read_text(const char *yaml);
struct reading_result read_json(const json_t *resources); /* an array of resources */
void reading_finish(struct reading_result *result);

/* The first diagnostic with `code`; fails the test when there is none. */
const struct diagnostic *expect_diagnostic(const struct diagnostics *list, const char *code);

/* Whether the text of any field of the diagnostic holds `part`. */
bool diagnostic_says(const struct diagnostic *diagnostic, const char *part);

/* "access/v1alpha2 specs/v1alpha3" to target versions; fails the test when it cannot. */
struct smi_target_versions target_versions(const char *text);

#endif
