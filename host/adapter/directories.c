/* Where adapters are looked for. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/program.h"
#include "host/adapter/registry.h"
#include "sdk/base/memory.h"

void directories_finish(struct adapter_directories *directories) {
  for (size_t i = 0; i < directories->count; i++) {
    free((char *)(uintptr_t)directories->items[i].path);
    free((char *)(uintptr_t)directories->items[i].refused_id);
    free((char *)(uintptr_t)directories->items[i].refusal);
  }
  free(directories->items);
  *directories = (struct adapter_directories){0};
}

/* Takes `path`, a heap string or NULL. Room for the end mark is kept. */
static int add(struct adapter_directories *list, char *path, bool bundled, struct error **err) {
  if (!path || array_reserve((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items) < 0) {
    free(path);
    return error_set(err, ENOMEM, "out of memory");
  }
  list->items[list->count++] = (struct adapter_directory){.path = path, .bundled = bundled};
  list->items[list->count] = (struct adapter_directory){0};
  return 0;
}

int directories_add(struct adapter_directories *directories, const char *path, struct error **err) {
  char *absolute = realpath(path, NULL);
  return absolute ? add(directories, absolute, false, err)
                  : error_set(err, errno, "adapter directory %s: %s", path, strerror(errno));
}

int directories_add_refused(struct adapter_directories *directories, const char *path, const char *id,
                            const char *refusal, struct error **err) {
  int r = add(directories, strdup(path), false, err);
  if (r < 0)
    return r;
  struct adapter_directory *added = &directories->items[directories->count - 1];
  added->refused_id = strdup(id);
  added->refusal = strdup(refusal);
  return added->refused_id && added->refusal ? 0 : error_set(err, ENOMEM, "out of memory");
}

int directories_add_environment(struct adapter_directories *directories, struct error **err) {
  const char *text = getenv("TRAMMEL_ADAPTER_PATH");
  while (text && *text) {
    size_t n = strcspn(text, ":");
    if (n && text[0] != '/')
      return error_set(err, EINVAL, "TRAMMEL_ADAPTER_PATH holds \"%.*s\", which is not an absolute path", (int)n, text);
    int r = n ? add(directories, strndup(text, n), false, err) : 0;
    if (r < 0)
      return r;
    text += n + (text[n] == ':');
  }
  return 0;
}

int directories_add_bundled(struct adapter_directories *directories, struct error **err) {
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
    r = add(directories, path, true, err);
  }
  return r;
}
