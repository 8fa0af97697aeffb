/* Bytes to an index: nothing crashes, what is refused is empty and told, and what was read keeps what the schema says:
 * names of files are plain, and each package is found under its own name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/package/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

static void look_at(const struct index *index, const struct index_package *package) {
  const struct index_package *found = index_find(index, package->id, package->version, false);
  const struct index_package *newest = index_find(index, package->id, NULL, true);
  if (strchr(package->file, '/') || package->file[0] == '.' || strlen(package->sha256) != 64 || package->bytes == 0)
    abort();
  if (index_package_suits(package) ? found != package : found == package)
    abort();
  if (newest && (strcmp(newest->id, package->id) != 0 || !index_package_suits(newest)))
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_index_ struct index index = {0};
  _cleanup_error_ struct error *err = NULL;
  if (size > INPUT_MAX)
    return 0;
  if (index_read(data, size, &index, &err) < 0) {
    if (index.root || index.packages || !*error_message(err))
      abort();
    return 0;
  }
  for (size_t i = 0; i < index.count && i < 64; i++)
    look_at(&index, &index.packages[i]);
  return 0;
}
