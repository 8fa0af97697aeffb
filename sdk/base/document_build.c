#include "sdk/base/document_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

/* After this many errors in one input the rest would only repeat them. */
#define ERRORS_MAX 100
/* Longer pointers would only fill a message. */
#define POINTER_BYTES_MAX 1024

/* Of a map whose keys are compared with each other without sorting. */
#define FEW_KEYS 8

struct slot {
  const char *key; /* NULL in a list */
  struct position position;
  struct node *value; /* NULL while only the key is known */
};

struct frame {
  struct node *container;
  size_t first_slot;
};

void builder_init(struct builder *builder, struct arena *arena, const char *file, const struct document_limits *limits,
                  struct diagnostics *diagnostics) {
  *builder = (struct builder){.arena = arena, .file = file, .limits = *limits, .diagnostics = diagnostics};
  if (builder->limits.bytes > DOCUMENT_BYTES_MAX)
    builder->limits.bytes = DOCUMENT_BYTES_MAX;
  if (builder->limits.depth > DOCUMENT_DEPTH_MAX)
    builder->limits.depth = DOCUMENT_DEPTH_MAX;
}

void builder_finish(struct builder *builder) {
  free(builder->frames);
  free(builder->slots);
  free(builder->roots);
}

static struct frame *builder_top(const struct builder *builder) {
  return builder->depth > 0 ? &builder->frames[builder->depth - 1] : NULL;
}

bool builder_wants_key(const struct builder *builder) {
  const struct frame *top = builder_top(builder);

  return top && top->container->kind == NODE_MAP &&
         (builder->slot_count == top->first_slot || builder->slots[builder->slot_count - 1].value);
}

bool builder_in_map(const struct builder *builder) {
  const struct frame *top = builder_top(builder);

  return top && top->container->kind == NODE_MAP;
}

static void append_key(struct strbuf *out, const char *key) {
  if (strnlen(key, POINTER_BYTES_MAX) < POINTER_BYTES_MAX)
    pointer_append(out, key);
  else
    out->failed = true;
}

/* Where the reading is, as a pointer in `out`; `key` is the last segment unless NULL. False when it would be too long.
 */
static bool builder_pointer(const struct builder *builder, const char *key, struct strbuf *out) {
  for (size_t i = 0; i < builder->depth && out->length < POINTER_BYTES_MAX; i++) {
    const struct frame *frame = &builder->frames[i];
    bool innermost = i + 1 == builder->depth;
    size_t end = innermost ? builder->slot_count : builder->frames[i + 1].first_slot;

    if (frame->container->kind == NODE_LIST)
      strbuf_printf(out, "/%zu", end - frame->first_slot);
    else if (innermost && key)
      append_key(out, key);
    else if (end > frame->first_slot && !(innermost && builder_wants_key(builder)))
      append_key(out, builder->slots[end - 1].key);
  }
  return !strbuf_failed(out) && out->length < POINTER_BYTES_MAX;
}

