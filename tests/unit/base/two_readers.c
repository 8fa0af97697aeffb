#include "tests/unit/base/two_readers.h"

#include <stdlib.h>
#include <string.h>

#include "sdk/base/document_internal.h"

struct reading {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct document_list documents;
  int result;
};

static int read_all_by_libyaml(struct builder *builder, const char *text, size_t length) {
  return document_read_libyaml(builder, text, length, 0);
}

static struct reading read_by(document_reader *reader, const char *text, size_t length,
                              const struct document_limits *limits) {
  struct reading reading = {.arena = arena_create(0), .diagnostics = diagnostics_create()};
  struct builder builder = {0};
  if (!reading.arena || !reading.diagnostics)
    abort();
  builder_init(&builder, reading.arena, "in", limits, reading.diagnostics);
  reading.result = document_read_as(reader, &builder, text, length, &reading.documents);
  builder_finish(&builder);
  return reading;
}

static void reading_finish(struct reading *reading) {
  diagnostics_destroy(reading->diagnostics);
  arena_destroy(reading->arena);
}

static bool same_position(struct position a, struct position b) {
  return a.line == b.line && a.column == b.column;
}

static bool same_text(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_node(const struct node *a, const struct node *b);

static bool same_children(const struct node *a, const struct node *b) {
  for (size_t i = 0; i < a->count; i++) {
    if (a->kind == NODE_LIST ? !same_node(a->items[i], b->items[i])
                             : strcmp(a->entries[i].key, b->entries[i].key) != 0 ||
                                   !same_position(a->entries[i].position, b->entries[i].position) ||
                                   !same_node(a->entries[i].value, b->entries[i].value))
      return false;
  }
  return true;
}

static bool same_node(const struct node *a, const struct node *b) {
  return a->kind == b->kind && same_position(a->position, b->position) && same_text(a->text, b->text) &&
         a->integer == b->integer && a->boolean == b->boolean && a->length == b->length && a->count == b->count &&
         a->index == b->index && !a->parent == !b->parent &&
         ((a->kind != NODE_LIST && a->kind != NODE_MAP) || same_children(a, b));
}

static bool same_diagnostics(const struct diagnostics *a, const struct diagnostics *b) {
  bool same = diagnostics_count(a) == diagnostics_count(b);
  for (size_t i = 0; same && i < diagnostics_count(a); i++) {
    const struct diagnostic *x = diagnostics_at(a, i), *y = diagnostics_at(b, i);
    same = same_text(x->code, y->code) && same_position(x->position, y->position) &&
           same_text(x->pointer, y->pointer) && same_text(x->summary, y->summary) && same_text(x->detail, y->detail) &&
           same_text(x->remedy, y->remedy);
  }
  return same;
}

/* libyaml looks ahead: it may give up on what comes after a document before it has handed that over. */
static bool same_reading(const struct reading *fast, const struct reading *all) {
  bool same = fast->result == all->result && same_diagnostics(fast->diagnostics, all->diagnostics) &&
              (fast->result == 0 ? fast->documents.count == all->documents.count
                                 : fast->documents.count >= all->documents.count);
  for (size_t i = 0; same && i < all->documents.count; i++)
    same = same_node(fast->documents.roots[i], all->documents.roots[i]);
  return same;
}

bool readers_agree(const char *text, size_t length, const struct document_limits *limits) {
  struct reading fast = read_by(document_read_yaml, text, length, limits);
  struct reading all = read_by(read_all_by_libyaml, text, length, limits);
  bool agree = same_reading(&fast, &all);
  if (!agree) {
    fprintf(stderr, "read differently (%d, by libyaml %d):\n%.*s\n", fast.result, all.result, (int)length, text);
    diagnostics_print(fast.diagnostics, stderr);
    diagnostics_print(all.diagnostics, stderr);
  }
  reading_finish(&fast);
  reading_finish(&all);
  return agree;
}

bool lines_suffice(const char *text, size_t length, const struct document_limits *limits) {
  struct arena *arena = arena_create(0);
  struct builder builder = {0};
  size_t read = 0, lines = 0;
  if (!arena)
    abort();
  builder_init(&builder, arena, "in", limits, NULL);
  if (document_read_lines(&builder, text, length, &read, &lines) < 0)
    abort();
  builder_finish(&builder);
  arena_destroy(arena);
  return read == length;
}
