#include "host/watch/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/watch/table.h"
#include "sdk/smi/parse.h"

void links_finish(struct links *links) {
  free(links->cells);
  free(links->uses);
  *links = (struct links){0};
}

static uint64_t hash_of(const char *what, const char *ns, const char *name) {
  uint64_t hash = table_hash(TABLE_HASH_START, what);

  hash = table_hash(table_hash(hash, "/"), ns);
  return table_hash(table_hash(hash, "/"), name);
}

uint64_t links_account(const char *ns, const char *name) {
  return hash_of("account", ns, name);
}

uint64_t links_service(const char *ns, const char *name) {
  return hash_of("service", ns, name);
}

uint64_t links_resource(const char *key) {
  return table_hash(TABLE_HASH_START, key);
}

static bool add(uint64_t **array, size_t *count, size_t *capacity, uint64_t hash) {
  if (array_reserve((void **)array, capacity, *count, sizeof(**array)) < 0)
    return false;
  (*array)[(*count)++] = hash;
  return true;
}

static bool add_cell(struct links *links, uint64_t hash) {
  return add(&links->cells, &links->cell_count, &links->cell_capacity, hash);
}

static bool add_use(struct links *links, enum smi_kind kind, const char *ns, const char *name) {
  return add(&links->uses, &links->use_count, &links->use_capacity, hash_of(smi_kind_name(kind), ns, name));
}

static bool read_target(struct links *links, const struct smi_traffic_target *target) {
  bool added = add_cell(links, links_account(target->destination.ns, target->destination.name));

  for (size_t i = 0; i < target->rule_count; i++)
    added = added && add_use(links, target->rules[i].kind, target->meta.ns, target->rules[i].name);
  return added;
}

static bool read_split(struct links *links, const struct smi_traffic_split *split) {
  bool added = add_cell(links, links_service(split->meta.ns, split->service));

  for (size_t i = 0; i < split->backend_count; i++)
    added = added && add_cell(links, links_service(split->meta.ns, split->backends[i].service));
  for (size_t i = 0; i < split->match_count; i++)
    added = added && add_use(links, SMI_HTTP_ROUTE_GROUP, split->meta.ns, split->matches[i]);
  return added;
}

static int read_set(struct links *links, const struct smi_set *set) {
  bool added = true;

  for (size_t i = 0; i < set->target_count; i++)
    added = added && read_target(links, &set->targets[i]);
  for (size_t i = 0; i < set->split_count; i++)
    added = added && read_split(links, &set->splits[i]);
  return added ? 0 : -ENOMEM;
}

static int wrong(const struct diagnostics *told, struct error **err) {
  const char *why = diagnostics_first_error(told);

  return error_set(err, EINVAL, "%s", why ? why : "it is no resource of SMI");
}

int links_read(const char *text, struct links *ret_links, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_diagnostics_ struct diagnostics *told = diagnostics_create();
  struct document_list documents;
  struct links links = {0};
  struct smi_set set;

  if (!arena || !told)
    return error_set(err, ENOMEM, "out of memory for a resource");
  int r = document_read(arena, NULL, text, strlen(text), DOCUMENT_JSON, NULL, told, &documents);
  if (r == 0)
    r = smi_parse(arena, &documents, NULL, told, &set);
  if (r == 0)
    r = read_set(&links, &set);
  if (r < 0) {
    links_finish(&links);
    return r == -ENOMEM ? error_set(err, ENOMEM, "out of memory for a resource") : wrong(told, err);
  }
  *ret_links = links;
  return 0;
}
