#include "host/engine/managers.h"

#include <string.h>

#include "host/engine/fulfilment.h"
#include "host/transport/kube/resource.h"

struct managers_view managers_view_of(const Trammel__Adapter__V1__DescribeResponse *description, const char *manager) {
  return (struct managers_view){
      .manager = manager, .domains = description->control_domains, .domain_count = description->n_control_domains};
}

static const json_t *entries(const json_t *object) {
  return json_object_get(json_object_get(object, "metadata"), "managedFields");
}

static bool is_applied(const json_t *entry, const char *manager) {
  return strcmp(kube_text(entry, "manager"), manager) == 0 && strcmp(kube_text(entry, "operation"), "Apply") == 0;
}

bool managers_applied(const json_t *object, const char *manager) {
  const json_t *entry;
  size_t i;

  json_array_foreach(entries(object), i, entry) {
    if (is_applied(entry, manager))
      return true;
  }
  return false;
}

/* ---- labels and annotations */

/* Whether `name` is `domain`, or in it. */
static bool is_within(const char *name, size_t length, const char *domain, size_t domain_length) {
  return length >= domain_length && strncmp(name + length - domain_length, domain, domain_length) == 0 &&
         (length == domain_length || name[length - domain_length - 1] == '.');
}

/* Whether a label or annotation of this name tells the mesh something. */
static bool is_control(const struct managers_view *view, const char *group, const char *name) {
  size_t length = strcspn(name, "/"), group_length = strcspn(group, "/");

  if (!name[length] || length == 0)
    return false;
  if (group[group_length] && memchr(name, '.', length) && is_within(group, group_length, name, length))
    return true;
  for (size_t i = 0; i < view->domain_count; i++)
    if (is_within(name, length, view->domains[i], strlen(view->domains[i])))
      return true;
  return false;
}

/* ---- what others own */

#define DEPTH_MAX 32 /* of a path that is told whole, and of what is undone */

enum finding {
  ADDED,    /* a member that is not wanted */
  EXTENDED, /* a list with more than the wanted items */
  REPLACED, /* another list */
  SET,      /* another value */
};

/* A walk along the fields of others. */
struct walk {
  const struct managers_view *view;
  const char *group;            /* apiVersion of the object */
  const char *names[DEPTH_MAX]; /* where it is, or ended; borrowed from the object */
  size_t depth;
  const char *owner;
  /* Of what differs; `wanted` may be NULL. True: it ends. */
  bool (*found)(struct walk *walk, enum finding finding, json_t *wanted);
  void *ctx;
};

/* Whether a member belongs to what the object says: fields are walked into in metadata down to single labels. */
static bool is_content(const struct walk *walk, const char *name) {
  static const char *const others[] = {"status", "apiVersion", "kind"};
  bool in_metadata = walk->depth > 0 && strcmp(walk->names[0], "metadata") == 0;

  if (in_metadata && walk->depth == 1)
    return strcmp(name, "labels") == 0 || strcmp(name, "annotations") == 0;
  if (in_metadata)
    return is_control(walk->view, walk->group, name);
  for (size_t i = 0; walk->depth == 0 && i < sizeof(others) / sizeof(*others); i++)
    if (strcmp(name, others[i]) == 0)
      return false;
  return true;
}

/* Whether all items of `wanted` are there, in their order, and others among them. */
static bool is_extended(const json_t *wanted, const json_t *there) {
  size_t count = json_array_size(wanted), size = json_array_size(there), next = 0;

  for (size_t i = 0; i < size && next < count; i++)
    next += is_fulfilled(json_array_get(wanted, next), json_array_get(there, i));
  return size > count && next == count;
}

static bool is_below(struct walk *walk, const json_t *fields, const json_t *wanted, const json_t *there);

/* One field of others. */
static bool look(struct walk *walk, const json_t *below, json_t *wanted, const json_t *there) {
  bool in_metadata = walk->depth < 3 && strcmp(walk->names[0], "metadata") == 0;

  if (json_is_object(wanted) || (in_metadata && !wanted))
    return is_below(walk, below, wanted, there);
  if (!wanted)
    return walk->found(walk, ADDED, NULL);
  if (json_equal(wanted, there))
    return false;
  if (!json_is_array(wanted))
    return walk->found(walk, SET, wanted);
  return walk->found(walk, is_extended(wanted, there) ? EXTENDED : REPLACED, wanted);
}

