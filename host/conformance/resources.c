#include <errno.h>
#include <string.h>

#include "host/conformance/case_read.h"
#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"
#include "sdk/smi/parse.h"

/* Deeper than any SMI resource. */
#define RESOURCE_DEPTH_MAX 32

/* Replaces ${alias} in copies of a case's resources. */
struct substitution {
  struct fields fields;
  const char *(*lookup)(void *ctx, const char *alias);
  void *ctx;
};

static const struct node *copy_node(struct substitution *s, const struct node *node, const struct node *parent,
                                    unsigned depth);

/* Appends the namespace that stands for the alias at `text`, "main}…". Returns the length up to and with the brace. */
static size_t append_alias(struct substitution *s, const struct node *node, const char *text, struct strbuf *out) {
  size_t length = strcspn(text, "}");
  const char *alias = fields_checked(&s->fields, arena_strndup(s->fields.arena, text, length));
  if (!alias)
    return length;
  const char *ns = label_is_valid(alias) ? s->lookup(s->ctx, alias) : NULL;
  if (text[length] == '}' && ns) {
    strbuf_puts(out, ns);
    return length + 1;
  }
  fields_complain(&s->fields, node, CASE_UNKNOWN_ALIAS, "Use the alias of a namespace of the case's topology.",
                  text[length] == '}' ? "${%s} is no namespace" : "${%s has no closing brace", alias);
  return text[length] == '}' ? length + 1 : length;
}

static bool substitute_text(struct substitution *s, const struct node *node, struct node *copy) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  const char *at = node->text;
  for (const char *open = strstr(at, "${"); open; open = strstr(at, "${")) {
    strbuf_append(&text, at, (size_t)(open - at));
    at = open + 2;
    at += append_alias(s, node, at, &text);
  }
  strbuf_puts(&text, at);
  copy->text = strbuf_failed(&text) ? NULL : arena_strdup(s->fields.arena, strbuf_text(&text));
  copy->length = (uint32_t)text.length;
  return fields_checked(&s->fields, (void *)copy->text) != NULL;
}

static bool copy_items(struct substitution *s, const struct node *node, struct node *copy, unsigned depth) {
  const struct node **items =
      fields_checked(&s->fields, arena_array(s->fields.arena, node->count, sizeof(const struct node *)));
  copy->items = items;
  for (size_t i = 0; items && i < node->count; i++)
    if (!(items[i] = copy_node(s, node->items[i], copy, depth + 1)))
      return false;
  return items != NULL;
}

static bool copy_entries(struct substitution *s, const struct node *node, struct node *copy, unsigned depth) {
  struct entry *entries = fields_checked(&s->fields, arena_array(s->fields.arena, node->count, sizeof(*entries)));
  copy->entries = entries;
  for (size_t i = 0; entries && i < node->count; i++) {
    entries[i] = node->entries[i];
    if (!(entries[i].value = copy_node(s, node->entries[i].value, copy, depth + 1)))
      return false;
  }
  return entries != NULL;
}

static const struct node *copy_node(struct substitution *s, const struct node *node, const struct node *parent,
                                    unsigned depth) {
  if (depth > RESOURCE_DEPTH_MAX) {
    fields_complain(&s->fields, node, FIELD_TOO_MANY, NULL, "a resource is nested deeper than %d levels",
                    RESOURCE_DEPTH_MAX);
    return NULL;
  }
  struct node *copy = fields_checked(&s->fields, arena_new(s->fields.arena, struct node));
  if (!copy)
    return NULL;
  *copy = *node;
  copy->parent = parent;
  bool good = true;
  if (node->kind == NODE_STRING)
    good = substitute_text(s, node, copy);
  else if (node->kind == NODE_LIST)
    good = copy_items(s, node, copy, depth);
  else if (node->kind == NODE_MAP)
    good = copy_entries(s, node, copy, depth);
  return good ? copy : NULL;
}

static int substitute_all(struct substitution *s, const struct node *list, struct document_list *ret_documents) {
  const struct node **roots =
      fields_checked(&s->fields, arena_array(s->fields.arena, list->count, sizeof(const struct node *)));
  size_t count = 0;
  for (size_t i = 0; roots && i < list->count; i++)
    if ((roots[count] = copy_node(s, list->items[i], NULL, 0)))
      count++;
  *ret_documents = (struct document_list){.count = count, .roots = roots};
  return fields_status(&s->fields);
}

int case_resources(const struct test_case *test, struct arena *arena,
                   const char *(*lookup)(void *ctx, const char *alias), void *ctx, struct smi_set *ret_set,
                   struct diagnostics *diagnostics, struct error **err) {
  struct substitution substitution = {
      .fields = {.prefix = "CASE", .arena = arena, .diagnostics = diagnostics}, .lookup = lookup, .ctx = ctx};
  struct document_list documents;
  int r = substitute_all(&substitution, test->resources, &documents);
  if (r == 0) {
    struct smi_parse_options options = {.default_namespace = lookup(ctx, TOPOLOGY_NAMESPACE_DEFAULT)};
    r = smi_parse(arena, &documents, &options, diagnostics, ret_set);
  }
  if (r < 0)
    return error_set(err, -r, "the resources of case %s: %s", test->id,
                     r == -ENOMEM ? "no memory" : "they are no valid SMI");
  return 0;
}

static bool resource_is_of(const json_t *resource, enum smi_group group) {
  const char *text = json_string_value(json_object_get(resource, "apiVersion"));
  struct smi_version version;
  return text && smi_version_parse(text, &version) == 0 && version.group == group;
}

