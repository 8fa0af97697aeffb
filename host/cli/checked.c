#include "host/cli/checked.h"

#include <errno.h>
#include <stdio.h>

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

json_t *checked_adapter(const struct adapter_entry *entry, const struct origins *origins) {
  json_t *report = checked_report(entry->digest);
  const struct installed_adapter *adapter = report ? NULL : origins_find(origins, entry->path);
  return adapter ? checked_report(adapter->current.digest) : report;
}
