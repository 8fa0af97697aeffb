#include "host/cli/origin.h"

#include <errno.h>
#include <string.h>

#include "host/cli/packages.h"
#include "host/package/fetch.h"
#include "host/package/manifest.h"
#include "sdk/base/document.h"

int origins_open(const char *data_directory, struct origins *ret_origins, struct error **err) {
  *ret_origins = (struct origins){0};
  int r = installed_open(data_directory, false, &ret_origins->installed, err);
  if (r == 0 && installed_count(ret_origins->installed) > 0)
    r = trust_read(data_directory, &ret_origins->trust, err);
  if (r < 0)
    origins_finish(ret_origins);
  return r;
}

void origins_finish(struct origins *origins) {
  installed_close(origins->installed);
  trust_finish(&origins->trust);
  *origins = (struct origins){0};
}

/* The directory itself, or a file of it. */
static bool is_in(const char *path, const char *directory) {
  size_t length = strlen(directory);
  return strncmp(path, directory, length) == 0 &&
         (!path[length] || (path[length] == '/' && !strchr(path + length + 1, '/')));
}

const struct installed_adapter *origins_find(const struct origins *origins, const char *path) {
  size_t count = origins->installed ? installed_count(origins->installed) : 0;
  for (size_t i = 0; i < count; i++) {
    const struct installed_adapter *adapter = installed_at(origins->installed, i);
    _cleanup_free_ char *directory = installed_directory(origins->installed, adapter->id, &adapter->current);
    if (directory && is_in(path, directory))
      return adapter;
  }
  return NULL;
}

/* The files are those that were installed; the signature is beside the manifest that it is of. */
static int check_signature(const struct trust *trust, const char *directory, struct error **err) {
  _cleanup_free_ char *manifest = NULL, *signature = NULL;
  _cleanup_free_ char *manifest_path = fetch_place(directory, MANIFEST_PATH);
  _cleanup_free_ char *signature_path = fetch_place(directory, MANIFEST_SIGNATURE_PATH);
  size_t length = 0, signature_length = 0;
  const struct signing_key *key = NULL;
  if (!manifest_path || !signature_path)
    return error_set(err, ENOMEM, "out of memory");
  int r = file_read(manifest_path, MANIFEST_BYTES_MAX, &manifest, &length, err);
  if (r == 0)
    r = file_read(signature_path, SIGNATURE_TEXT_MAX, &signature, &signature_length, err);
  if (r < 0)
    return r;
  r = signature_verify(signature, signature_length, manifest, length, trust_keys(trust), trust->count, &key, err);
  return r < 0 ? error_wrap(err, "%s", signature_path) : 0;
}

int origins_check_signature(const struct origins *origins, const struct installed_adapter *adapter,
                            struct error **err) {
  if (!adapter->current.signed_by)
    return 0;
  _cleanup_free_ char *directory = installed_directory(origins->installed, adapter->id, &adapter->current);
  return directory ? check_signature(&origins->trust, directory, err) : error_set(err, ENOMEM, "out of memory");
}

void origins_describe(const struct origins *origins, const struct installed_adapter *adapter, struct strbuf *out) {
  packages_signer(out, &origins->trust, adapter->current.signed_by);
  strbuf_printf(out, ", from %s", adapter->current.source);
}

json_t *origins_json(const struct origins *origins, const struct installed_adapter *adapter) {
  const char *key_id = adapter->current.signed_by;
  return json_pack("{s:s?, s:s?, s:o}", "keyId", key_id, "signer",
                   key_id ? trust_name_of(&origins->trust, key_id) : NULL, "source",
                   packages_text(adapter->current.source));
}
