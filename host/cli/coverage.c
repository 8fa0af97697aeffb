#include "host/cli/coverage.h"

#include <errno.h>
#include <string.h>

#include "host/cli/text_table.h"
#include "sdk/base/strbuf.h"
#include "sdk/smi/index.h"

#define PB(name) Trammel__Adapter__V1__##name
#define LEVEL_EXACT TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_EXACT
#define LEVEL_APPROXIMATED TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_APPROXIMATED

static const char *level_name(PB(CoverageLevel) level) {
  return level == LEVEL_EXACT ? "exact" : level == LEVEL_APPROXIMATED ? "approximated" : "unsupported";
}

struct coverage_counts coverage_count(const PB(TranslateResponse) * response) {
  struct coverage_counts counts = {0};
  for (size_t i = 0; i < response->n_coverage; i++) {
    PB(CoverageLevel) level = response->coverage[i]->level;
    *(level == LEVEL_EXACT          ? &counts.exact
      : level == LEVEL_APPROXIMATED ? &counts.approximated
                                    : &counts.unsupported) += 1;
  }
  return counts;
}

/* ---- for people */

static void add_row(struct text_table *table, const PB(Coverage) * row) {
  static const PB(ResourceRef) nothing = TRAMMEL__ADAPTER__V1__RESOURCE_REF__INIT;
  const PB(ResourceRef) *ref = row->resource ? row->resource : &nothing;
  _cleanup_strbuf_ struct strbuf resource = STRBUF_INIT;
  strbuf_printf(&resource, "%s %s/%s", ref->kind, ref->namespace_, ref->name);
  table->failed |= strbuf_failed(&resource);
  text_table_add(table, strbuf_text(&resource));
  text_table_add(table, row->pointer);
  text_table_add(table, level_name(row->level));
  text_table_add(table, row->reason);
}

/* Adds rows until the table is full; how many there are. */
static size_t add_rows(struct text_table *table, const PB(TranslateResponse) * response, bool exact, size_t used) {
  for (size_t i = 0; i < response->n_coverage && used < COVERAGE_ROWS_MAX; i++)
    if ((response->coverage[i]->level == LEVEL_EXACT) == exact) {
      add_row(table, response->coverage[i]);
      used++;
    }
  return used;
}

int coverage_print(const PB(TranslateResponse) * response, FILE *out) {
  _cleanup_text_table_ struct text_table table = {.columns = 4};
  struct coverage_counts counts = coverage_count(response);
  static const char *const head[] = {"RESOURCE", "POINTER", "COVERAGE", "REASON"};
  for (size_t i = 0; i < ARRAY_COUNT(head) && response->n_coverage > 0; i++)
    text_table_add(&table, head[i]);
  if (response->n_coverage <= COVERAGE_ROWS_MAX)
    for (size_t i = 0; i < response->n_coverage; i++)
      add_row(&table, response->coverage[i]);
  else
    (void)add_rows(&table, response, true, add_rows(&table, response, false, 0));
  int r = text_table_print(&table, out);
  if (response->n_coverage > COVERAGE_ROWS_MAX)
    fprintf(out, "… and %zu more; --coverage FILE writes all of them\n", response->n_coverage - COVERAGE_ROWS_MAX);
  fprintf(out, "%zu exact, %zu approximated, %zu unsupported; %zu object%s\n", counts.exact, counts.approximated,
          counts.unsupported, response->n_objects, response->n_objects == 1 ? "" : "s");
  return r;
}

/* ---- as JSON */

static void put(json_t *object, const char *key, json_t *value, bool *failed) {
  if (json_object_set_new(object, key, value) < 0)
    *failed = true;
}

static struct position position_of(const struct smi_index *index, const PB(ResourceRef) * ref) {
  for (enum smi_kind kind = SMI_TRAFFIC_TARGET; kind <= SMI_IDENTITY_BINDING; kind++) {
    if (strcmp(smi_kind_name(kind), ref->kind) != 0)
      continue;
    const struct smi_meta *meta = smi_index_get(index, kind, ref->namespace_, ref->name);
    if (meta)
      return meta->position;
  }
  return (struct position){0};
}

static void put_position(json_t *to, const struct position *position, bool *failed) {
  if (position->file)
    put(to, "file", json_string(position->file), failed);
  if (position->line)
    put(to, "line", json_integer(position->line), failed);
}

static json_t *row_json(const PB(Coverage) * row, const struct smi_index *index, bool *failed) {
  json_t *to = json_object(), *objects = json_array();
  if (row->resource) {
    const struct position position = position_of(index, row->resource);
    put(to, "kind", json_string(row->resource->kind), failed);
    put(to, "namespace", json_string(row->resource->namespace_), failed);
    put(to, "name", json_string(row->resource->name), failed);
    put_position(to, &position, failed);
  }
  put(to, "pointer", json_string(row->pointer), failed);
  put(to, "level", json_string(level_name(row->level)), failed);
  if (*row->reason)
    put(to, "reason", json_string(row->reason), failed);
  for (size_t i = 0; i < row->n_objects; i++)
    if (json_array_append_new(objects, json_string(row->objects[i])) < 0)
      *failed = true;
  put(to, "objects", objects, failed);
  return to;
}

json_t *coverage_to_json(const PB(TranslateResponse) * response, const struct smi_set *set) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct smi_index index = {0};
  json_t *list = arena && smi_index_set(&index, arena, set) == 0 ? json_array() : NULL;
  bool failed = !list;
  for (size_t i = 0; i < response->n_coverage && !failed; i++)
    if (json_array_append_new(list, row_json(response->coverage[i], &index, &failed)) < 0)
      failed = true;
  if (!failed)
    return list;
  json_decref(list);
  return NULL;
}
