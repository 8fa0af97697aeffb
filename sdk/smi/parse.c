#include "sdk/smi/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sdk/smi/bodies.h"
#include "sdk/smi/catalogue.h"
#include "sdk/smi/port.h"
#include "sdk/smi/reader.h"

/* How a document presents itself; within a list of SMI kinds, items may leave both out. */
struct identity {
  const char *api_version;
  const char *kind;
};

struct smi_reader *smi_reader_create(struct arena *arena, const struct smi_parse_options *options,
                                     struct diagnostics *diagnostics) {
  struct smi_reader *reader = arena_new(arena, struct smi_reader);

  if (!reader)
    return NULL;
  reader->arena = arena;
  reader->diagnostics = diagnostics;
  reader->default_namespace =
      arena_strdup(arena, options && options->default_namespace ? options->default_namespace : "default");
  reader->ns_given = options && options->default_namespace;
  reader->ignore_other_kinds = options && options->ignore_other_kinds;
  reader->documents_stay = options && options->documents_stay;
  for (enum smi_kind kind = SMI_TRAFFIC_TARGET; kind <= SMI_IDENTITY_BINDING; kind++) {
    struct kept_list *list = reader_list(reader, kind);

    list->end = &list->first;
  }
  return reader->default_namespace ? reader : NULL;
}

static int pass_over(struct smi_reader *reader, const char *code, const struct node *node, const char *why,
                     const struct identity *identity) {
  struct diagnostic diagnostic = {
      .severity = SEVERITY_INFO, .code = code, .pointer = reader_pointer(reader, node), .position = node->position};

  return diagnostics_addf(reader->diagnostics, &diagnostic, "%s %s %s",
                          text_shown(reader->arena, identity->api_version), text_shown(reader->arena, identity->kind),
                          why);
}

/* "access.smi-spec.io/v1alpha1 to v1alpha4": where a kind exists. */
static const char *kind_versions(struct arena *arena, const struct smi_kind_info *kind) {
  uint8_t newest = smi_group_info(kind->group)->newest;
  const char *text = kind->since == newest
                         ? arena_printf(arena, "%s is of %s%s/v1alpha%u", kind->name, smi_group_name(kind->group),
                                        SMI_GROUP_SUFFIX, newest)
                         : arena_printf(arena, "%s is of %s%s/v1alpha%u to v1alpha%u", kind->name,
                                        smi_group_name(kind->group), SMI_GROUP_SUFFIX, kind->since, newest);

  return text ? text : kind->name;
}

/* The newest that is no draft. */
static const char *newest_remedy(struct arena *arena, const struct smi_kind_info *kind) {
  uint8_t newest = kind->kind == SMI_TRAFFIC_TARGET ? 3 : smi_group_info(kind->group)->newest;

  return arena_printf(arena, "write apiVersion: %s%s/v1alpha%u, or the version whose fields the resource has",
                      smi_group_name(kind->group), SMI_GROUP_SUFFIX, newest);
}

static const char all_kinds[] = "SMI has TrafficTarget and IdentityBinding (access.smi-spec.io), HTTPRouteGroup, "
                                "TCPRoute and UDPRoute (specs.smi-spec.io), "
                                "and TrafficSplit (split.smi-spec.io), each in v1alpha1 to v1alpha4 where it exists";

/* A string at the top of a document; a value of any other type is reported. */
static int header_text(struct smi_reader *reader, const struct node *root, const char *key, const char **ret_text) {
  const struct node *value = node_get(root, key);

  if (!value || value->kind == NODE_NULL)
    return 0;
  if (value->kind != NODE_STRING)
    return reader_refuse(
        reader, "SMI-0008", value, NULL, NULL,
        arena_printf(reader->arena, "`%s`: expected a string, found a %s", key, node_kind_name(value->kind)));
  *ret_text = value->text;
  return 0;
}

static int refuse_anonymous(struct smi_reader *reader, const struct node *root, const struct identity *identity) {
  const struct smi_kind_info *kind = identity->kind ? smi_kind_by_name(identity->kind) : NULL;

  if (identity->api_version && !identity->kind)
    return reader_refuse(reader, "SMI-0002", root, all_kinds, "add `kind`",
                         "the resource has an apiVersion and no `kind`");
  if (kind)
    return reader_refuse(reader, "SMI-0002", root, kind_versions(reader->arena, kind),
                         newest_remedy(reader->arena, kind),
                         arena_printf(reader->arena, "the %s has no `apiVersion`", kind->name));
  return reader_refuse(reader, "SMI-0002", root, all_kinds, "add `apiVersion` and `kind`",
                       identity->kind ? "the resource has no `apiVersion`, and its kind is not one that SMI configures"
                                      : "this is no resource: it has neither `apiVersion` nor `kind`");
}

