#include "host/adapter/program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int program_directory(char **ret_path, struct error **err) {
  char path[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n < 0)
    return error_set(err, errno, "cannot tell where this program is (/proc/self/exe): %s", strerror(errno));
  path[n] = '\0';
  char *slash = strrchr(path, '/');
  if (!slash)
    return error_set(err, ENOENT, "cannot tell where this program is: /proc/self/exe is \"%s\"", path);
  *slash = '\0';
  char *copy = strdup(path);
  if (!copy)
    return error_set(err, ENOMEM, "out of memory");
  *ret_path = copy;
  return 0;
}

int program_path(const char *name, char **ret_path, struct error **err) {
  if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return error_set(err, EINVAL, "\"%s\" is no bare program name", name);
  _cleanup_free_ char *directory = NULL;
  int r = program_directory(&directory, err);
  if (r < 0)
    return r;
  static const char *const places[] = {"", "/../bin", "/../lib/trammel"};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    _cleanup_free_ char *path = NULL;
    if (asprintf(&path, "%s%s/%s", directory, places[i], name) < 0) {
      path = NULL;
      return error_set(err, ENOMEM, "out of memory");
    }
    if (access(path, X_OK) == 0) {
      *ret_path = take(path);
      return 0;
    }
  }
  return error_set(err, ENOENT, "program %s not found in %s, ../bin or ../lib/trammel of it; reinstall Trammel", name,
                   directory);
}
