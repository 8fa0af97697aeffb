/* Which workloads a service selects. Each label of each workload is an entry in a sorted index; a service looks through
 * the workloads that have the rarest of its labels, so that a label that all share costs nothing. */
#include <stdlib.h>
#include <string.h>

#include "host/inventory/internal.h"

struct labelled {
  const char *ns, *name, *value;
  size_t workload;
};

struct label_index {
  struct labelled *entries;
  size_t count;
};

struct range {
  size_t first, count;
};

static int compare_keys(const struct labelled *a, const struct labelled *b) {
  int r = strcmp(a->ns, b->ns);
  r = r ? r : strcmp(a->value, b->value); /* the most telling, and so the shortest way */
  return r ? r : strcmp(a->name, b->name);
}

static int by_key(const void *a, const void *b) {
  const struct labelled *x = a, *y = b;
  int r = compare_keys(x, y);
  return r ? r : (x->workload > y->workload) - (x->workload < y->workload);
}

static bool index_build(struct inventory_reader *reader, struct label_index *index) {
  const struct found_workload *workloads = found_workloads(reader);
  size_t total = 0;
  for (size_t i = 0; i < reader->workloads.count; i++)
    total += workloads[i].labels.count;
  index->entries = fields_checked(&reader->fields, arena_array(reader->fields.arena, total, sizeof *index->entries));
  for (size_t i = 0; index->entries && i < reader->workloads.count; i++)
    for (size_t k = 0; k < workloads[i].labels.count; k++)
      index->entries[index->count++] =
          (struct labelled){workloads[i].ns, workloads[i].labels.items[k].name, workloads[i].labels.items[k].value, i};
  if (index->count > 1)
    qsort(index->entries, index->count, sizeof *index->entries, by_key);
  return index->entries != NULL;
}

/* The first place whose key is not below `key`; with `after`, the first above it. */
static size_t index_bound(const struct label_index *index, const struct labelled *key, bool after) {
  size_t low = 0, high = index->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int r = compare_keys(&index->entries[middle], key);
    if (r < 0 || (after && r == 0))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static struct range index_find(const struct label_index *index, const char *ns, const struct smi_label *label) {
  const struct labelled key = {.ns = ns, .name = label->name, .value = label->value};
  size_t first = index_bound(index, &key, false);
  return (struct range){first, index_bound(index, &key, true) - first};
}

static bool has_label(const struct found_labels *labels, const struct smi_label *wanted) {
  for (size_t i = 0; i < labels->count; i++)
    if (strcmp(labels->items[i].name, wanted->name) == 0)
      return strcmp(labels->items[i].value, wanted->value) == 0;
  return false;
}

static bool has_labels(const struct found_labels *labels, const struct found_labels *wanted) {
  for (size_t i = 0; i < wanted->count; i++)
    if (!has_label(labels, &wanted->items[i]))
      return false;
  return true;
}

/* Room for `count` more members of `service`; a complaint when all services have too many. */
static bool reserve(struct inventory_reader *reader, struct found_service *service, size_t count) {
  if (count > INVENTORY_MEMBERS_MAX - reader->members) {
    fields_complain(&reader->fields, service->node, INVENTORY_TOO_MANY, "Read fewer of them at a time.",
                    "all services together have more than %d workloads behind them", INVENTORY_MEMBERS_MAX);
    return false;
  }
  service->workloads =
      fields_checked(&reader->fields, arena_array(reader->fields.arena, count, sizeof *service->workloads));
  return service->workloads != NULL;
}

static void select_by_labels(struct inventory_reader *reader, const struct label_index *index,
                             struct found_service *service) {
  const struct found_workload *workloads = found_workloads(reader);
  struct range rarest = index_find(index, service->ns, &service->selector.items[0]);
  for (size_t i = 1; i < service->selector.count; i++) {
    struct range other = index_find(index, service->ns, &service->selector.items[i]);
    if (other.count < rarest.count)
      rarest = other;
  }
  if (!reserve(reader, service, rarest.count))
    return;
  for (size_t i = 0; i < rarest.count; i++) {
    size_t workload = index->entries[rarest.first + i].workload;
    if (has_labels(&workloads[workload].labels, &service->selector))
      service->workloads[service->workload_count++] = workload;
  }
  reader->members += service->workload_count;
}

static int by_name(const void *a, const void *b) {
  const struct found_workload *x = a, *y = b;
  int r = strcmp(x->ns, y->ns);
  return r ? r : strcmp(x->name, y->name);
}

static int by_place(const void *a, const void *b) {
  const size_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* Of Trammel's own form: workloads by name. */
static void select_by_names(struct inventory_reader *reader, struct found_service *service) {
  const struct found_workload *workloads = found_workloads(reader);
  const struct node *list = service->members;
  size_t count = fields_count(&reader->fields, list, "workloads", INVENTORY_FIELDS_MAX);
  if (!reserve(reader, service, count))
    return;
  for (size_t i = 0; i < count; i++) {
    const struct node *item = list->items[i];
    struct found_workload key = {.ns = service->ns, .name = item->kind == NODE_STRING ? item->text : ""};
    const struct found_workload *found =
        reader->workloads.count ? bsearch(&key, workloads, reader->workloads.count, sizeof key, by_name) : NULL;
    if (found)
      service->workloads[service->workload_count++] = (size_t)(found - workloads);
    else
      fields_complain(&reader->fields, item, INVENTORY_UNKNOWN_WORKLOAD,
                      "A service has workloads of its own namespace, by name.",
                      "there is no workload \"%s\" in the namespace \"%s\"", key.name, service->ns);
  }
  if (service->workload_count > 1)
    qsort(service->workloads, service->workload_count, sizeof *service->workloads, by_place);
  reader->members += service->workload_count;
}

void inventory_select(struct inventory_reader *reader) {
  struct label_index index = {0};
  struct found_service *services = found_services(reader);
  if (!index_build(reader, &index))
    return;
  for (size_t i = 0; i < reader->services.count && !reader->fields.no_memory; i++) {
    if (services[i].members)
      select_by_names(reader, &services[i]);
    else if (services[i].selector.count > 0)
      select_by_labels(reader, &index, &services[i]);
  }
}
