#include "host/cli/checked.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/certify/kept.h"
#include "host/package/installed.h"

json_t *checked_report(const char *digest) {
  _cleanup_free_ char *data = NULL;
  _cleanup_error_ struct error *err = NULL;
  json_t *report = NULL;
  if (!*digest || data_directory(&data, NULL) < 0)
    return NULL;
  int r = kept_read(data, digest, &report, &err);
  if (r < 0 && r != -ENOENT && r != -ENOTDIR)
    (void)fprintf(stderr, "trammel: warning: a report of a check is left out: %s\n", error_message(err));
  return r < 0 ? NULL : report;
}

json_t *checked_package(const char *digest, const struct manifest *manifest) {
  json_t *report = checked_report(digest);
  const char *adapter = manifest_adapter_digest(manifest);
  return report || !adapter ? report : checked_report(adapter);
}

static bool is_in(const char *path, const char *directory) {
  size_t length = strlen(directory);
  return strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* The digest of the package that holds the file; "" when it was not installed from one. */
static const char *package_of(const struct installed *installed, const char *path) {
  for (size_t i = 0; i < installed_count(installed); i++) {
    const struct installed_adapter *adapter = installed_at(installed, i);
    const struct installed_version *const versions[] = {&adapter->current, &adapter->previous};
    for (size_t k = 0; k < ARRAY_COUNT(versions) && versions[k]->version; k++) {
      _cleanup_free_ char *directory = installed_directory(installed, adapter->id, versions[k]);
      if (directory && is_in(path, directory))
        return versions[k]->digest;
    }
  }
  return "";
}

json_t *checked_adapter(const struct adapter_entry *entry) {
  _cleanup_free_ char *data = NULL;
  _cleanup_installed_ struct installed *installed = NULL;
  json_t *report = checked_report(entry->digest);
  if (report || data_directory(&data, NULL) < 0 || installed_open(data, false, &installed, NULL) < 0)
    return report;
  return checked_report(package_of(installed, entry->path));
}
