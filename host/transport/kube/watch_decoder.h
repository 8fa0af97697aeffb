/* The stream of a watch: one JSON object a line, {"type": …, "object": …}. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_WATCH_DECODER_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_WATCH_DECODER_H

#include <jansson.h>

#include "host/transport/kube/watch.h"
#include "sdk/base/strbuf.h"

/* One line. */
struct watch_event {
  enum kube_event kind; /* 0: the server's ERROR, with the next two */
  unsigned code;        /* of its Status; 0: unknown */
  const char *message;  /* of its Status, borrowed; "" */
  json_t *object;       /* borrowed; an object */
  const char *version;  /* metadata.resourceVersion, borrowed; NULL: none, only of an ERROR */
};

/* Anything but 0 ends the decoding and is returned by it. */
typedef int watch_event_fn(const struct watch_event *event, void *ctx, struct error **err);

struct watch_decoder {
  size_t event_max; /* bytes of a line */
  struct strbuf pending;
};
void watch_decoder_finish(struct watch_decoder *decoder);

/* Takes the next piece of the stream, and hands over each event whose line has ended. -EFBIG for a longer line, -EIO
 * for one that is no event (types that are not known are passed over), -ENOMEM. After an error the decoder is only good
 * for being finished. */
int watch_decoder_feed(struct watch_decoder *decoder, const char *data, size_t length, watch_event_fn *fn, void *ctx,
                       struct error **err);

#endif
