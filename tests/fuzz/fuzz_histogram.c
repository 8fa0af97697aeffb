/* Text as a histogram of another program: nothing crashes, what is refused changes nothing, and what is taken is
 * written and read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/load/histogram_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct histogram *read = histogram_create(), *again = histogram_create();
  struct strbuf text = STRBUF_INIT;
  if (!read || !again)
    abort();
  int r = histogram_decode(read, (const char *)data, size, NULL);
  if (r < 0 && histogram_count(read) != 0)
    abort();
  if (r == 0 && (histogram_encode(read, &text) < 0 || histogram_decode(again, text.data, text.length, NULL) < 0 ||
                 again->total != read->total || memcmp(again->counts, read->counts, sizeof(read->counts)) != 0))
    abort();
  strbuf_finish(&text);
  histogram_destroy(read);
  histogram_destroy(again);
  return 0;
}
