#include "host/adapter/registry.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/adapter/child.h"
#include "host/adapter/description.h"
#include "host/adapter/gate.h"
#include "host/adapter/remote.h"
#include "sdk/base/arena.h"
#include "sdk/base/strbuf.h"

/* Files of one scan. */
#define ADAPTERS_MAX 1000

struct directory_id {
  dev_t device;
  ino_t inode;
};

struct registry {
  struct arena *arena;
  struct registry_options options;
  struct adapter_entry *entries;
  size_t count, capacity;
  struct directory_id *seen;
  size_t seen_count, seen_capacity;
  struct adapter_remote remote; /* of registry_of_remote() */
};

static int no_memory(struct error **err) {
  return error_set(err, ENOMEM, "out of memory");
}

void registry_destroy(struct registry *registry) {
  if (!registry)
    return;
  for (size_t i = 0; i < registry->count; i++)
    trammel__adapter__v1__describe_response__free_unpacked(
        (Trammel__Adapter__V1__DescribeResponse *)(uintptr_t)registry->entries[i].description, NULL);
  identity_finish(&registry->remote.identity);
  arena_destroy(registry->arena);
  free(registry->entries);
  free(registry->seen);
  free(registry);
}

static void closedirp(DIR **directory) {
  if (*directory)
    (void)closedir(*directory);
}

