#include "host/report/report_read.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/conformance/trial.h"
#include "host/report/emit.h"
#include "host/report/matrix.h"
#include "host/report/report_read_internal.h"
#include "sdk/base/clock.h"
#include "sdk/base/schema.h"

/* docs/schema/conformance-report.json, put into the program by the build. */
extern const unsigned char report_schema[];
extern const size_t report_schema_length;

#define YEAR_LAST 2261 /* the last whole one that nanoseconds in an int64_t reach */

/* A run with what it owns. */
struct kept {
  struct run_result result; /* first: report_read_free() gets a pointer to it */
  struct arena *arena;      /* the document, and everything that is not JSON */
  struct case_result *cases;
};

const char *kept_text(const struct node *map, const char *key) {
  const struct node *value = node_get(map, key);
  return value ? value->text : NULL;
}

const char *kept_name(const struct node *map, const char *key) {
  const char *text = kept_text(map, key);
  return text && text[0] != '\0' ? text : NULL;
}

unsigned kept_number(struct fields *fields, const struct node *map, const char *key, unsigned most, unsigned fallback) {
  const struct node *value = node_get(map, key);
  if (!value)
    return fallback;
  if (value->integer >= 0 && value->integer <= (int64_t)most)
    return (unsigned)value->integer;
  fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" is %s; the most is %u", key, value->text, most);
  return 0;
}

int64_t kept_nanoseconds(struct fields *fields, const struct node *map, const char *key, int64_t most,
                         int64_t fallback) {
  const struct node *value = node_get(map, key);
  if (!value)
    return fallback;
  if (value->integer >= 0 && value->integer <= most)
    return value->integer;
  fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" is %s; the most is %" PRId64, key, value->text, most);
  return 0;
}

bool kept_flag(const struct node *map, const char *key) {
  const struct node *value = node_get(map, key);
  return value && value->boolean;
}

/* The inverse of time_text(). What reads the same again was a time. */
int64_t kept_time(struct fields *fields, const struct node *map, const char *key) {
  const struct node *value = node_get(map, key);
  struct tm parts = {0};
  int ms = 0;
  char again[TIME_TEXT_MAX];
  if (sscanf(value->text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
             &parts.tm_min, &parts.tm_sec, &ms) == 7 &&
      parts.tm_year >= 1970 && parts.tm_year <= YEAR_LAST) {
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    int64_t time_ns = (int64_t)timegm(&parts) * NS_PER_SECOND + ms * NS_PER_MS;
    if (strcmp(time_text(time_ns, again), value->text) == 0)
      return time_ns;
  }
  fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" is %s, which is no time from 1970 to %d", key, value->text,
                  YEAR_LAST);
  return 0;
}

json_t *kept_value(struct fields *fields, const struct node *map, const char *key) {
  const struct node *value = node_get(map, key);
  return value ? fields_checked(fields, node_to_json(value)) : NULL;
}

const char *const *kept_texts(struct fields *fields, const struct node *map, const char *key, size_t *ret_count) {
  const struct node *list = node_get(map, key);
  *ret_count = 0;
  if (!list)
    return NULL;
  const char **texts = fields_checked(fields, arena_array(fields->arena, list->count, sizeof(*texts)));
  for (size_t i = 0; texts && i < list->count; i++)
    texts[i] = list->items[i]->text;
  *ret_count = texts ? list->count : 0;
  return texts;
}

enum smi_group kept_group(const struct node *map) {
  const char *name = kept_text(map, "group");
  enum smi_group group = SMI_ACCESS;
  while (group < SMI_METRICS && strcmp(smi_group_name(group), name) != 0)
    group++;
  return group;
}

struct smi_version kept_version(struct fields *fields, const struct node *map, const char *key, enum smi_group group) {
  const struct node *value = node_get(map, key);
  if (!value)
    return (struct smi_version){0};
  unsigned alpha = (unsigned)(value->text[sizeof("v1alpha") - 1] - '0');
  if (alpha < MATRIX_COLUMNS)
    return (struct smi_version){.group = group, .alpha = (uint8_t)alpha};
  fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" is %s; there is no version beyond v1alpha%d", key,
                  value->text, MATRIX_COLUMNS - 1);
  return (struct smi_version){0};
}

/* ---- the document */

/* Checks against the schema, and adds to each diagnostic where in the file it is. */
static int validate(const struct node *root, struct diagnostics *diagnostics) {
  json_auto_t *schema = json_loadb((const char *)report_schema, report_schema_length, 0, NULL);
  json_auto_t *value = node_to_json(root);
  _cleanup_diagnostics_ struct diagnostics *found = diagnostics_create();
  if (!schema || !value || !found)
    return -ENOMEM;
  int r = schema_validate(schema, value, NULL, found);
  for (size_t i = 0; i < diagnostics_count(found); i++) {
    struct diagnostic diagnostic = *diagnostics_at(found, i);
    diagnostic.position = node_nearest(root, diagnostic.pointer ? diagnostic.pointer : "")->position;
    if (diagnostics_add(diagnostics, &diagnostic) < 0)
      return -ENOMEM;
  }
  return r;
}

static int read_document(struct arena *arena, const char *file, const void *data, size_t length,
                         struct diagnostics *diagnostics, const struct node **ret_root) {
  static const struct document_limits limits = {
      .bytes = REPORT_BYTES_MAX, .depth = DOCUMENT_DEPTH_MAX, .nodes = REPORT_NODES_MAX, .documents = 1};
  struct document_list documents = {0};
  int r = document_read(arena, file, data, length, DOCUMENT_JSON, &limits, diagnostics, &documents);
  if (r < 0)
    return r;
  if (documents.count != 1)
    return -EINVAL;
  *ret_root = documents.roots[0];
  return validate(*ret_root, diagnostics);
}