static int builder_report(struct builder *builder, const struct complaint *complaint, const char *key,
                          const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static int builder_report(struct builder *builder, const struct complaint *complaint, const char *key,
                          const char *format, va_list args) {
  _cleanup_strbuf_ struct strbuf pointer = STRBUF_INIT;
  struct diagnostic diagnostic = {
      .severity = SEVERITY_ERROR,
      .code = complaint->code,
      .position = complaint->position,
      .detail = complaint->detail,
      .remedy = complaint->remedy,
  };

  if (builder->tentative)
    return -ENOTSUP;
  if (builder_pointer(builder, key, &pointer) && pointer.length > 0)
    diagnostic.pointer = strbuf_text(&pointer);
  builder->errors++;
  return diagnostics_addv(builder->diagnostics, &diagnostic, format, args);
}

int builder_note(struct builder *builder, const struct complaint *complaint, const char *format, ...) {
  va_list args;
  int r;

  va_start(args, format);
  r = builder_report(builder, complaint, NULL, format, args);
  va_end(args);
  return r < 0 ? r : builder->errors >= ERRORS_MAX ? -EINVAL : 0;
}

int builder_stop(struct builder *builder, int code, const struct complaint *complaint, const char *format, ...) {
  va_list args;
  int r;

  va_start(args, format);
  r = builder_report(builder, complaint, NULL, format, args);
  va_end(args);
  return r < 0 ? r : -code;
}

static int builder_report_duplicate(struct builder *builder, const char *key, const struct complaint *complaint,
                                    const char *format, ...) __attribute__((format(printf, 4, 5)));

static int builder_report_duplicate(struct builder *builder, const char *key, const struct complaint *complaint,
                                    const char *format, ...) {
  va_list args;
  int r;

  va_start(args, format);
  r = builder_report(builder, complaint, key, format, args);
  va_end(args);
  return r < 0 ? r : builder->errors >= ERRORS_MAX ? -EINVAL : 0;
}

int builder_begin_document(struct builder *builder, struct position position) {
  if (builder->documents >= builder->limits.documents)
    return builder_stop(builder, E2BIG,
                        &(struct complaint){.code = "DOC-0013", .position = position, .remedy = "split the input"},
                        "more than %zu documents in one input, which is the limit", builder->limits.documents);
  builder->documents++;
  return 0;
}

int builder_key(struct builder *builder, struct position position, const char *key, size_t length) {
  struct slot *slot;

  if (array_reserve((void **)&builder->slots, &builder->slots_capacity, builder->slot_count, sizeof(*builder->slots)) <
      0)
    return -ENOMEM;
  slot = &builder->slots[builder->slot_count];
  *slot = (struct slot){.key = arena_strndup(builder->arena, key, length), .position = position};
  if (!slot->key)
    return -ENOMEM;
  builder->slot_count++;
  return 0;
}

/* Puts a finished or just opened value where it belongs: the open map's last key, the open list, or the roots. */
static int builder_place(struct builder *builder, struct node *node) {
  const struct frame *top = builder_top(builder);

  if (!top) {
    if (builder->errors > 0)
      return 0;
    if (array_reserve((void **)&builder->roots, &builder->roots_capacity, builder->root_count, sizeof(struct node *)) <
        0)
      return -ENOMEM;
    builder->roots[builder->root_count++] = node;
    return 0;
  }
  node->parent = top->container;
  if (top->container->kind == NODE_MAP) {
    if (builder->slot_count == top->first_slot || !builder->slots)
      return -EINVAL; /* a reader that hands over a value without its key */
    builder->slots[builder->slot_count - 1].value = node;
    return 0;
  }
  if (array_reserve((void **)&builder->slots, &builder->slots_capacity, builder->slot_count, sizeof(*builder->slots)) <
      0)
    return -ENOMEM;
  builder->slots[builder->slot_count++] = (struct slot){.position = node->position, .value = node};
  return 0;
}

static int builder_new_node(struct builder *builder, const struct node *like, struct node **ret_node) {
  struct node *node;

  if (builder->nodes >= builder->limits.nodes)
    return builder_stop(
        builder, E2BIG,
        &(struct complaint){.code = "DOC-0012", .position = like->position, .remedy = "split the input"},
        "more than %zu values in one input, which is the limit", builder->limits.nodes);
  node = arena_new(builder->arena, struct node);
  if (!node)
    return -ENOMEM;
  *node = *like;
  builder->nodes++;
  *ret_node = node;
  return 0;
}

int builder_scalar(struct builder *builder, const struct node *scalar) {
  struct node *node = NULL;
  int r = builder_new_node(builder, scalar, &node);

  return node ? builder_place(builder, node) : r;
}

int builder_open(struct builder *builder, enum node_kind kind, struct position position) {
  struct node *node = NULL;
  int r;

  if (builder->depth >= builder->limits.depth)
    return builder_stop(builder, E2BIG,
                        &(struct complaint){.code = "DOC-0011", .position = position, .remedy = "flatten the document"},
                        "lists and maps are nested more than %zu deep, which is the limit", builder->limits.depth);
  r = builder_new_node(builder, &(struct node){.kind = kind, .position = position}, &node);
  if (r < 0)
    return r;
  if (array_reserve((void **)&builder->frames, &builder->frames_capacity, builder->depth, sizeof(*builder->frames)) < 0)
    return -ENOMEM;
  /* The value is placed when it closes: until then its slot must not count as filled, and a root must not be seen. */
  builder->frames[builder->depth++] = (struct frame){.container = node, .first_slot = builder->slot_count};
  return 0;
}

static int compare_slots(const void *a, const void *b) {
  const struct slot *left = *(const struct slot *const *)a, *right = *(const struct slot *const *)b;
  int order = strcmp(left->key, right->key);

  return order != 0 ? order : left < right ? -1 : left > right;
}

/* Nearly all maps are small. */
static bool are_few_and_different(const struct slot *slots, size_t count) {
  if (count > FEW_KEYS)
    return false;
  for (size_t i = 1; i < count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(slots[i].key, slots[j].key) == 0)
        return false;
  return true;
}

/* Sorting finds duplicates in n log n, so that a map of a million keys cannot stall the reader. */
static int builder_check_keys(struct builder *builder, const struct slot *slots, size_t count) {
  _cleanup_free_ const struct slot **sorted = NULL;

  if (!slots || are_few_and_different(slots, count))
    return 0;
  sorted = calloc(count, sizeof(struct slot *));
  if (!sorted)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++)
    sorted[i] = &slots[i];
  qsort(sorted, count, sizeof(struct slot *), compare_slots);
  for (size_t i = 1, first = 0; i < count; i++) {
    struct quote quote;
    int r;

    if (strcmp(sorted[first]->key, sorted[i]->key) != 0) {
      first = i;
      continue;
    }
    r = builder_report_duplicate(builder, sorted[i]->key,
                                 &(struct complaint){.code = "DOC-0006",
                                                     .position = sorted[i]->position,
                                                     .remedy = "remove or rename one of them"},
                                 "duplicate key %s, which already stands at line %u, column %u",
                                 quote_text(&quote, sorted[i]->key, strlen(sorted[i]->key)),
                                 sorted[first]->position.line, sorted[first]->position.column);
    if (r < 0)
      return r;
  }
  return 0;
}