static int refuse_version(struct smi_reader *reader, const struct node *root, const struct identity *identity,
                          enum smi_group group) {
  const struct smi_kind_info *kind = smi_kind_by_name(identity->kind);
  const char *summary =
      arena_printf(reader->arena, "\"%s\" is no version of SMI", text_shown(reader->arena, identity->api_version));
  const struct node *node = node_get(root, "apiVersion") ? node_get(root, "apiVersion") : root;

  if (kind)
    return reader_refuse(reader, "SMI-0003", node, kind_versions(reader->arena, kind),
                         newest_remedy(reader->arena, kind), summary);
  if (group)
    return reader_refuse(reader, "SMI-0003", node,
                         arena_printf(reader->arena, "%s.smi-spec.io has v1alpha1 to v1alpha%u", smi_group_name(group),
                                      smi_group_info(group)->newest),
                         NULL, summary);
  return reader_refuse(reader, "SMI-0003", node, all_kinds, NULL, summary);
}

static int refuse_kind(struct smi_reader *reader, const struct node *root, const struct identity *identity) {
  const struct smi_kind_info *kind = smi_kind_like(identity->kind);
  const char *summary =
      arena_printf(reader->arena, "%s has no kind \"%s\"", text_shown(reader->arena, identity->api_version),
                   text_shown(reader->arena, identity->kind));
  const struct node *node = node_get(root, "kind") ? node_get(root, "kind") : root;

  if (kind)
    return reader_refuse(reader, "SMI-0004", node, kind_versions(reader->arena, kind), NULL, summary);
  return reader_refuse(reader, "SMI-0004", node, all_kinds, NULL, summary);
}

static int read_document(struct smi_reader *reader, const struct node *root, const struct identity *inherited,
                         unsigned depth);

/* "TrafficSplitList" to "TrafficSplit", "List" to "", NULL for what is no list. */
static const char *list_item_kind(struct arena *arena, const char *kind) {
  size_t length = strlen(kind);

  if (length < 4 || strcmp(kind + length - 4, "List") != 0)
    return NULL;
  return arena_strndup(arena, kind, length - 4);
}

/* A list within a list, which concatenated outputs of kubectl give, is read as well; `depth` counts this one. */
static int read_list_items(struct smi_reader *reader, const struct node *root, const struct identity *inherited,
                           unsigned depth) {
  const struct node *items = node_get(root, "items");
  int result = 0;

  if (!items || items->kind == NODE_NULL)
    return 0;
  if (items->kind != NODE_LIST)
    return reader_refuse(reader, "SMI-0008", items, NULL, NULL, "`items` of a list: expected a list");
  if (items->count > SMI_LIST_MAX)
    return reader_refuse(reader, "SMI-0014", items, NULL, "split the list in several",
                         arena_printf(reader->arena, "%u items: at most %d are allowed", items->count, SMI_LIST_MAX));
  if (depth > SMI_LIST_DEPTH_MAX)
    return reader_refuse(reader, "SMI-0014", items, NULL, "put the resources in one list",
                         arena_printf(reader->arena, "more than %d lists within one another", SMI_LIST_DEPTH_MAX));
  for (size_t i = 0; i < items->count; i++) {
    int r = read_document(reader, items->items[i], inherited, depth);

    if (r == -ENOMEM || r == -E2BIG)
      return r;
    result = r < 0 ? r : result;
  }
  return result;
}

static int read_smi(struct smi_reader *reader, const struct node *root, const struct identity *identity,
                    enum smi_group group, unsigned depth) {
  const struct smi_kind_info *kind = smi_kind_by_name(identity->kind);
  const char *item = list_item_kind(reader->arena, identity->kind);
  struct smi_version version;

  if (smi_version_parse(identity->api_version, &version) < 0)
    return refuse_version(reader, root, identity, group);
  if (group == SMI_METRICS)
    return pass_over(reader, "SMI-0015", root, "is passed over: metrics are what a mesh answers, not what it is told",
                     identity);
  if (kind && kind->group == group && kind->since <= version.alpha)
    return resource_read(reader, root, kind->kind, version);
  if (item && smi_kind_by_name(item))
    return read_list_items(reader, root, &(struct identity){identity->api_version, item}, depth + 1);
  return refuse_kind(reader, root, identity);
}

