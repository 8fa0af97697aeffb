/* Bytes to a profile, of either format: nothing crashes, what is refused is told, and what can be written as a
 * performance test reads back as the same. No file is opened. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/perf/smp.h"
#include "sdk/base/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* On the heap; NULL when the format has no place for it. */
static char *written(const struct profile *profile) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *json = NULL;
  int r = smp_test_json(profile, &json, NULL);
  if (r < 0 && r != -ENOTSUP)
    abort();
  if (r < 0)
    return NULL;
  if (json_write(json, &text) < 0)
    abort();
  json_decref(json);
  return strbuf_steal(&text);
}

static struct profile *parse(const void *data, size_t size, bool *ret_told) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct profile *profile = NULL;
  int r = profile_parse("fuzz", data, size, diagnostics, &profile);
  if (r == -ENOMEM)
    return NULL;
  if ((r < 0) != diagnostics_have_error(diagnostics) || (r < 0) == (profile != NULL))
    abort(); /* an error nobody is told about */
  *ret_told = true;
  return profile;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bool told = false;
  _cleanup_(profile_destroy_p) struct profile *profile = parse(data, size, &told);
  if (!profile)
    return 0;
  _cleanup_free_ char *once = written(profile);
  if (!once || strlen(once) > PROFILE_BYTES_MAX)
    return 0;
  _cleanup_(profile_destroy_p) struct profile *again = parse(once, strlen(once), &told);
  if (!again)
    return 0; /* target_create() would have refused it before: a header with an odd name */
  _cleanup_free_ char *twice = written(again);
  if (!twice || strcmp(once, twice) != 0)
    abort();
  return 0;
}
