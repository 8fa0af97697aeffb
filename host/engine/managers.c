#include "host/engine/managers.h"

#include <string.h>

#include "host/transport/kube/resource.h"

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

#define DEPTH_MAX 32 /* of a path that is told whole */

/* A walk along the fields of a manager. */
struct walk {
  bool lists;
  const char *names[DEPTH_MAX]; /* where it is, or ended; borrowed from the object */
  size_t depth;
};

/* Whether a member of the object itself belongs to what it says. */
static bool is_content(const char *name) {
  static const char *const others[] = {"metadata", "status", "apiVersion", "kind"};

  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
    if (strcmp(name, others[i]) == 0)
      return false;
  return true;
}

static bool is_beyond(struct walk *walk, const json_t *fields, const json_t *wanted, const json_t *there);

/* `fields` is a part of fieldsV1: its keys "f:NAME" are members; those of lists ("k:", "v:", "i:") and "." are none. */
static bool has_beyond(struct walk *walk, const json_t *fields, const json_t *wanted, const json_t *there) {
  const char *key;
  json_t *below;

  json_object_foreach((json_t *)fields, key, below) {
    if (strncmp(key, "f:", 2) != 0 || (walk->depth == 0 && !is_content(key + 2)))
      continue;
    const char *name = key + 2;
    if (walk->depth < DEPTH_MAX)
      walk->names[walk->depth] = name;
    walk->depth++;
    if (is_beyond(walk, below, json_object_get(wanted, name), json_object_get(there, name)))
      return true;
    walk->depth--;
  }
  return false;
}

static bool is_beyond(struct walk *walk, const json_t *fields, const json_t *wanted, const json_t *there) {
  if (json_is_object(wanted))
    return has_beyond(walk, fields, wanted, there);
  return !wanted || (walk->lists && json_is_array(wanted) && !json_equal(wanted, there));
}

/* The owner of what it ends at; NULL when nothing is beyond. */
static const char *find(struct walk *walk, const json_t *object, const json_t *wanted, const char *manager) {
  const json_t *entry;
  size_t i;

  json_array_foreach(entries(object), i, entry) {
    if (!is_applied(entry, manager) && has_beyond(walk, json_object_get(entry, "fieldsV1"), wanted, object))
      return kube_text(entry, "manager");
  }
  return NULL;
}

const char *managers_added(const json_t *object, const json_t *wanted, const char *manager, struct strbuf *path) {
  struct walk walk = {.lists = false};
  const char *owner = find(&walk, object, wanted, manager);

  for (size_t i = 0; owner && i < walk.depth && i < DEPTH_MAX; i++)
    strbuf_printf(path, "%s%s", i > 0 ? "." : "", walk.names[i]);
  return owner;
}

bool managers_touched(const json_t *object, const json_t *wanted, const char *manager) {
  return find(&(struct walk){.lists = true}, object, wanted, manager) != NULL;
}
