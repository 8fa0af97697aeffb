#include "sdk/smi/lint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sdk/smi/linting.h"
#include "sdk/smi/place.h"

void lint_report(struct linting *linting, enum severity severity, const char *code, const struct smi_meta *meta,
                 const char *pointer, const char *remedy, const char *format, ...) {
  char summary[1024];
  struct smi_place place = smi_place(linting->arena, meta, pointer);
  struct diagnostic diagnostic = {
      .severity = severity, .code = code, .pointer = place.pointer, .position = place.position, .remedy = remedy};
  va_list args;

  va_start(args, format);
  (void)vsnprintf(summary, sizeof(summary), format, args);
  va_end(args);
  linting->failed = linting->failed || severity == SEVERITY_ERROR;
  if (diagnostics_addf(linting->diagnostics, &diagnostic, "%s %s/%s: %s", smi_kind_name(meta->kind), meta->ns,
                       text_shown(linting->arena, meta->name), summary) < 0)
    linting->error = -ENOMEM;
}

const char *lint_pointer(struct linting *linting, const struct smi_meta *meta, const char *format, ...) {
  const char *text;
  va_list args;

  va_start(args, format);
  text = smi_pointer(linting->arena, format, args);
  va_end(args);
  return arena_printf(linting->arena, "%s%s", meta->version.group && !smi_body_in_spec(meta->version) ? "" : "/spec",
                      text ? text : "");
}

static int compare_texts(const void *a, const void *b) {
  const struct lint_text *left = a, *right = b;
  int r = strcmp(left->text, right->text);

  return r != 0 ? r : (left->index > right->index) - (left->index < right->index);
}

struct lint_text *lint_texts(struct linting *linting, size_t count) {
  struct lint_text *texts = arena_array(linting->arena, count, sizeof(*texts));

  if (!texts)
    linting->error = -ENOMEM;
  return texts;
}

void lint_repeated(struct linting *linting, struct lint_text *texts, size_t count,
                   void (*report)(struct linting *linting, const void *of, const struct lint_text *repeated),
                   const void *of) {
  if (count > 1)
    qsort(texts, count, sizeof(*texts), compare_texts);
  for (size_t i = 1; i < count; i++)
    if (strcmp(texts[i].text, texts[i - 1].text) == 0)
      report(linting, of, &texts[i]);
}

/* Parsers give none of these; sets from elsewhere might. */
static bool is_complete(const struct smi_meta *meta) {
  return meta->name && *meta->name && meta->ns && *meta->ns;
}

static bool check_complete(struct linting *linting, const struct smi_meta *meta) {
  struct smi_meta shown = *meta;

  if (is_complete(meta))
    return true;
  shown.name = meta->name ? meta->name : "";
  shown.ns = meta->ns ? meta->ns : "";
  lint_report(linting, SEVERITY_ERROR, "SMI-0221", &shown, "/metadata", "give it a name and a namespace",
              "a name is empty");
  return false;
}

/* Nothing else can be said about a set whose resources have no names. */
static bool all_complete(struct linting *linting, const struct smi_set *set) {
  bool complete = true;

  for (size_t i = 0; i < set->target_count; i++)
    complete = check_complete(linting, &set->targets[i].meta) && complete;
  for (size_t i = 0; i < set->route_group_count; i++)
    complete = check_complete(linting, &set->route_groups[i].meta) && complete;
  for (size_t i = 0; i < set->port_route_count; i++)
    complete = check_complete(linting, &set->port_routes[i].meta) && complete;
  for (size_t i = 0; i < set->split_count; i++)
    complete = check_complete(linting, &set->splits[i].meta) && complete;
  for (size_t i = 0; i < set->binding_count; i++)
    complete = check_complete(linting, &set->bindings[i].meta) && complete;
  return complete;
}

/* The index has resources of one name side by side. Routes made by the parse repeat only when their targets do; an
 * annotation, which anyone can write, makes none of these. */
static void lint_duplicates(struct linting *linting) {
  const struct smi_index *index = &linting->resources;

  for (size_t i = 1; i < index->count; i++) {
    const struct smi_meta *first = index->entries[i - 1].meta, *meta = index->entries[i].meta;

    if (!smi_index_same(&index->entries[i - 1], &index->entries[i]) || meta->made)
      continue;
    lint_report(linting, SEVERITY_ERROR, "SMI-0203", meta, "/metadata/name", "rename one, or take it out",
                "another %s of this name is at %s:%u", smi_kind_name(meta->kind),
                first->position.file ? first->position.file : "line", first->position.line);
  }
}

/* All at once, since many rules may refer to one large group. */
static int index_matches(struct linting *linting) {
  const struct smi_set *set = linting->set;
  size_t count = 0;
  int r;

  for (size_t i = 0; i < set->route_group_count; i++)
    count += set->route_groups[i].match_count;
  r = smi_index_init(&linting->matches, linting->arena, count);
  for (size_t i = 0; r == 0 && i < set->route_group_count; i++) {
    const struct smi_http_route_group *group = &set->route_groups[i];
    const char *key = arena_printf(linting->arena, "%s/%s", group->meta.ns, group->meta.name);

    for (size_t j = 0; key && j < group->match_count; j++)
      if (group->matches[j].name)
        smi_index_add(&linting->matches, SMI_HTTP_ROUTE_GROUP, key, group->matches[j].name, &group->meta);
    r = key ? 0 : -ENOMEM;
  }
  smi_index_sort(&linting->matches);
  return r;
}

int smi_lint_duplicates(const struct smi_set *set, struct diagnostics *diagnostics) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct linting linting = {.set = set, .arena = arena, .diagnostics = diagnostics};

  if (!arena || smi_index_set(&linting.resources, arena, set) < 0)
    return -ENOMEM;
  lint_duplicates(&linting);
  if (linting.error)
    return linting.error;
  return linting.failed ? -EINVAL : 0;
}

int smi_lint(const struct smi_set *set, struct diagnostics *diagnostics) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct linting linting = {.set = set, .arena = arena, .diagnostics = diagnostics};

  if (!arena)
    return -ENOMEM;
  if (!all_complete(&linting, set))
    return linting.error ? linting.error : -EINVAL;
  if (smi_index_set(&linting.resources, arena, set) < 0 || index_matches(&linting) < 0)
    return -ENOMEM;
  lint_duplicates(&linting);
  lint_access(&linting);
  lint_specs(&linting);
  lint_splits(&linting);
  if (linting.error)
    return linting.error;
  return linting.failed ? -EINVAL : 0;
}
