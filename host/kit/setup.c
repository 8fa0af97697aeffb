#include "host/kit/setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/inventory.h"
#include "sdk/base/fields.h"

static const char *as_written(const void *ctx, const char *alias) {
  (void)ctx;
  return alias;
}

/* Workload i has the same addresses every time, so that what is made of them can be recorded. */
static struct site *addresses(struct arena *arena, size_t count) {
  struct site *sites = arena_array(arena, count, sizeof *sites);
  for (size_t i = 0; sites && i < count; i++) {
    unsigned number = (uint8_t)(i + 1); /* at most TOPOLOGY_WORKLOADS_MAX */
    (void)snprintf(sites[i].app, sizeof sites[i].app, "127.9.0.%u", number);
    (void)snprintf(sites[i].inbound, sizeof sites[i].inbound, "127.9.1.%u", number);
    (void)snprintf(sites[i].outbound, sizeof sites[i].outbound, "127.9.2.%u", number);
  }
  return sites;
}

static int read_topology(struct fields *fields, const struct node *root, struct setup *setup) {
  struct topology topology = {.name = "setup"};
  const struct node *node = fields_get(fields, root, "topology", NODE_MAP, false);
  int r = node ? topology_read(fields->arena, "setup", node, fields->diagnostics, &topology) : 0;
  if (r < 0)
    return r;
  const struct site *sites = addresses(fields->arena, topology.workload_count);
  setup->inventory = sites ? lab_inventory(fields->arena, &topology, sites, as_written, NULL) : NULL;
  return setup->inventory ? 0 : -ENOMEM;
}

static void read_namespaces(struct fields *fields, const struct node *root, struct setup *setup) {
  const struct node *list = fields_get(fields, root, "deny_by_default", NODE_LIST, false);
  size_t count = fields_count(fields, list, "deny_by_default", SETUP_NAMESPACES_MAX);
  setup->deny_by_default = fields_checked(fields, arena_array(fields->arena, count, sizeof(char *)));
  for (size_t i = 0; setup->deny_by_default && i < count; i++) {
    const struct node *item = list->items[i];
    if (item->kind != NODE_STRING || !label_is_valid(item->text))
      fields_complain(fields, item, FIELD_VALUE, "Use lower-case letters, digits and inner dashes.",
                      "deny_by_default wants names of namespaces");
    else
      setup->deny_by_default[setup->deny_count++] = fields_checked(fields, arena_strdup(fields->arena, item->text));
  }
}

static int read_root(struct arena *arena, const struct node *root, struct diagnostics *diagnostics,
                     struct setup *setup) {
  static const char *const known[] = {"topology", "deny_by_default", "config", NULL};
  struct fields fields = {.prefix = "SETUP", .arena = arena, .diagnostics = diagnostics};
  if (root && !fields_known(&fields, root, "the setup", known))
    return fields_status(&fields);
  int r = read_topology(&fields, root, setup);
  if (r < 0)
    return r;
  read_namespaces(&fields, root, setup);
  const struct node *config = fields_get(&fields, root, "config", NODE_MAP, false);
  setup->config = fields_checked(&fields, config ? node_to_json(config) : json_object());
  return fields_status(&fields);
}

static int read_file(struct arena *arena, const char *path, struct diagnostics *diagnostics,
                     const struct node **ret_root, struct error **err) {
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  struct document_list documents = {0};
  *ret_root = NULL;
  if (access(path, F_OK) < 0 && errno == ENOENT)
    return 0;
  int r = file_read(path, SETUP_BYTES_MAX, &text, &length, err);
  if (r < 0)
    return r;
  r = document_read(arena, path, text, length, DOCUMENT_ANY, &document_limits_default, diagnostics, &documents);
  if (r < 0)
    return error_set(err, -r, "%s cannot be read", path);
  if (documents.count > 1)
    return error_set(err, EINVAL, "%s: expected one document, found %zu", path, documents.count);
  *ret_root = documents.count ? documents.roots[0] : NULL;
  return 0;
}

int setup_read(struct arena *arena, const char *directory, struct diagnostics *diagnostics, struct setup *ret_setup,
               struct error **err) {
  struct setup setup = {0};
  const struct node *root = NULL;
  const char *path = arena_printf(arena, "%s/" SETUP_FILE, directory);
  int r = path ? read_file(arena, path, diagnostics, &root, err) : error_set(err, ENOMEM, "out of memory");
  if (r < 0)
    return r;
  r = read_root(arena, root, diagnostics, &setup);
  if (r < 0) {
    setup_finish(&setup);
    return r == -ENOMEM ? error_set(err, ENOMEM, "out of memory") : error_set(err, EINVAL, "%s is no setup", path);
  }
  *ret_setup = setup;
  return 0;
}

void setup_finish(struct setup *setup) {
  json_decref(setup->config);
  *setup = (struct setup){0};
}
