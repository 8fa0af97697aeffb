#include "plugins/linkerd/cell.h"

#include <stdlib.h>
#include <string.h>

bool sources_same(const source_word *a, const source_word *b, size_t words) {
  return memcmp(a, b, words * sizeof *a) == 0;
}

bool sources_within(const source_word *a, const source_word *b, size_t words) {
  for (size_t i = 0; i < words; i++)
    if (a[i] & ~b[i])
      return false;
  return true;
}

void sources_add(source_word *to, const source_word *from, size_t words) {
  for (size_t i = 0; i < words; i++)
    to[i] |= from[i];
}

static int compare_text(const char *a, const char *b) {
  return strcmp(a ? a : "", b ? b : "");
}

static int compare_headers(const struct cell *a, const struct cell *b) {
  if (a->header_count != b->header_count)
    return a->header_count < b->header_count ? -1 : 1;
  for (size_t i = 0; i < a->header_count; i++) {
    int order = strcmp(a->headers[i].name, b->headers[i].name);
    if (order == 0)
      order = strcmp(a->headers[i].regex, b->headers[i].regex);
    if (order != 0)
      return order;
  }
  return 0;
}

int cell_compare(const struct cell *a, const struct cell *b) {
  int order = path_compare(&a->path, &b->path);
  if (order == 0)
    order = compare_text(a->method, b->method);
  return order != 0 ? order : compare_headers(a, b);
}

static enum cell_relation meet_paths(const struct path *a, const struct path *b, struct path *both) {
  switch (path_relate(a, b)) {
  case PATHS_SAME:
  case PATHS_INNER:
    *both = *a;
    return CELLS_MEET;
  case PATHS_OUTER:
    *both = *b;
    return CELLS_MEET;
  case PATHS_APART:
    return CELLS_APART;
  case PATHS_UNKNOWN:
    break;
  }
  return CELLS_UNKNOWN;
}

/* A header has one value: two that are spelled out differently exclude each other. What one expression of the other's
 * has, no match can say: it names a header once. */
static enum cell_relation meet_header(const struct header_match *a, const struct header_match *b) {
  if (strcmp(a->regex, b->regex) == 0)
    return CELLS_MEET;
  if (a->literal && b->literal)
    return strcmp(a->literal, b->literal) == 0 ? CELLS_MEET : CELLS_APART;
  return CELLS_UNKNOWN;
}

static enum cell_relation meet_headers(struct arena *arena, const struct cell *a, const struct cell *b,
                                       struct cell *both) {
  struct header_match *headers = arena_array(arena, a->header_count + b->header_count, sizeof *headers);
  enum cell_relation relation = headers ? CELLS_MEET : CELLS_UNKNOWN;
  size_t count = 0;
  for (size_t i = 0, j = 0; headers && (i < a->header_count || j < b->header_count);) {
    int order = i == a->header_count ? 1 : j == b->header_count ? -1 : strcmp(a->headers[i].name, b->headers[j].name);
    enum cell_relation here = order == 0 ? meet_header(&a->headers[i], &b->headers[j]) : CELLS_MEET;
    if (here == CELLS_APART)
      return CELLS_APART;
    if (here == CELLS_UNKNOWN)
      relation = CELLS_UNKNOWN;
    headers[count++] = order <= 0 ? a->headers[i] : b->headers[j];
    i += order <= 0;
    j += order >= 0;
  }
  both->headers = headers;
  both->header_count = count;
  return count > HEADERS_MAX ? CELLS_UNKNOWN : relation;
}

enum cell_relation cell_meet(struct arena *arena, const struct cell *a, const struct cell *b, struct cell *ret_both) {
  struct cell both = {.method = a->method ? a->method : b->method};
  if (a->method && b->method && strcmp(a->method, b->method) != 0)
    return CELLS_APART;
  enum cell_relation paths = meet_paths(&a->path, &b->path, &both.path);
  enum cell_relation headers = paths == CELLS_APART ? CELLS_APART : meet_headers(arena, a, b, &both);
  if (paths == CELLS_APART || headers == CELLS_APART)
    return CELLS_APART;
  *ret_both = both;
  return paths == CELLS_UNKNOWN || headers == CELLS_UNKNOWN ? CELLS_UNKNOWN : CELLS_MEET;
}

static bool headers_lie_in(const struct cell *a, const struct cell *b) {
  size_t found = 0;
  for (size_t i = 0, j = 0; i < a->header_count && j < b->header_count;) {
    int order = strcmp(a->headers[i].name, b->headers[j].name);
    found += order == 0 && meet_header(&a->headers[i], &b->headers[j]) == CELLS_MEET;
    i += order <= 0;
    j += order >= 0;
  }
  return found == b->header_count;
}

bool cell_lies_in(const struct cell *a, const struct cell *b) {
  if (b->method && (!a->method || strcmp(a->method, b->method) != 0))
    return false;
  enum path_relation paths = path_relate(&a->path, &b->path);
  return (paths == PATHS_SAME || paths == PATHS_INNER) && headers_lie_in(a, b);
}

bool cells_add(struct cells *cells, const struct cell *cell) {
  source_word *sources = arena_array(cells->arena, cells->words, sizeof *sources);
  if (!sources ||
      arena_reserve(cells->arena, (void **)&cells->items, &cells->capacity, cells->count, sizeof *cells->items) < 0)
    return false;
  if (cell->sources)
    sources_add(sources, cell->sources, cells->words);
  cells->items[cells->count] = *cell;
  cells->items[cells->count++].sources = sources;
  return true;
}

static int by_place(const void *a, const void *b) {
  return cell_compare(a, b);
}

void cells_settle(struct cells *cells) {
  size_t kept = 0;
  if (cells->count > 1)
    qsort(cells->items, cells->count, sizeof *cells->items, by_place);
  for (size_t i = 0; i < cells->count; i++) {
    if (kept > 0 && cell_compare(&cells->items[i], &cells->items[kept - 1]) == 0)
      sources_add(cells->items[kept - 1].sources, cells->items[i].sources, cells->words);
    else
      cells->items[kept++] = cells->items[i];
  }
  cells->count = kept;
}
