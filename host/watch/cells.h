/* Which resources have to be translated anew when some have changed: those of their cells, and what these refer to. A
 * cell is what hangs together over ServiceAccounts and Services: a Service and the ServiceAccounts of its workloads;
 * the root and the backends of a TrafficSplit; a TrafficTarget belongs to the cell of its destination. An adapter joins
 * and weighs what is said about one destination or one root, and so within a cell. That it is so is not taken for
 * granted: stock_change() compares, and a whole translation follows later. */
#ifndef TRAMMEL_HOST_WATCH_CELLS_H
#define TRAMMEL_HOST_WATCH_CELLS_H

#include "host/watch/mirror.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* With more resources in the cells than this, and with more than half of all, the whole is as cheap. */
#define CELLS_MEMBERS_WHOLE 1000

/* A Service and the ServiceAccount of one of its workloads. */
struct cell_edge {
  uint64_t service, account;
};
struct cell_edges {
  struct cell_edge *items;
  size_t count, capacity;
};
/* -ENOMEM. */
int cell_edges_read(const Trammel__Adapter__V1__Inventory *inventory, struct cell_edges *ret_edges);
void cell_edges_finish(struct cell_edges *edges);

struct cells {
  struct mirrored **members; /* as they are and as they were; sorted by key; heap */
  size_t count;
  bool whole; /* everything is to be translated: no members */
};

/* Those of the mirror's dirty entries. -ENOMEM. */
int cells_find(const struct mirror *resources, const struct cell_edges *edges, struct cells *ret_cells);
void cells_finish(struct cells *cells);

/* All entries, sorted by key; a heap array. NULL without memory. */
struct mirrored **entries_sorted(const struct mirror *mirror, size_t *ret_count);

#endif