static bool is_adapter_name(const char *name) {
  size_t n = strlen(name);
  return n > 3 && name[0] != '.' && strcmp(name + n - 3, ".so") == 0;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of *.so of an open directory in order, in the registry's arena. */
static int list_names(struct registry *registry, DIR *directory, char ***ret_names, size_t *ret_count,
                      struct error **err) {
  char **names = NULL;
  size_t count = 0, capacity = 0;
  const struct dirent *file;
  int r = 0;
  while (r == 0 && (file = readdir(directory))) {
    if (!is_adapter_name(file->d_name))
      continue;
    char *name = arena_strdup(registry->arena, file->d_name);
    if (count + registry->count >= ADAPTERS_MAX)
      r = error_set(err, E2BIG, "more than %d adapters", ADAPTERS_MAX);
    else if (!name || array_reserve((void **)&names, &capacity, count, sizeof *names) < 0)
      r = no_memory(err);
    else
      names[count++] = name;
  }
  if (r < 0) {
    free(names);
    return r;
  }
  if (count)
    qsort(names, count, sizeof *names, by_name);
  *ret_names = names;
  *ret_count = count;
  return 0;
}

static const struct adapter_entry *usable_by_id(const struct registry *registry, const char *id) {
  for (size_t i = 0; i < registry->count; i++)
    if (registry->entries[i].usable && strcmp(registry->entries[i].id, id) == 0)
      return &registry->entries[i];
  return NULL;
}

/* Whether only others are looked for, also by what has no id. */
static bool is_passed_over(const struct registry *registry, const struct gate *gate) {
  return registry->options.id && strcmp(gate->note.id, registry->options.id) != 0;
}

/* The gate, then Describe in a child, then the check of what it said. 0 when usable or passed over, else why not. */
static int examine(const struct registry *registry, const char *path, bool partly, struct gate *gate,
                   Trammel__Adapter__V1__DescribeResponse **ret_description, struct error **err) {
  int r = gate_open(path, gate, err);
  if (r < 0 || is_passed_over(registry, gate))
    return r;
  const struct adapter_entry *first = usable_by_id(registry, gate->note.id);
  if (first)
    return error_set(err, EEXIST, "offers the id \"%s\" (version %s), which %s already has; remove one of them",
                     gate->note.id, gate->note.version, first->path);
  Trammel__Adapter__V1__DescribeResponse *description = NULL;
  r = child_describe(gate->fd, partly, &description, err);
  if (r == 0)
    r = description_check(description, &gate->note, err);
  if (r == 0)
    *ret_description = description;
  else if (description)
    trammel__adapter__v1__describe_response__free_unpacked(description, NULL);
  return r;
}

static bool is_confined(const struct adapter_directory *directory, enum registry_placement placement) {
  return placement == PLACEMENT_CHILD || (placement == PLACEMENT_BY_ORIGIN && !directory->bundled);
}

static int add_file(struct registry *registry, const struct adapter_directory *directory, const char *name,
                    struct error **err) {
  char *path = arena_printf(registry->arena, "%s/%s", directory->path, name);
  bool partly = directory->bundled || registry->options.allow_unconfined;
  if (!path ||
      array_reserve((void **)&registry->entries, &registry->capacity, registry->count, sizeof *registry->entries) < 0)
    return no_memory(err);
  _cleanup_gate_ struct gate gate = {.fd = -1};
  _cleanup_error_ struct error *fault = NULL;
  Trammel__Adapter__V1__DescribeResponse *description = NULL;
  int r = examine(registry, path, partly, &gate, &description, &fault);
  if (is_passed_over(registry, &gate))
    return 0;
  struct adapter_entry *entry = &registry->entries[registry->count++];
  *entry = (struct adapter_entry){.path = path,
                                  .usable = r == 0,
                                  .confined = is_confined(directory, registry->options.placement),
                                  .partly = partly,
                                  .description = description};
  entry->id = gate.note.id[0] ? arena_strdup(registry->arena, gate.note.id)
                              : arena_strndup(registry->arena, name, strlen(name) - 3);
  memcpy(entry->digest, gate.digest, sizeof entry->digest);
  if (r < 0)
    entry->refusal = arena_printf(registry->arena, "%s %s", name, error_message(fault));
  return entry->id && (r == 0 || entry->refusal) ? 0 : no_memory(err);
}

static int add_refused(struct registry *registry, const struct adapter_directory *directory, struct error **err) {
  if (array_reserve((void **)&registry->entries, &registry->capacity, registry->count, sizeof *registry->entries) < 0)
    return no_memory(err);
  struct adapter_entry *entry = &registry->entries[registry->count++];
  *entry = (struct adapter_entry){.path = arena_strdup(registry->arena, directory->path),
                                  .confined = is_confined(directory, registry->options.placement),
                                  .id = arena_strdup(registry->arena, directory->refused_id),
                                  .refusal = arena_strdup(registry->arena, directory->refusal)};
  return entry->path && entry->id && entry->refusal ? 0 : no_memory(err);
}

/* True when the directory was scanned already, under whatever name. */
static bool seen(const struct registry *registry, const struct stat *status) {
  for (size_t i = 0; i < registry->seen_count; i++)
    if (registry->seen[i].device == status->st_dev && registry->seen[i].inode == status->st_ino)
      return true;
  return false;
}

static int scan_directory(struct registry *registry, const struct adapter_directory *where, struct error **err) {
  const char *path = where->path;
  if (path[0] != '/')
    return error_set(err, EINVAL, "adapter directory %s is not an absolute path", path);
  if (where->refusal)
    return add_refused(registry, where, err);
  _cleanup_(closedirp) DIR *directory = opendir(path);
  if (!directory)
    return errno == ENOENT ? 0
                           : error_set(err, errno, "adapter directory %s cannot be read: %s", path, strerror(errno));
  struct stat status;
  if (fstat(dirfd(directory), &status) < 0)
    return error_set(err, errno, "adapter directory %s cannot be looked at: %s", path, strerror(errno));
  if (seen(registry, &status))
    return 0;
  if (array_reserve((void **)&registry->seen, &registry->seen_capacity, registry->seen_count, sizeof *registry->seen) <
      0)
    return no_memory(err);
  registry->seen[registry->seen_count++] = (struct directory_id){status.st_dev, status.st_ino};
  _cleanup_free_ char **names = NULL;
  size_t count = 0;
  int r = list_names(registry, directory, &names, &count, err);
  for (size_t i = 0; r == 0 && i < count; i++)
    r = add_file(registry, where, names[i], err);
  return r;
}

static struct registry *registry_create(const struct registry_options *options) {
  struct registry *registry = calloc(1, sizeof *registry);
  if (registry && !(registry->arena = arena_create(0))) {
    free(registry);
    return NULL;
  }
  if (registry)
    registry->options = *options;
  return registry;
}

int registry_scan_file(const char *path, const struct registry_options *options, struct registry **ret_registry,
                       struct error **err) {
  _cleanup_free_ char *absolute = realpath(path, NULL);
  if (!absolute)
    return error_set(err, errno, "adapter %s: %s", path, strerror(errno));
  struct registry *registry = registry_create(options);
  if (!registry)
    return no_memory(err);
  char *slash = strrchr(absolute, '/');
  *slash = '\0';
  const struct adapter_directory where = {.path = absolute};
  int r = add_file(registry, &where, slash + 1, err);
  if (r == 0 && !registry->entries[0].usable)
    r = error_set(err, EINVAL, "adapter %s is not usable: %s", path, registry->entries[0].refusal);
  if (r < 0) {
    registry_destroy(registry);
    return r;
  }
  *ret_registry = registry;
  return 0;
}

static int scan(const struct adapter_directory *directories, const struct registry_options *options,
                struct registry **ret_registry, struct error **err) {
  struct registry *registry = registry_create(options);
  if (!registry)
    return no_memory(err);
  int r = 0;
  for (; r == 0 && directories && directories->path; directories++)
    r = scan_directory(registry, directories, err);
  if (r < 0) {
    registry_destroy(registry);
    return r;
  }
  *ret_registry = registry;
  return 0;
}

int registry_scan(const struct adapter_directory *directories, const struct registry_options *options,
                  struct registry **ret_registry, struct error **err) {
  struct registry *registry = NULL;
  int r = scan(directories, options, &registry, err);
  if (r == 0 && options->id && !usable_by_id(registry, options->id)) {
    struct registry_options any = *options;
    any.id = NULL;
    registry_destroy(registry);
    r = scan(directories, &any, &registry, err);
  }
  if (r == 0)
    *ret_registry = registry;
  return r;
}

int registry_of_remote(const struct adapter_remote *remote, Trammel__Adapter__V1__DescribeResponse *description,
                       struct registry **ret_registry, const struct adapter_entry **ret_entry, struct error **err) {
  struct registry *registry = registry_create(&(struct registry_options){0});
  struct adapter_entry *entry = calloc(1, sizeof *entry);
  if (!registry || !entry) {
    struct identity identity = remote->identity;
    identity_finish(&identity);
    trammel__adapter__v1__describe_response__free_unpacked(description, NULL);
    registry_destroy(registry);
    free(entry);
    return no_memory(err);
  }
  registry->remote = *remote;
  registry->remote.address = arena_strdup(registry->arena, remote->address);
  *entry = (struct adapter_entry){.path = arena_printf(registry->arena, REMOTE_PREFIX "%s", remote->address),
                                  .id = description->adapter_id,
                                  .usable = true,
                                  .remote = &registry->remote,
                                  .description = description};
  registry->entries = entry;
  registry->count = registry->capacity = 1;
  if (!registry->remote.address || !entry->path) {
    registry_destroy(registry);
    return no_memory(err);
  }
  *ret_registry = registry;
  *ret_entry = entry;
  return 0;
}

size_t registry_count(const struct registry *registry) {
  return registry->count;
}

const struct adapter_entry *registry_at(const struct registry *registry, size_t i) {
  return &registry->entries[i];
}

/* "a, b, c" of the usable adapters, for messages. */
static void usable_names(const struct registry *registry, struct strbuf *out) {
  for (size_t i = 0; i < registry->count; i++)
    if (registry->entries[i].usable)
      strbuf_printf(out, "%s%s", out->length ? ", " : "", registry->entries[i].id);
  if (out->length == 0)
    strbuf_puts(out, "none");
}

/* The one usable adapter of a mesh type. NULL without an error when there is none. */
static const struct adapter_entry *by_mesh(const struct registry *registry, const char *mesh, struct error **err) {
  const struct adapter_entry *found = NULL;
  for (size_t i = 0; i < registry->count; i++) {
    const struct adapter_entry *entry = &registry->entries[i];
    if (!entry->usable || strcmp(entry->description->mesh_type, mesh) != 0)
      continue;
    if (found) {
      (void)error_set(err, EINVAL, "adapters %s and %s are both for mesh %s; name one of them", found->id, entry->id,
                      mesh);
      return NULL;
    }
    found = entry;
  }
  return found;
}

const struct adapter_entry *registry_find(const struct registry *registry, const char *name, struct error **err) {
  const struct adapter_entry *entry = usable_by_id(registry, name);
  if (entry)
    return entry;
  _cleanup_error_ struct error *ambiguous = NULL;
  entry = by_mesh(registry, name, &ambiguous);
  if (entry)
    return entry;
  if (ambiguous) {
    (void)error_set(err, EINVAL, "%s", error_message(ambiguous));
    return NULL;
  }
  for (size_t i = 0; i < registry->count; i++)
    if (strcmp(registry->entries[i].id, name) == 0) {
      (void)error_set(err, EINVAL, "adapter %s is not usable: %s (%s)", name, registry->entries[i].refusal,
                      registry->entries[i].path);
      return NULL;
    }
  _cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
  usable_names(registry, &names);
  (void)error_set(err, ENOENT, "no adapter \"%s\"; usable adapters: %s", name, strbuf_text(&names));
  return NULL;
}

const struct adapter_entry *registry_default(const struct registry *registry, struct error **err) {
  const struct adapter_entry *found = NULL;
  for (size_t i = 0; i < registry->count; i++) {
    const struct adapter_entry *entry = &registry->entries[i];
    if (!entry->usable || !entry->description->embedded)
      continue;
    if (found) {
      (void)error_set(err, EINVAL, "adapters %s and %s both come with a mesh; choose one with --mesh", found->id,
                      entry->id);
      return NULL;
    }
    found = entry;
  }
  if (found)
    return found;
  _cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
  usable_names(registry, &names);
  (void)error_set(err, ENOENT, "no adapter comes with a mesh of its own; choose one with --mesh; usable adapters: %s",
                  strbuf_text(&names));
  return NULL;
}

int registry_open(const struct adapter_entry *entry, struct gate *ret_gate, struct error **err) {
  int r = gate_open(entry->path, ret_gate, err);
  if (r == 0 && strcmp(ret_gate->digest, entry->digest) != 0)
    r = error_set(err, ESTALE, "changed after it was scanned (SHA-256 %.12s…, was %.12s…)", ret_gate->digest,
                  entry->digest);
  return r < 0 ? error_wrap(err, "adapter %s (%s)", entry->id, entry->path) : 0;
}
