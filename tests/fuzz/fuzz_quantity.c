/* Whatever is taken for a quantity is a number of thousandths within 63 bits, and reads the same when written as such.
 * What is a whole number of thousandths is one of finer units, unless it becomes too large. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdk/base/arena.h"
#include "sdk/smi/weight.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_arena_ struct arena *arena = arena_create((size_t)1 << 24);
  _cleanup_error_ struct error *err = NULL;
  const char *text = arena_strndup(arena, (const char *)data, size);
  uint64_t milli, again;
  char written[32];
  int r;

  if (!text)
    return 0;
  r = quantity_parse_milli(text, &milli, &err);
  if ((r < 0) != (err != NULL))
    abort();
  if (r < 0)
    return 0;
  (void)snprintf(written, sizeof(written), "%" PRIu64 "m", milli);
  if (milli > INT64_MAX || quantity_parse_milli(written, &again, NULL) < 0 || again != milli)
    abort();
  uint64_t nano;
  r = quantity_parse(text, 9, &nano, NULL);
  if (milli <= INT64_MAX / 1000000 ? r < 0 || nano != milli * 1000000 : r == 0)
    abort();
  return 0;
}
