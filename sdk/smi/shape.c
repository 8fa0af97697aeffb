#include "sdk/smi/shape.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "sdk/base/strbuf.h"
#include "sdk/smi/parse.h"

bool field_in(const struct field *field, struct smi_version version) {
  return version.alpha >= field->since && (field->until == 0 || version.alpha <= field->until);
}

const struct field *shape_field(const struct shape *shape, struct smi_version version, const char *name) {
  for (size_t i = 0; i < shape->field_count; i++)
    if (strcmp(shape->fields[i].name, name) == 0 && field_in(&shape->fields[i], version))
      return &shape->fields[i];
  return NULL;
}

/* "access v1alpha3 has it", "access v1alpha1 and v1alpha2 have it" for a field that another version has; NULL if none
 * has. */
static const char *other_versions(struct reading *reading, const struct shape *shape, const char *name) {
  const char *group = smi_group_name(reading->version.group);

  for (size_t i = 0; i < shape->field_count; i++) {
    const struct field *field = &shape->fields[i];

    if (strcmp(field->name, name) != 0)
      continue;
    if (field->until == 0)
      return reading_printf(reading, "%s has `%s` from v1alpha%u on", group, name, field->since);
    if (field->until == field->since)
      return reading_printf(reading, "only %s v1alpha%u has `%s`", group, field->since, name);
    return reading_printf(reading, "%s v1alpha%u to v1alpha%u have `%s`", group, field->since, field->until, name);
  }
  return NULL;
}

static const char *known_fields(struct reading *reading, const struct shape *shape) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

  for (size_t i = 0; i < shape->field_count; i++)
    if (field_in(&shape->fields[i], reading->version))
      strbuf_printf(&text, "%s%s", text.length ? ", " : "", shape->fields[i].name);
  if (strbuf_failed(&text))
    reading->error = -ENOMEM;
  if (text.length == 0)
    return reading_printf(reading, "%s has no fields in v1alpha%u", shape->what, reading->version.alpha);
  return reading_printf(reading, "%s has the fields: %s", shape->what, strbuf_text(&text));
}

static const char *mistake_remedy(struct reading *reading, const struct shape *shape, const char *name) {
  for (size_t i = 0; i < shape->mistake_count; i++) {
    const struct mistake *mistake = &shape->mistakes[i];

    if (strcmp(mistake->field, name) == 0 && reading->version.alpha >= mistake->since &&
        reading->version.alpha <= mistake->until)
      return mistake->remedy;
  }
  for (size_t i = 0; i < shape->field_count; i++)
    if (strcasecmp(shape->fields[i].name, name) == 0 && strcmp(shape->fields[i].name, name) != 0 &&
        field_in(&shape->fields[i], reading->version))
      return reading_printf(reading, "write `%s`: field names are case-sensitive", shape->fields[i].name);
  return NULL;
}

static void report_unknown(struct reading *reading, const struct shape *shape, const struct entry *entry) {
  const char *elsewhere = other_versions(reading, shape, entry->key);
  const char *remedy = mistake_remedy(reading, shape, entry->key);

  reading_error_key(reading, "SMI-0006", entry, elsewhere ? elsewhere : known_fields(reading, shape),
                    remedy ? remedy : "take it out, or use a version that has it",
                    "%s of %s v1alpha%u has no field `%s`", shape->what, smi_group_name(reading->version.group),
                    reading->version.alpha, text_shown(reading->arena, entry->key));
}

static void read_texts(struct reading *reading, const struct field *field, const struct node *list, void *target) {
  const char **texts;

  if (!reading_expect(reading, list, NODE_LIST) || !reading_list_fits(reading, list))
    return;
  texts = reading_alloc(reading, list->count, sizeof(*texts));
  for (size_t i = 0; texts && i < list->count; i++)
    texts[i] = reading_text(reading, list->items[i], field->rule);
  if (!texts)
    return;
  memcpy((char *)target + field->offset, &texts, sizeof(texts));
  memcpy((char *)target + field->count_offset, &list->count, sizeof(list->count));
}

static void read_list(struct reading *reading, const struct field *field, const struct node *list, void *target) {
  char *items;

  if (!reading_expect(reading, list, NODE_LIST) || !reading_list_fits(reading, list))
    return;
  items = reading_alloc(reading, list->count, field->item_size);
  for (size_t i = 0; items && i < list->count; i++)
    shape_read(reading, field->shape, list->items[i], NULL, items + i * field->item_size);
  if (!items)
    return;
  memcpy((char *)target + field->offset, &items, sizeof(items));
  memcpy((char *)target + field->count_offset, &list->count, sizeof(list->count));
}

static void read_field(struct reading *reading, const struct field *field, const struct node *value, void *target) {
  const char *text;

  switch (field->type) {
  case FIELD_TEXT:
    text = reading_text(reading, value, field->rule);
    memcpy((char *)target + field->offset, &text, sizeof(text));
    break;
  case FIELD_TEXTS:
    read_texts(reading, field, value, target);
    break;
  case FIELD_OBJECT:
    shape_read(reading, field->shape, value, NULL, (char *)target + field->offset);
    break;
  case FIELD_LIST:
    read_list(reading, field, value, target);
    break;
  case FIELD_CUSTOM:
    field->read(reading, value, target);
    break;
  }
}

void shape_read(struct reading *reading, const struct shape *shape, const struct node *node,
                bool (*is_other)(const char *key), void *target) {
  if (!reading_expect(reading, node, NODE_MAP))
    return;
  for (size_t i = 0; i < node->count; i++) {
    const struct entry *entry = &node->entries[i];
    const struct field *field = shape_field(shape, reading->version, entry->key);

    if (!field && (!is_other || !is_other(entry->key)))
      report_unknown(reading, shape, entry);
    /* null is absent, as Kubernetes reads it. */
    if (field && entry->value->kind != NODE_NULL)
      read_field(reading, field, entry->value, target);
  }
  for (size_t i = 0; i < shape->field_count; i++) {
    const struct field *field = &shape->fields[i];
    const struct node *value = node_get(node, field->name);

    if (field->required && field_in(field, reading->version) && (!value || value->kind == NODE_NULL))
      reading_error(reading, "SMI-0007", node, known_fields(reading, shape), NULL, "%s needs the field `%s`",
                    shape->what, field->name);
  }
  if (shape->finish)
    shape->finish(reading, node, target);
}
