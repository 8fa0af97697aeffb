#include "plugins/linkerd/overlap.h"

#include <string.h>

enum outcome { RESOLVED, CONFLICT, NO_MEMORY };

static bool is_literal(const struct path *path) {
  return path->kind == PATH_PREFIX || path->kind == PATH_EXACT;
}

/* The cells of one attempt. */
struct attempt {
  struct cells cells;    /* on their way to what they come to */
  struct path *literals; /* the paths that are taken apart; each once, sorted */
  size_t literal_count;
};

/* ---- without taking apart */

/* Leaves out what lies in another cell that admits all its sources. */
static void drop_covered(struct cells *cells) {
  size_t kept = 0;
  for (size_t i = 0; i < cells->count; i++) {
    bool covered = false;
    for (size_t j = 0; !covered && j < cells->count; j++)
      covered = j != i && cell_lies_in(&cells->items[i], &cells->items[j]) &&
                sources_within(cells->items[i].sources, cells->items[j].sources, cells->words) &&
                (j > i || !cell_lies_in(&cells->items[j], &cells->items[i]));
    cells->items[i].regex = covered ? "" : NULL;
  }
  for (size_t i = 0; i < cells->count; i++)
    if (!cells->items[i].regex)
      cells->items[kept++] = cells->items[i];
  cells->count = kept;
}

static bool all_same(const struct cells *cells) {
  for (size_t i = 1; i < cells->count; i++)
    if (!sources_same(cells->items[i].sources, cells->items[0].sources, cells->words))
      return false;
  return true;
}

/* Whether every request is in cells of the same sources only. */
static bool is_clear(const struct cells *cells) {
  struct cell both;
  for (size_t i = 0; i < cells->count; i++)
    for (size_t j = 0; j < i; j++)
      if (!sources_same(cells->items[i].sources, cells->items[j].sources, cells->words) &&
          cell_meet(cells->arena, &cells->items[i], &cells->items[j], &both) != CELLS_APART)
        return false;
  return true;
}

/* ---- paths taken apart */

static bool find_literals(struct attempt *attempt) {
  struct cells *cells = &attempt->cells;
  attempt->literals = arena_array(cells->arena, cells->count + 1, sizeof *attempt->literals);
  if (!attempt->literals)
    return false;
  bool root = false, any = false;
  for (size_t i = 0; i < cells->count; i++) { /* sorted by path */
    const struct path *path = &cells->items[i].path;
    root |= path->kind == PATH_EXACT && strcmp(path->text, "/") == 0;
    any |= path->kind == PATH_ANY;
    if (is_literal(path) &&
        (attempt->literal_count == 0 || path_compare(path, &attempt->literals[attempt->literal_count - 1]) != 0))
      attempt->literals[attempt->literal_count++] = *path;
  }
  if (!root || !any)
    return true;
  /* PathPrefix "/" would be no worse for the path "/". */
  const struct path everything = {PATH_PREFIX, "/"};
  for (size_t i = 0; i < cells->count; i++)
    if (cells->items[i].path.kind == PATH_ANY)
      cells->items[i].path = everything;
  attempt->literals[attempt->literal_count++] = everything;
  return true;
}

/* From here on, a literal path stands for what is in it and in no other literal path within it. */
static bool take_apart(struct attempt *attempt) {
  const size_t count = attempt->cells.count;
  for (size_t i = 0; i < count; i++) {
    struct cell inner = attempt->cells.items[i];
    if (!is_literal(&inner.path))
      continue;
    const struct path outer = inner.path;
    for (size_t j = 0; j < attempt->literal_count; j++) {
      inner.path = attempt->literals[j];
      if (path_relate(&inner.path, &outer) == PATHS_INNER && !cells_add(&attempt->cells, &inner))
        return false;
    }
  }
  cells_settle(&attempt->cells);
  return true;
}

static bool are_apart(const struct cell *a, const struct cell *b) {
  return is_literal(&a->path) && is_literal(&b->path) && path_compare(&a->path, &b->path) != 0;
}

static enum cell_relation meet(struct arena *arena, const struct cell *a, const struct cell *b, struct cell *ret_both) {
  return are_apart(a, b) ? CELLS_APART : cell_meet(arena, a, b, ret_both);
}

/* ---- cells of what is shared */

static bool has(const struct cells *cells, const struct cell *cell) {
  for (size_t i = 0; i < cells->count; i++)
    if (cell_compare(&cells->items[i], cell) == 0)
      return true;
  return false;
}

static enum outcome add_shared(struct cells *cells) {
  for (size_t i = 0; i < cells->count; i++)
    for (size_t j = 0; j < i; j++) {
      struct cell both;
      if (meet(cells->arena, &cells->items[i], &cells->items[j], &both) != CELLS_MEET || has(cells, &both))
        continue;
      if (cells->count == OVERLAP_CELLS_MAX)
        return CONFLICT;
      if (!cells_add(cells, &both))
        return NO_MEMORY;
    }
  return RESOLVED;
}

