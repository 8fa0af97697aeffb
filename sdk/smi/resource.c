/* Reading one resource whose kind and version are known. */
#include <errno.h>
#include <string.h>

#include "sdk/base/strbuf.h"
#include "sdk/smi/bodies.h"
#include "sdk/smi/catalogue.h"
#include "sdk/smi/port.h"
#include "sdk/smi/reader.h"

/* So many fields of the metadata that are not read are named. */
#define NOT_READ_SHOWN 8

static void read_meta_text(struct reading *reading, const struct node *metadata, const char *key, enum text_rule rule,
                           const char **ret_text) {
  const struct node *value = node_get(metadata, key);

  if (value && value->kind != NODE_NULL)
    *ret_text = reading_text(reading, value, rule);
}

/* What the set keeps of the metadata, and what the cluster fills in by itself. */
static bool is_known_in_metadata(const char *key) {
  static const char *const names[] = {"name",          "namespace",       "labels",     "annotations",
                                      "uid",           "resourceVersion", "generation", "creationTimestamp",
                                      "managedFields", "selfLink"};

  for (size_t i = 0; i < ARRAY_COUNT(names); i++)
    if (strcmp(names[i], key) == 0)
      return true;
  return false;
}

/* The other fields of the metadata, for conversions to tell; NULL when there are none. */
static const char *fields_not_read(struct reading *reading, const struct node *metadata) {
  _cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
  size_t count = 0;

  for (size_t i = 0; i < metadata->count && count <= NOT_READ_SHOWN; i++) {
    const struct entry *entry = &metadata->entries[i];

    if (entry->value->kind == NODE_NULL || is_known_in_metadata(entry->key))
      continue;
    if (count++ < NOT_READ_SHOWN)
      strbuf_printf(&names, "%s%s", count > 1 ? ", " : "", text_shown(reading->arena, entry->key));
    else
      strbuf_puts(&names, " and others");
  }
  if (strbuf_failed(&names))
    reading->error = -ENOMEM;
  return count > 0 ? reading_strdup(reading, strbuf_text(&names)) : NULL;
}

/* Metadata has many fields that are none of SMI's business: only those used are looked at. */
static void read_meta(struct smi_reader *reader, struct reading *reading, const struct node *root,
                      struct smi_meta *meta) {
  const struct node *metadata = node_get(root, "metadata");
  const struct node *labels, *annotations;

  meta->ns = reader->default_namespace;
  meta->ns_implied = !reader->ns_given;
  if (!metadata || metadata->kind == NODE_NULL) {
    reading_error(reading, "SMI-0007", root, NULL, "add `metadata` with a `name`", "a %s needs `metadata`",
                  smi_kind_name(meta->kind));
    return;
  }
  if (!reading_expect(reading, metadata, NODE_MAP))
    return;
  read_meta_text(reading, metadata, "name", TEXT_SUBDOMAIN, &meta->name);
  read_meta_text(reading, metadata, "namespace", TEXT_LABEL, &meta->ns);
  meta->ns_implied = meta->ns_implied && meta->ns == reader->default_namespace;
  if (!meta->name && !reading->failed)
    reading_error(reading, "SMI-0007", metadata, NULL,
                  node_get(metadata, "generateName") ? "write a `name`: others refer to the resource by it" : NULL,
                  "the metadata of a %s needs a `name`", smi_kind_name(meta->kind));
  labels = node_get(metadata, "labels");
  annotations = node_get(metadata, "annotations");
  if (labels && labels->kind != NODE_NULL)
    read_labels(reading, labels, &meta->labels, &meta->label_count);
  if (annotations && annotations->kind != NODE_NULL)
    read_labels(reading, annotations, &meta->annotations, &meta->annotation_count);
  meta->synthesised = meta->kind == SMI_TCP_ROUTE && smi_port_of(meta) != NULL;
  meta->not_read = fields_not_read(reading, metadata);
}

static bool is_resource_field(const char *key) {
  static const char *const names[] = {"apiVersion", "kind", "metadata", "status"};

  for (size_t i = 0; i < ARRAY_COUNT(names); i++)
    if (strcmp(names[i], key) == 0)
      return true;
  return false;
}