static void remove_group(json_t *resources, enum smi_group group) {
  for (size_t i = json_array_size(resources); i-- > 0;)
    if (resource_is_of(json_array_get(resources, i), group))
      json_array_remove(resources, i);
}

/* Takes over `resource`, which may be NULL. */
static int append_in_namespace(json_t *resources, json_t *resource, const char *ns) {
  json_t *metadata = json_object_get(resource, "metadata");
  bool good = metadata && (json_object_get(metadata, "namespace") ||
                           json_object_set_new(metadata, "namespace", json_string(ns)) == 0);
  good = good && json_array_append(resources, resource) == 0;
  json_decref(resource);
  return good ? 0 : -ENOMEM;
}

int case_resources_as_written(const struct test_case *test, struct arena *arena,
                              const char *(*lookup)(void *ctx, const char *alias), void *ctx, json_t *resources,
                              struct error **err) {
  enum smi_group group = test->written_in.group;
  if (group == 0)
    return 0;
  struct substitution substitution = {.fields = {.prefix = "CASE", .arena = arena}, .lookup = lookup, .ctx = ctx};
  struct document_list documents;
  int r = substitute_all(&substitution, test->resources, &documents);
  if (r == 0)
    remove_group(resources, group);
  for (size_t i = 0; r == 0 && i < documents.count; i++) {
    json_t *resource = node_to_json(documents.roots[i]);
    if (!resource || resource_is_of(resource, group))
      r = append_in_namespace(resources, resource, lookup(ctx, TOPOLOGY_NAMESPACE_DEFAULT));
    else
      json_decref(resource);
  }
  return r < 0 ? error_set(err, -r, "the resources of case %s: %s", test->id,
                           r == -ENOMEM ? "no memory" : "they name an unknown namespace")
               : 0;
}

int case_invalid_resource(const struct test_case *test, const struct resource_name *name, struct arena *arena,
                          const char *(*lookup)(void *ctx, const char *alias), void *ctx, json_t **ret_resource,
                          struct error **err) {
  struct substitution substitution = {.fields = {.prefix = "CASE", .arena = arena}, .lookup = lookup, .ctx = ctx};
  struct document_list documents;
  int r = substitute_all(&substitution, test->invalid, &documents);
  for (size_t i = 0; r == 0 && i < documents.count; i++) {
    struct resource_name found = resource_name_of(documents.roots[i]);
    if (found.kind != name->kind || strcmp(found.name, name->name) != 0)
      continue;
    *ret_resource = node_to_json(documents.roots[i]);
    return *ret_resource ? 0 : error_set(err, ENOMEM, "the resources of case %s: no memory", test->id);
  }
  return error_set(err, r < 0 ? -r : ENOENT, "the case %s has no invalid resource %s", test->id, name->name);
}

struct alias_context {
  const struct topology *topology;
};

/* While a case is read its namespaces are called what their aliases are called. */
static const char *alias_known(void *ctx, const char *alias) {
  const struct alias_context *context = ctx;
  return topology_has_namespace(context->topology, alias) ? alias : NULL;
}

static struct smi_version hub_version(enum smi_group group) {
  return (struct smi_version){.group = group, .alpha = group == SMI_ACCESS ? 3 : 4};
}

/* A case is written in the hub form, or in one version for the group it is about. An apiVersion that is none is left to
 * the SMI parser. */
static void check_version(struct fields *fields, const struct node *resource, struct smi_version written_in) {
  const struct node *node = node_get(resource, "apiVersion");
  struct smi_version version;
  if (!node || node->kind != NODE_STRING || smi_version_parse(node->text, &version) < 0)
    return;
  struct smi_version wanted = version.group == written_in.group ? written_in : hub_version(version.group);
  if (version.alpha == wanted.alpha)
    return;
  fields_complain(fields, node, CASE_RESOURCE_VERSION, "Set written_in for a case about one version.",
                  "the resource is %s; this case is written in %s/v1alpha%u", node->text, smi_group_name(wanted.group),
                  (unsigned)wanted.alpha);
}

/* Resources that are to be refused: of the case's group, in the version the case is written in or the hub form. */
static void read_invalid(struct fields *fields, const struct node *root, struct test_case *test) {
  const struct node *list = fields_get(fields, root, "invalid", NODE_LIST, false);
  size_t count = fields_count(fields, list, "invalid resources", CASE_RESOURCES_MAX);
  for (size_t i = 0; i < count; i++)
    check_version(fields, list->items[i], test->written_in);
  test->invalid = list;
}

void case_read_resources(struct fields *fields, const struct node *root, struct test_case *test) {
  const struct node *list = fields_get(fields, root, "resources", NODE_LIST, true);
  unsigned errors = fields->errors;
  size_t count = fields_count(fields, list, "resources", CASE_RESOURCES_MAX);
  if (list && count == 0 && test->group != SMI_METRICS)
    fields_complain(fields, list, FIELD_VALUE, NULL, "a case needs a resource");
  for (size_t i = 0; list && i < count; i++)
    check_version(fields, list->items[i], test->written_in);
  if (!list || fields->errors > errors)
    return;
  test->resources = list;
  read_invalid(fields, root, test);
  struct alias_context context = {.topology = test->topology};
  struct smi_set set = {0};
  int r = case_resources(test, fields->arena, alias_known, &context, &set, fields->diagnostics, NULL);
  if (r == -ENOMEM)
    fields->no_memory = true;
  else if (r < 0)
    fields_complain(fields, list, CASE_RESOURCES_INVALID, "The diagnostics before this one say why.",
                    "the case's resources are no valid SMI");
}