/* `fields` is a part of fieldsV1: its keys "f:NAME" are members; those of lists ("k:", "v:", "i:") and "." are none. */
static bool is_below(struct walk *walk, const json_t *fields, const json_t *wanted, const json_t *there) {
  const char *key;
  json_t *below;

  json_object_foreach((json_t *)fields, key, below) {
    const char *name = key + 2;
    if (strncmp(key, "f:", 2) != 0 || !is_content(walk, name))
      continue;
    if (walk->depth < DEPTH_MAX)
      walk->names[walk->depth] = name;
    walk->depth++;
    if (look(walk, below, json_object_get(wanted, name), json_object_get(there, name)))
      return true;
    walk->depth--;
  }
  return false;
}

/* Whether it ended at something found. */
static bool run(struct walk *walk, const json_t *object, const json_t *wanted) {
  const json_t *entry;
  size_t i;

  walk->group = kube_text(object, "apiVersion");
  json_array_foreach(entries(object), i, entry) {
    walk->owner = kube_text(entry, "manager");
    if (!is_applied(entry, walk->view->manager) && is_below(walk, json_object_get(entry, "fieldsV1"), wanted, object))
      return true;
  }
  return false;
}

/* ---- what is asked */

static bool is_addition(struct walk *walk, enum finding finding, json_t *wanted) {
  (void)walk;
  (void)wanted;
  return finding == ADDED || finding == EXTENDED;
}

const char *managers_added(const json_t *object, const json_t *wanted, const struct managers_view *view,
                           struct strbuf *path) {
  struct walk walk = {.view = view, .found = is_addition};

  if (!run(&walk, object, wanted))
    return NULL;
  for (size_t i = 0; i < walk.depth && i < DEPTH_MAX; i++)
    strbuf_printf(path, "%s%s", i > 0 ? "." : "", walk.names[i]);
  return walk.owner;
}

static bool is_touched(struct walk *walk, enum finding finding, json_t *wanted) {
  (void)walk;
  (void)wanted;
  return finding != SET;
}

bool managers_touched(const json_t *object, const json_t *wanted, const struct managers_view *view) {
  return run(&(struct walk){.view = view, .found = is_touched}, object, wanted);
}

/* Ends at what is more than an addition. */
static bool note_addition(struct walk *walk, enum finding finding, json_t *wanted) {
  bool addition = is_addition(walk, finding, wanted);

  *(bool *)walk->ctx |= addition;
  return !addition;
}

bool managers_only_added(const json_t *object, const json_t *wanted, const struct managers_view *view) {
  bool added = false;

  return !run(&(struct walk){.view = view, .found = note_addition, .ctx = &added}, object, wanted) && added;
}

/* Sets what is at the walk's path in the patch. False without memory. */
static bool put(const struct walk *walk, json_t *patch, json_t *value) {
  for (size_t i = 0; i + 1 < walk->depth; i++) {
    json_t *part = json_object_get(patch, walk->names[i]);
    if (!part && json_object_set_new(patch, walk->names[i], part = json_object()) < 0)
      part = NULL;
    if (!json_is_object(part)) {
      json_decref(value);
      return false;
    }
    patch = part;
  }
  return json_object_set_new(patch, walk->names[walk->depth - 1], value) == 0;
}

/* What is too deep is left, which the next look tells. Ends without memory. */
static bool note_undoing(struct walk *walk, enum finding finding, json_t *wanted) {
  if (walk->depth > DEPTH_MAX || !is_addition(walk, finding, wanted))
    return false;
  return !put(walk, walk->ctx, finding == ADDED ? json_null() : json_deep_copy(wanted));
}

json_t *managers_undo(const json_t *object, const json_t *wanted, const struct managers_view *view) {
  json_t *patch = json_object();

  if (patch && !run(&(struct walk){.view = view, .found = note_undoing, .ctx = patch}, object, wanted))
    return patch;
  json_decref(patch);
  return NULL;
}