/* A body that stands beside metadata although its version has it under `spec`, or the other way round. */
static bool report_misplaced(struct reading *reading, const struct shape *shape, const struct node *root) {
  const char *group = smi_group_name(reading->version.group);
  bool misplaced = false;

  for (size_t i = 0; i < root->count; i++) {
    const struct entry *entry = &root->entries[i];
    bool known = shape_field(shape, reading->version, entry->key) != NULL;

    if (is_resource_field(entry->key) || strcmp(entry->key, "spec") == 0)
      continue;
    reading_error_key(
        reading, "SMI-0006", entry,
        reading_printf(reading,
                       "from %s v1alpha%u on, everything but apiVersion, kind and metadata stands under `spec`", group,
                       reading->version.group == SMI_SPECS    ? 3
                       : reading->version.group == SMI_ACCESS ? 2
                                                              : 1),
        known ? "move it under `spec`" : "take it out", "`%s` stands outside `spec`",
        text_shown(reading->arena, entry->key));
    misplaced = misplaced || known;
  }
  return misplaced;
}

static void read_body_in_spec(struct reading *reading, const struct shape *shape, const struct node *root,
                              void *resource) {
  bool misplaced = report_misplaced(reading, shape, root);
  const struct node *spec = node_get(root, "spec");

  if (spec && spec->kind != NODE_NULL) {
    shape_read(reading, shape, spec, NULL, resource);
    return;
  }
  for (size_t i = 0; i < shape->field_count && !misplaced; i++)
    if (shape->fields[i].required && field_in(&shape->fields[i], reading->version)) {
      reading_error(reading, "SMI-0007", root, NULL, NULL, "%s needs the field `spec`", shape->what);
      return;
    }
}

static void read_body_beside_meta(struct reading *reading, const struct shape *shape, const struct node *root,
                                  void *resource) {
  const struct entry *spec = node_entry(root, "spec");

  if (!spec) {
    shape_read(reading, shape, root, is_resource_field, resource);
    return;
  }
  reading_error_key(reading, "SMI-0006", spec, NULL,
                    reading->version.group == SMI_SPECS
                        ? "put its fields beside `metadata`, or write apiVersion: specs.smi-spec.io/v1alpha3 or newer"
                        : "put its fields beside `metadata`, or write apiVersion: access.smi-spec.io/v1alpha2 or newer",
                    "%s v1alpha%u has no `spec`", smi_group_name(reading->version.group), reading->version.alpha);
}

static int keep(struct smi_reader *reader, struct reading *reading, enum smi_kind kind, void *resource) {
  struct smi_port_wish *wish = NULL;

  if (reading->port.number) {
    wish = arena_new(reader->arena, struct smi_port_wish);
    if (!wish)
      return -ENOMEM;
    *wish = (struct smi_port_wish){reading->port.number, reading->port.pointer,
                                   reader_position(reader, reading->port.position)};
  }
  return kept_append(reader, reader_list(reader, kind), resource, wish);
}

int resource_read(struct smi_reader *reader, const struct node *root, enum smi_kind kind, struct smi_version version) {
  const struct body *body = body_of(kind);
  struct smi_meta *meta;
  struct reading reading = {.arena = reader->arena, .diagnostics = reader->diagnostics, .version = version};
  void *resource;

  if (reader->count >= SMI_RESOURCES_MAX) {
    int r = reader_refuse(reader, "SMI-0014", root, NULL, "read them in several sets",
                          arena_printf(reader->arena, "more than %d resources", SMI_RESOURCES_MAX));
    return r == -EINVAL ? -E2BIG : r;
  }
  reader->count++;
  resource = arena_alloc(reader->arena, body->size);
  if (!resource)
    return -ENOMEM;
  meta = resource;
  *meta = (struct smi_meta){.kind = kind,
                            .version = version,
                            .position = reader_position(reader, root->position),
                            .node = reader->documents_stay ? root : NULL};
  reading.meta = meta;
  read_meta(reader, &reading, root, meta);
  if (smi_body_in_spec(version))
    read_body_in_spec(&reading, body->shape, root, resource);
  else
    read_body_beside_meta(&reading, body->shape, root, resource);
  if (reading.error)
    return reading.error;
  return reading.failed ? -EINVAL : keep(reader, &reading, kind, resource);
}