/* Whether the part of an apiVersion before the slash claims to be of SMI. */
static bool is_smi_group(const char *api_version, size_t length) {
  const size_t suffix = strlen(SMI_GROUP_SUFFIX);

  return (length >= suffix && memcmp(api_version + length - suffix, SMI_GROUP_SUFFIX, suffix) == 0) ||
         (length == suffix - 1 && memcmp(api_version, &SMI_GROUP_SUFFIX[1], length) == 0);
}

static int read_document(struct smi_reader *reader, const struct node *root, const struct identity *inherited,
                         unsigned depth) {
  struct identity identity = *inherited;
  const char *slash;
  int r;

  if (root->kind != NODE_MAP)
    return reader_refuse(reader, "SMI-0001", root, all_kinds, NULL,
                         arena_printf(reader->arena,
                                      "expected a resource (a map with apiVersion, kind, metadata), found a %s",
                                      node_kind_name(root->kind)));
  r = header_text(reader, root, "apiVersion", &identity.api_version);
  if (r == 0)
    r = header_text(reader, root, "kind", &identity.kind);
  if (r < 0)
    return r;
  if (!identity.api_version || !identity.kind)
    return refuse_anonymous(reader, root, &identity);
  slash = strchr(identity.api_version, '/');
  if (slash && is_smi_group(identity.api_version, (size_t)(slash - identity.api_version)))
    return read_smi(reader, root, &identity,
                    smi_group_parse(identity.api_version, (size_t)(slash - identity.api_version)), depth);
  if (!slash && strcmp(identity.kind, "List") == 0)
    return read_list_items(reader, root, &(struct identity){0}, depth + 1);
  if (!slash && smi_kind_by_name(identity.kind))
    return refuse_version(reader, root, &identity, (enum smi_group)0);
  return reader->ignore_other_kinds
             ? 0
             : pass_over(reader, "SMI-0005", root, "is passed over: it is no resource of SMI", &identity);
}

int smi_reader_document(struct smi_reader *reader, const struct node *root) {
  return read_document(reader, root, &(struct identity){0}, 0);
}

/* A const array of what a list holds. */
static int flatten(struct smi_reader *reader, const struct kept_list *list, size_t size, void *ret_array,
                   size_t *ret_count) {
  char *array = arena_array(reader->arena, list->count, size);
  size_t i = 0;

  if (!array)
    return -ENOMEM;
  for (const struct kept *kept = list->first; kept; kept = kept->next)
    memcpy(array + size * i++, kept->resource, size);
  memcpy(ret_array, &array, sizeof(array));
  *ret_count = list->count;
  return 0;
}

int smi_reader_finish(struct smi_reader *reader, struct smi_set *ret_set) {
  int ports = smi_ports_to_routes(reader);
  struct smi_set set = {0};
  int r = ports == -EINVAL ? 0 : ports;

  if (r == 0)
    r = flatten(reader, &reader->targets, sizeof(struct smi_traffic_target), &set.targets, &set.target_count);
  if (r == 0)
    r = flatten(reader, &reader->route_groups, sizeof(struct smi_http_route_group), &set.route_groups,
                &set.route_group_count);
  if (r == 0)
    r = flatten(reader, &reader->port_routes, sizeof(struct smi_port_route), &set.port_routes, &set.port_route_count);
  if (r == 0)
    r = flatten(reader, &reader->splits, sizeof(struct smi_traffic_split), &set.splits, &set.split_count);
  if (r == 0)
    r = flatten(reader, &reader->bindings, sizeof(struct smi_identity_binding), &set.bindings, &set.binding_count);
  if (r < 0)
    return r;
  *ret_set = set;
  return ports;
}

int smi_parse(struct arena *arena, const struct document_list *list, const struct smi_parse_options *options,
              struct diagnostics *diagnostics, struct smi_set *ret_set) {
  struct smi_reader *reader = smi_reader_create(arena, options, diagnostics);
  int result = 0, r;

  if (!reader)
    return -ENOMEM;
  for (size_t i = 0; i < list->count; i++) {
    r = smi_reader_document(reader, list->roots[i]);
    if (r == -ENOMEM)
      return r;
    if (r < 0)
      result = r;
    if (r == -E2BIG)
      break;
  }
  r = smi_reader_finish(reader, ret_set);
  return r < 0 ? r : result;
}
