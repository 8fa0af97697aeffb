/* Where adapters are looked for. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/program.h"
#include "host/adapter/registry.h"
#include "sdk/base/memory.h"

struct list {
  char **items;
  size_t count, capacity;
};

void directories_free(char **directories) {
  for (char **d = directories; d && *d; d++)
    free(*d);
  free(directories);
}

/* Takes `path`, a heap string or NULL. Room for the end mark is kept. */
static int add(struct list *list, char *path, struct error **err) {
  if (!path || array_reserve((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items) < 0) {
    free(path);
    return error_set(err, ENOMEM, "out of memory");
  }
  list->items[list->count++] = path;
  list->items[list->count] = NULL;
  return 0;
}

static int add_extra(struct list *list, const char *const *extra, struct error **err) {
  for (; extra && *extra; extra++) {
    char *path = realpath(*extra, NULL);
    if (!path)
      return error_set(err, errno, "adapter directory %s: %s", *extra, strerror(errno));
    int r = add(list, path, err);
    if (r < 0)
      return r;
  }
  return 0;
}

static int add_environment(struct list *list, struct error **err) {
  const char *text = getenv("TRAMMEL_ADAPTER_PATH");
  while (text && *text) {
    size_t n = strcspn(text, ":");
    if (n && text[0] != '/')
      return error_set(err, EINVAL, "TRAMMEL_ADAPTER_PATH holds \"%.*s\", which is not an absolute path", (int)n, text);
    int r = n ? add(list, strndup(text, n), err) : 0;
    if (r < 0)
      return r;
    text += n + (text[n] == ':');
  }
  return 0;
}

static int add_installed(struct list *list, struct error **err) {
  _cleanup_free_ char *directory = NULL;
  int r = program_directory(&directory, err);
  static const char *const places[] = {"lib", TRAMMEL_LIBDIR};
  for (size_t i = 0; r == 0 && i < sizeof places / sizeof places[0]; i++) {
    char *path = NULL;
    if (asprintf(&path, "%s/../%s/trammel/adapters", directory, places[i]) < 0)
      path = NULL;
    /* Without the detour where it exists, for messages. */
    char *resolved = path ? realpath(path, NULL) : NULL;
    if (resolved) {
      free(path);
      path = resolved;
    }
    r = add(list, path, err);
  }
  return r;
}

int registry_directories(const char *const *extra, char ***ret_directories, struct error **err) {
  struct list list = {0};
  int r = add_extra(&list, extra, err);
  if (r == 0)
    r = add_environment(&list, err);
  if (r == 0)
    r = add_installed(&list, err);
  if (r < 0) {
    directories_free(list.items);
    return r;
  }
  *ret_directories = list.items;
  return 0;
}
