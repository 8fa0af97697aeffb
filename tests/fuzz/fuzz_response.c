/* Bytes as an answer to load: nothing crashes, and in whatever pieces they come, the answer is the same, or its error.
 * The first byte is the size of the pieces; its highest bit says that the request was a HEAD. */
#include <stdint.h>
#include <stdlib.h>

#include "host/load/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct ending {
  bool done, kept, broken;
  unsigned status;
};

static struct ending take_all(const char *text, size_t length, size_t piece, bool head) {
  struct response response;
  enum load_error error = LOAD_ERROR_SYSTEM;
  size_t at = 0;
  bool broken = false;
  response_begin(&response, head);
  for (; at < length && !broken; at += piece)
    broken = response_take(&response, text + at, piece < length - at ? piece : length - at, &error);
  if (!broken && !response.done)
    broken = response_take(&response, "", 0, &error);
  if (broken && error != LOAD_ERROR_MALFORMED && error != LOAD_ERROR_CLOSED && error != LOAD_ERROR_TOO_LONG)
    abort();
  if (!broken && !response.done)
    abort();
  return (struct ending){
      .done = !broken, .broken = broken, .kept = !broken && response.kept, .status = broken ? 0 : response.status};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  bool head = data[0] & 0x80;
  size_t piece = (data[0] & 0x7f) + 1U;
  struct ending whole = take_all((const char *)data + 1, size - 1, size - 1, head);
  struct ending pieces = take_all((const char *)data + 1, size - 1, piece, head);
  if (whole.done != pieces.done || whole.kept != pieces.kept || whole.status != pieces.status)
    abort();
  return 0;
}
