/* Bytes to the stream of a watch: nothing crashes, and its events and its end are the same in whatever pieces it comes.
 * The first byte is the size of the pieces. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/transport/kube/watch_decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536
#define EVENT_MAX 4096

struct seen {
  size_t events;
  uint64_t digest;
};

static void mix(struct seen *seen, const char *text) {
  for (const char *p = text ? text : "-"; *p; p++)
    seen->digest = (seen->digest ^ (unsigned char)*p) * UINT64_C(1099511628211);
}

static int note(const struct watch_event *event, void *ctx, struct error **err) {
  struct seen *seen = ctx;
  (void)err;
  if (!json_is_object(event->object) || (event->kind != 0 && !event->version) || (event->code > 0 && event->code < 400))
    abort();
  seen->events++;
  mix(seen, event->version);
  mix(seen, event->message);
  seen->digest += (uint64_t)event->kind * 31 + event->code;
  return 0;
}

static int feed(const char *data, size_t size, size_t piece, struct seen *seen) {
  struct watch_decoder decoder = {.event_max = EVENT_MAX};
  _cleanup_error_ struct error *err = NULL;
  int r = 0;
  for (size_t at = 0; r == 0 && at < size; at += piece)
    r = watch_decoder_feed(&decoder, data + at, piece < size - at ? piece : size - at, note, seen, &err);
  if (r != 0 && !*error_message(err))
    abort();
  watch_decoder_finish(&decoder);
  return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct seen whole = {0}, pieces = {0};
  if (size < 1 || size > INPUT_MAX)
    return 0;
  size_t piece = data[0] ? data[0] : 1;
  const char *stream = (const char *)data + 1;
  int r = feed(stream, size - 1, size, &whole);
  if (feed(stream, size - 1, piece, &pieces) != r || whole.events != pieces.events || whole.digest != pieces.digest)
    abort();
  return 0;
}