/* To each cell, the sources of all that it lies in: those before `wanted_count` are as they were. */
static bool unite_sources(struct cells *cells, size_t wanted_count) {
  source_word *sets = arena_array(cells->arena, cells->count * cells->words, sizeof *sets);
  if (!sets)
    return false;
  for (size_t i = 0; i < cells->count; i++)
    for (size_t j = 0; j < wanted_count; j++)
      if (!are_apart(&cells->items[i], &cells->items[j]) && cell_lies_in(&cells->items[i], &cells->items[j]))
        sources_add(sets + i * cells->words, cells->items[j].sources, cells->words);
  for (size_t i = 0; i < cells->count; i++)
    cells->items[i].sources = sets + i * cells->words;
  return true;
}

/* Whether both match the path "/", and neither is better there. */
static bool tie_at_root(const struct cell *a, const struct cell *b) {
  struct cell at_a = *a;
  if (a->path.kind != PATH_ANY || b->path.kind != PATH_REGEX || !path_may_be_root(&b->path))
    return false;
  at_a.path = b->path;
  return cell_compare(&at_a, b) == 0;
}

static bool conflicts(const struct cells *cells) {
  struct cell both;
  for (size_t i = 0; i < cells->count; i++)
    for (size_t j = 0; j < i; j++) {
      const struct cell *a = &cells->items[i], *b = &cells->items[j];
      if (!sources_same(a->sources, b->sources, cells->words) &&
          (meet(cells->arena, a, b, &both) == CELLS_UNKNOWN || tie_at_root(a, b) || tie_at_root(b, a)))
        return true;
    }
  return false;
}

/* ---- regular expressions */

static enum outcome write_path(const struct attempt *attempt, struct cell *cell) {
  struct path *inner = arena_array(attempt->cells.arena, attempt->literal_count, sizeof *inner);
  size_t count = 0;
  cell->regex = NULL;
  if (cell->path.kind == PATH_ANY)
    return RESOLVED;
  if (!inner)
    return NO_MEMORY;
  for (size_t i = 0; cell->path.kind == PATH_PREFIX && i < attempt->literal_count; i++)
    if (path_relate(&attempt->literals[i], &cell->path) == PATHS_INNER)
      inner[count++] = attempt->literals[i];
  cell->regex = path_regex(attempt->cells.arena, &cell->path, inner, count);
  return cell->regex ? RESOLVED : CONFLICT;
}

static enum outcome write_paths(struct attempt *attempt) {
  enum outcome outcome = RESOLVED;
  for (size_t i = 0; outcome == RESOLVED && i < attempt->cells.count; i++)
    outcome = write_path(attempt, &attempt->cells.items[i]);
  return outcome;
}

/* ---- all of it */

static enum outcome try_apart(struct attempt *attempt) {
  if (!find_literals(attempt) || !take_apart(attempt))
    return NO_MEMORY;
  const size_t count = attempt->cells.count;
  if (count > OVERLAP_CELLS_MAX)
    return CONFLICT;
  enum outcome outcome = add_shared(&attempt->cells);
  if (outcome != RESOLVED)
    return outcome;
  if (!unite_sources(&attempt->cells, count))
    return NO_MEMORY;
  return conflicts(&attempt->cells) ? CONFLICT : write_paths(attempt);
}

static enum outcome try_cells(struct attempt *attempt) {
  const bool few = attempt->cells.count <= OVERLAP_CLEAR_MAX;
  if (few)
    drop_covered(&attempt->cells);
  if (all_same(&attempt->cells) || (few && is_clear(&attempt->cells)))
    return write_paths(attempt); /* without literals, so as they are */
  return attempt->cells.count <= OVERLAP_WANTED_MAX ? try_apart(attempt) : CONFLICT;
}

/* Those of the wanted that are not left out. */
static enum outcome try_wanted(const struct cells *wanted, size_t count, const bool *left_out, struct cells *ret) {
  struct attempt attempt = {.cells = {.arena = wanted->arena, .words = wanted->words}};
  for (size_t i = 0; i < count; i++)
    if (!left_out[i] && !cells_add(&attempt.cells, &wanted->items[i]))
      return NO_MEMORY;
  enum outcome outcome = try_cells(&attempt);
  *ret = attempt.cells;
  return outcome;
}

bool overlap_resolve(const struct cells *wanted, struct cells *ret_cells, bool *ret_left_out) {
  memset(ret_left_out, 0, wanted->count * sizeof *ret_left_out);
  enum outcome outcome = try_wanted(wanted, wanted->count, ret_left_out, ret_cells);
  if (outcome != CONFLICT)
    return outcome == RESOLVED;
  size_t kept = 0;
  for (size_t i = 0; i < wanted->count; i++) {
    outcome = kept < OVERLAP_WANTED_MAX ? try_wanted(wanted, i + 1, ret_left_out, ret_cells) : CONFLICT;
    if (outcome == NO_MEMORY)
      return false;
    ret_left_out[i] = outcome == CONFLICT;
    kept += outcome == RESOLVED;
  }
  return try_wanted(wanted, wanted->count, ret_left_out, ret_cells) == RESOLVED;
}
