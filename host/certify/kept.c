#include "host/certify/kept.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/package/files.h"
#include "sdk/base/diagnostic.h"
#include "sdk/base/document.h"
#include "sdk/base/schema.h"

#define REPORT_BYTES_MAX ((size_t)4 << 20)

/* docs/schema/adapter-check.json, made by embed_file.cmake. */
extern const unsigned char check_schema[];
extern const size_t check_schema_length;

static char *kept_path(const char *data_directory, const char *digest) {
  char *path = NULL;
  return asprintf(&path, "%s/checks/%s.json", data_directory, digest) < 0 ? NULL : path;
}

int kept_write(const char *data_directory, const json_t *report, struct error **err) {
  const char *digest = json_string_value(json_object_get(json_object_get(report, "file"), "sha256"));
  _cleanup_free_ char *path = kept_path(data_directory, digest);
  _cleanup_free_ char *directory = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  if (!path || asprintf(&directory, "%s/checks", data_directory) < 0 || json_write(report, &text) < 0)
    return error_set(err, ENOMEM, "out of memory");
  int r = files_make_directories(directory, err);
  if (r == 0)
    r = files_replace(path, text.data, text.length, err);
  return r < 0 ? error_wrap(err, "the report is not kept") : 0;
}

static int check(const char *path, const json_t *report, const char *digest, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  json_auto_t *schema = json_loadb((const char *)check_schema, check_schema_length, 0, NULL);
  if (!schema || !diagnostics)
    return error_set(err, ENOMEM, "out of memory");
  if (schema_validate(schema, report, path, diagnostics) < 0)
    return error_set(err, EINVAL, "%s is no report of a check: %s", path, diagnostics_first_error(diagnostics));
  if (strcmp(json_string_value(json_object_get(json_object_get(report, "file"), "sha256")), digest) != 0)
    return error_set(err, EINVAL, "%s is the report of another file", path);
  return 0;
}

int kept_read(const char *data_directory, const char *digest, json_t **ret_report, struct error **err) {
  _cleanup_free_ char *path = kept_path(data_directory, digest);
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  json_error_t wrong;
  if (!path)
    return error_set(err, ENOMEM, "out of memory");
  int r = file_read(path, REPORT_BYTES_MAX, &text, &length, err);
  if (r < 0)
    return r;
  json_auto_t *report = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong);
  if (!report)
    return error_set(err, EINVAL, "%s is no JSON: %s", path, wrong.text);
  r = check(path, report, digest, err);
  if (r == 0)
    *ret_report = json_incref(report);
  return r;
}

static unsigned total(const json_t *report, const char *verdict) {
  return (unsigned)json_integer_value(json_object_get(json_object_get(report, "totals"), verdict));
}

void kept_summary(const json_t *report, struct strbuf *out) {
  if (!report) {
    strbuf_puts(out, "not checked");
    return;
  }
  unsigned warnings = total(report, "warning"), skipped = total(report, "skipped");
  strbuf_printf(out, "%u passed, %u warning%s, %u failed", total(report, "passed"), warnings, warnings == 1 ? "" : "s",
                total(report, "failed") + total(report, "crashed"));
  if (skipped)
    strbuf_printf(out, ", %u skipped", skipped);
  const json_t *conditions = json_object_get(report, "conditions");
  const json_t *configuration = json_object_get(conditions, "configuration");
  if (!json_is_true(json_object_get(conditions, "confined")))
    strbuf_puts(out, ", unconfined");
  if (json_is_true(json_object_get(configuration, "given")))
    strbuf_printf(out, ", with configuration %.8s", json_string_value(json_object_get(configuration, "sha256")));
  strbuf_printf(out, ", by Trammel %s", json_string_value(json_object_get(report, "trammel")));
}

json_t *kept_summary_json(const json_t *report) {
  if (!report)
    return json_null();
  return json_pack("{s:i, s:i, s:i, s:i, s:O, s:O, s:O}", "passed", (int)total(report, "passed"), "warnings",
                   (int)total(report, "warning"), "failed", (int)(total(report, "failed") + total(report, "crashed")),
                   "skipped", (int)total(report, "skipped"), "conditions", json_object_get(report, "conditions"),
                   "trammel", json_object_get(report, "trammel"), "date", json_object_get(report, "date"));
}