static int builder_fill_list(struct builder *builder, struct node *list, const struct slot *slots) {
  const struct node **items = arena_array(builder->arena, list->count, sizeof(struct node *));

  if (!items)
    return -ENOMEM;
  for (size_t i = 0; slots && i < list->count; i++) {
    slots[i].value->index = (uint32_t)i;
    items[i] = slots[i].value;
  }
  list->items = items;
  return 0;
}

static int builder_fill_map(struct builder *builder, struct node *map, const struct slot *slots) {
  struct entry *entries = arena_array(builder->arena, map->count, sizeof(*entries));

  if (!entries)
    return -ENOMEM;
  for (size_t i = 0; slots && i < map->count; i++) {
    slots[i].value->index = (uint32_t)i;
    entries[i] = (struct entry){.key = slots[i].key, .position = slots[i].position, .value = slots[i].value};
  }
  map->entries = entries;
  return builder_check_keys(builder, slots, map->count);
}

int builder_close(struct builder *builder) {
  const struct frame *top = builder_top(builder);
  const struct slot *slots = builder->slots ? builder->slots + top->first_slot : NULL; /* none yet: all is empty */
  struct node *container = top->container;
  int r;

  container->count = (uint32_t)(builder->slot_count - top->first_slot);
  r = container->kind == NODE_LIST ? builder_fill_list(builder, container, slots)
                                   : builder_fill_map(builder, container, slots);
  if (r < 0)
    return r;
  builder->slot_count = top->first_slot;
  builder->depth--;
  return builder_place(builder, container);
}

int builder_documents(const struct builder *builder, struct document_list *ret_documents) {
  const struct node **roots = arena_array(builder->arena, builder->root_count, sizeof(struct node *));

  if (!roots)
    return -ENOMEM;
  if (builder->root_count > 0)
    memcpy(roots, builder->roots, builder->root_count * sizeof(struct node *));
  *ret_documents = (struct document_list){.count = builder->root_count, .roots = roots};
  return 0;
}