/* ---- the run */

static void read_mesh(const struct node *map, struct run_result *run) {
  run->mesh_name = kept_name(map, "name");
  run->mesh_type = kept_text(map, "type");
  run->mesh_version = kept_text(map, "version");
}

static void read_adapter(struct fields *fields, const struct node *map, struct run_result *run) {
  run->adapter_id = kept_name(map, "id");
  run->adapter_version = kept_text(map, "version");
  run->adapter_digest = kept_text(map, "sha256");
  run->adapter_path = kept_text(map, "path");
  run->config = kept_value(fields, map, "config");
}

static enum support support_from(const char *name) {
  enum support support = SUPPORT_UNSUPPORTED;
  while (support < SUPPORT_LAST && strcmp(support_name(support), name) != 0)
    support++;
  return support;
}

static void read_support(struct fields *fields, const struct node *list, struct run_result *run) {
  if (!list)
    return;
  struct version_support *support = fields_checked(fields, arena_array(fields->arena, list->count, sizeof(*support)));
  for (size_t i = 0; support && i < list->count; i++) {
    const struct node *map = list->items[i];
    support[i].version = kept_version(fields, map, "version", kept_group(map));
    support[i].support = support_from(kept_text(map, "support"));
  }
  run->support = support;
  run->support_count = support ? list->count : 0;
}

/* A string of digits, because many readers of JSON round large numbers. */
static uint64_t read_seed(struct fields *fields, const struct node *root) {
  const struct node *seed = node_get(root, "seed");
  errno = 0;
  unsigned long long value = strtoull(seed->text, NULL, 10);
  if (errno != 0)
    fields_complain(fields, seed, FIELD_VALUE, NULL, "\"seed\" is %s; it has at most 64 bits", seed->text);
  return value;
}

static void read_cases(struct fields *fields, const struct node *list, struct kept *kept) {
  size_t count = fields_count(fields, list, "cases", REPORT_CASES_MAX);
  kept->cases = fields_checked(fields, arena_array(fields->arena, count, sizeof(*kept->cases)));
  kept->result.cases = kept->cases;
  for (size_t i = 0; kept->cases && i < count; i++) {
    kept->result.case_count = i + 1;
    kept_case(fields, list->items[i], &kept->cases[i]);
  }
}

static void read_run(struct fields *fields, const struct node *root, struct kept *kept) {
  struct run_result *run = &kept->result;
  const struct node *totals = node_get(root, "totals");
  run->id = kept_name(root, "id");
  run->trammel_version = kept_name(root, "trammelVersion");
  run->suite = kept_name(root, "suite");
  read_mesh(node_get(root, "mesh"), run);
  read_adapter(fields, node_get(root, "adapter"), run);
  run->lab = kept_name(root, "lab");
  run->seed = read_seed(fields, root);
  run->command = kept_text(root, "command");
  run->reproduce = kept_text(root, "reproduce");
  run->started_ns = kept_time(fields, root, "started");
  run->duration_ns = kept_nanoseconds(fields, root, "durationNs", REPORT_RUN_NS_MAX, 0);
  run->interrupted = kept_flag(root, "interrupted");
  run->stop_reason = kept_text(root, "stopReason");
  run->planned = kept_number(fields, totals, "planned", UINT_MAX, 0);
  run->not_applicable = kept_number(fields, totals, "notApplicable", UINT_MAX, 0);
  run->tested = kept_texts(fields, root, "testedRequirements", &run->tested_count);
  read_support(fields, node_get(root, "smi"), run);
  read_cases(fields, node_get(root, "cases"), kept);
}

int report_read(const char *file, const void *data, size_t length, struct diagnostics *diagnostics,
                struct run_result **ret_run) {
  struct kept *kept = calloc(1, sizeof(*kept));
  if (!kept)
    return -ENOMEM;
  _cleanup_report_ struct run_result *run = &kept->result;
  kept->arena = arena_create(0);
  if (!kept->arena)
    return -ENOMEM;
  const struct node *root = NULL;
  int r = read_document(kept->arena, file, data, length, diagnostics, &root);
  if (r < 0)
    return r;
  struct fields fields = {.prefix = "REPORT", .arena = kept->arena, .diagnostics = diagnostics};
  read_run(&fields, root, kept);
  r = fields_status(&fields);
  if (r == 0)
    *ret_run = take(run);
  return r;
}

int report_read_file(const char *path, struct diagnostics *diagnostics, struct run_result **ret_run,
                     struct error **err) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  int r = file_read(path, REPORT_BYTES_MAX, &data, &length, err);
  if (r < 0)
    return r;
  r = report_read(path, data, length, diagnostics, ret_run);
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "reading %s: no memory", path);
  return r < 0
             ? error_set(err, -r,
                         "%s is no report that this Trammel reads: it takes what `trammel conformance run -o json` of "
                         "this or an older version wrote",
                         path)
             : 0;
}

void report_read_free(struct run_result *run) {
  if (!run)
    return;
  struct kept *kept = (struct kept *)run;
  for (size_t i = 0; i < run->case_count; i++)
    case_result_finish(&kept->cases[i]);
  json_decref(run->config);
  arena_destroy(kept->arena);
  free(kept);
}
