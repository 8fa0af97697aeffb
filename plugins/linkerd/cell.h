/* Cells: sets of requests, with who may send them. The routes of a server are made of them. */
#ifndef TRAMMEL_PLUGINS_LINKERD_CELL_H
#define TRAMMEL_PLUGINS_LINKERD_CELL_H

#include "plugins/linkerd/http_match.h"

/* A set of numbers below a bound that all sets together have. */
typedef uint64_t source_word;

struct cell {
  struct path path;
  const char *method;                 /* NULL: any */
  const struct header_match *headers; /* sorted by name, each name once */
  size_t header_count;
  source_word *sources; /* of `words` words */
  const char *regex;    /* of the path, set by overlap_resolve; NULL: any */
};

struct cells {
  struct arena *arena;
  struct cell *items;
  size_t count, capacity;
  size_t words; /* of each set of sources */
};

enum cell_relation {
  CELLS_APART,   /* no request is in both */
  CELLS_MEET,    /* those in both are a cell */
  CELLS_UNKNOWN, /* some request may be in both, and a match cannot say which */
};

/* How two cells lie to each other; with CELLS_MEET, the cell of both, without sources. Paths that lie in each other
 * meet in the inner one. Out of memory, they are CELLS_UNKNOWN. */
enum cell_relation cell_meet(struct arena *arena, const struct cell *a, const struct cell *b, struct cell *ret_both);

/* Whether every request of `a` is known to be in `b`. */
bool cell_lies_in(const struct cell *a, const struct cell *b);

/* By path, method and headers. */
int cell_compare(const struct cell *a, const struct cell *b);

bool sources_same(const source_word *a, const source_word *b, size_t words);
bool sources_within(const source_word *a, const source_word *b, size_t words); /* all of a are in b */
void sources_add(source_word *to, const source_word *from, size_t words);

/* Adds a copy, with a set of its own: that of `cell`, or an empty one when it has none. False without memory. */
bool cells_add(struct cells *cells, const struct cell *cell);

/* Sorts, and makes one of those that are the same, with the sources of all. */
void cells_settle(struct cells *cells);

#endif
