#include "host/watch/cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/watch/table.h"

#define PB(name) Trammel__Adapter__V1__##name

/* ---- Services and ServiceAccounts */

void cell_edges_finish(struct cell_edges *edges) {
  free(edges->items);
  *edges = (struct cell_edges){0};
}

static int compare_workload(const PB(Workload) * workload, const char *ns, const char *name) {
  int order = strcmp(workload->namespace_, ns);

  return order ? order : strcmp(workload->name, name);
}

/* Workloads are sorted by namespace and name. */
static const PB(Workload) * find_workload(const PB(Inventory) * inventory, const char *ns, const char *name) {
  size_t low = 0, high = inventory->n_workloads;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = compare_workload(inventory->workloads[middle], ns, name);
    if (order == 0)
      return inventory->workloads[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

static int add_edge(struct cell_edges *edges, const PB(Service) * service, const PB(Workload) * workload) {
  if (array_reserve((void **)&edges->items, &edges->capacity, edges->count, sizeof(*edges->items)) < 0)
    return -ENOMEM;
  edges->items[edges->count++] =
      (struct cell_edge){.service = links_service(service->namespace_, service->name),
                         .account = links_account(workload->namespace_, workload->service_account)};
  return 0;
}

int cell_edges_read(const PB(Inventory) * inventory, struct cell_edges *ret_edges) {
  struct cell_edges edges = {0};
  int r = 0;

  for (size_t i = 0; i < inventory->n_services; i++) {
    const PB(Service) *service = inventory->services[i];
    for (size_t k = 0; r == 0 && k < service->n_workloads; k++) {
      const PB(Workload) *workload = find_workload(inventory, service->namespace_, service->workloads[k]);
      r = workload ? add_edge(&edges, service, workload) : 0;
    }
  }
  if (r < 0)
    cell_edges_finish(&edges);
  else
    *ret_edges = edges;
  return r;
}

/* ---- sets that grow together */

struct forest {
  uint64_t *keys; /* 0: free */
  size_t *parents;
  bool *marked; /* of roots */
  size_t capacity;
};

static void forest_finish(struct forest *forest) {
  free(forest->keys);
  free(forest->parents);
  free(forest->marked);
}

static int forest_init(struct forest *forest, size_t most) {
  forest->capacity = 64;
  while (forest->capacity < 2 * most)
    forest->capacity *= 2;
  forest->keys = calloc(forest->capacity, sizeof(*forest->keys));
  forest->parents = calloc(forest->capacity, sizeof(*forest->parents));
  forest->marked = calloc(forest->capacity, sizeof(*forest->marked));
  return forest->keys && forest->parents && forest->marked ? 0 : -ENOMEM;
}

/* The root of the set that a key is in, which is put in. */
static size_t forest_root(struct forest *forest, uint64_t key) {
  size_t mask = forest->capacity - 1, i = (size_t)key & mask;

  key = key ? key : 1;
  while (forest->keys[i] && forest->keys[i] != key)
    i = (i + 1) & mask;
  if (!forest->keys[i]) {
    forest->keys[i] = key;
    forest->parents[i] = i;
  }
  while (forest->parents[i] != i) {
    forest->parents[i] = forest->parents[forest->parents[i]];
    i = forest->parents[i];
  }
  return i;
}

static void forest_join(struct forest *forest, uint64_t a, uint64_t b) {
  size_t x = forest_root(forest, a), y = forest_root(forest, b);

  forest->parents[x] = y;
}

static void join_cells(struct forest *forest, const struct links *links) {
  for (size_t i = 0; i < links->cell_count; i++)
    forest_join(forest, links->cells[0], links->cells[i]);
}

static void mark(struct forest *forest, const struct links *links) {
  if (links->cell_count > 0)
    forest->marked[forest_root(forest, links->cells[0])] = true;
}

static bool is_marked(struct forest *forest, const struct links *links) {
  return links->cell_count > 0 && forest->marked[forest_root(forest, links->cells[0])];
}

/* ---- sets of numbers */

struct numbers {
  uint64_t *items;
  size_t count, capacity;
};

static int numbers_add(struct numbers *numbers, uint64_t number) {
  if (array_reserve((void **)&numbers->items, &numbers->capacity, numbers->count, sizeof(*numbers->items)) < 0)
    return -ENOMEM;
  numbers->items[numbers->count++] = number;
  return 0;
}

static int by_number(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

static void numbers_sort(struct numbers *numbers) {
  if (numbers->count > 1)
    qsort(numbers->items, numbers->count, sizeof(*numbers->items), by_number);
}

static bool numbers_have(const struct numbers *numbers, uint64_t number) {
  return numbers->count > 0 &&
         bsearch(&number, numbers->items, numbers->count, sizeof(*numbers->items), by_number) != NULL;
}

static bool uses_any(const struct links *links, const struct numbers *numbers) {
  for (size_t i = 0; i < links->use_count; i++)
    if (numbers_have(numbers, links->uses[i]))
      return true;
  return false;
}

/* ---- the cells */

static struct mirrored *entry_at(const struct mirror *mirror, size_t slot) {
  return (struct mirrored *)mirror->entries.slots[slot];
}

static int build(const struct mirror *resources, const struct cell_edges *edges, struct forest *forest) {
  size_t most = 2 * edges->count;

  for (size_t i = 0; i < resources->entries.capacity; i++) {
    const struct mirrored *entry = entry_at(resources, i);
    most += entry ? entry->links.cell_count + entry->links_before.cell_count : 0;
  }
  if (forest_init(forest, most) < 0)
    return -ENOMEM;
  for (size_t i = 0; i < edges->count; i++)
    forest_join(forest, edges->items[i].service, edges->items[i].account);
  for (size_t i = 0; i < resources->entries.capacity; i++) {
    const struct mirrored *entry = entry_at(resources, i);
    if (!entry)
      continue;
    join_cells(forest, &entry->links);
    join_cells(forest, &entry->links_before);
  }
  return 0;
}

/* Of what has changed, and of what refers to what has changed. */
static int mark_dirty(const struct mirror *resources, struct forest *forest) {
  struct numbers changed = {0};
  int r = 0;

  for (size_t i = 0; r == 0 && i < resources->dirty_count; i++)
    r = numbers_add(&changed, links_resource(resources->dirty[i]->key));
  numbers_sort(&changed);
  for (size_t i = 0; r == 0 && i < resources->entries.capacity; i++) {
    const struct mirrored *entry = entry_at(resources, i);
    if (!entry || !(entry->dirty || uses_any(&entry->links, &changed)))
      continue;
    mark(forest, &entry->links);
    mark(forest, &entry->links_before);
  }
  free(changed.items);
  return r;
}

static int add_member(struct cells *cells, size_t *capacity, struct mirrored *entry, struct numbers *used) {
  if (array_reserve((void **)&cells->members, capacity, cells->count, sizeof(struct mirrored *)) < 0)
    return -ENOMEM;
  cells->members[cells->count++] = entry;
  for (size_t i = 0; i < entry->links.use_count; i++)
    if (numbers_add(used, entry->links.uses[i]) < 0)
      return -ENOMEM;
  for (size_t i = 0; i < entry->links_before.use_count; i++)
    if (numbers_add(used, entry->links_before.uses[i]) < 0)
      return -ENOMEM;
  return 0;
}

static bool is_member(struct forest *forest, const struct mirrored *entry) {
  return entry->dirty || is_marked(forest, &entry->links) || is_marked(forest, &entry->links_before);
}

static int collect(const struct mirror *resources, struct forest *forest, struct cells *cells) {
  struct numbers used = {0}, none = {0};
  size_t capacity = 0;
  int r = 0;

  for (size_t i = 0; r == 0 && i < resources->entries.capacity; i++) {
    struct mirrored *entry = entry_at(resources, i);
    if (entry && is_member(forest, entry))
      r = add_member(cells, &capacity, entry, &used);
  }
  numbers_sort(&used);
  for (size_t i = 0; r == 0 && i < resources->entries.capacity; i++) {
    struct mirrored *entry = entry_at(resources, i);
    if (entry && !is_member(forest, entry) && numbers_have(&used, links_resource(entry->key)))
      r = add_member(cells, &capacity, entry, &none);
  }
  free(used.items);
  free(none.items);
  return r;
}

static int by_key(const void *a, const void *b) {
  const struct mirrored *x = *(struct mirrored *const *)a, *y = *(struct mirrored *const *)b;

  return strcmp(x->key, y->key);
}

static void sort(struct mirrored **entries, size_t count) {
  if (count > 1)
    qsort(entries, count, sizeof(*entries), by_key);
}

int cells_find(const struct mirror *resources, const struct cell_edges *edges, struct cells *ret_cells) {
  struct forest forest = {0};
  struct cells cells = {0};

  int r = build(resources, edges, &forest);
  if (r == 0)
    r = mark_dirty(resources, &forest);
  if (r == 0)
    r = collect(resources, &forest, &cells);
  forest_finish(&forest);
  if (r < 0) {
    cells_finish(&cells);
    return r;
  }
  if (cells.count > CELLS_MEMBERS_WHOLE && 2 * cells.count > resources->entries.count) {
    cells_finish(&cells);
    cells.whole = true;
  }
  sort(cells.members, cells.count);
  *ret_cells = cells;
  return 0;
}

void cells_finish(struct cells *cells) {
  free(cells->members);
  *cells = (struct cells){0};
}

struct mirrored **entries_sorted(const struct mirror *mirror, size_t *ret_count) {
  struct mirrored **entries = calloc(mirror->entries.count + 1, sizeof(*entries));
  size_t count = 0;

  for (size_t i = 0; entries && i < mirror->entries.capacity; i++)
    if (mirror->entries.slots[i])
      entries[count++] = entry_at(mirror, i);
  sort(entries, count);
  *ret_count = count;
  return entries;
}
