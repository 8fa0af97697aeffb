#include "host/transport/kube/watch_decoder.h"

#include <errno.h>
#include <string.h>

void watch_decoder_finish(struct watch_decoder *decoder) {
  strbuf_finish(&decoder->pending);
}

static int kind_of(const char *type) {
  static const struct {
    const char *name;
    int kind;
  } kinds[] = {{"ADDED", KUBE_EVENT_ADDED},
               {"MODIFIED", KUBE_EVENT_MODIFIED},
               {"DELETED", KUBE_EVENT_DELETED},
               {"BOOKMARK", KUBE_EVENT_BOOKMARK},
               {"ERROR", 0}};

  for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
    if (strcmp(kinds[i].name, type) == 0)
      return kinds[i].kind;
  return -1;
}

static void read_status(struct watch_event *event) {
  const char *message = json_string_value(json_object_get(event->object, "message"));
  json_int_t code = json_integer_value(json_object_get(event->object, "code"));

  event->message = message ? message : "";
  event->code = code >= 400 && code <= 599 ? (unsigned)code : 0;
}

/* 1 when the type is not known. */
static int read_event(const json_t *line, struct watch_event *event, struct error **err) {
  const char *type = json_string_value(json_object_get(line, "type"));
  json_t *object = json_object_get(line, "object");

  if (!type || !json_is_object(object))
    return error_set(err, EIO, "the watch stream has a line that is no event with type and object");
  int kind = kind_of(type);
  if (kind < 0)
    return 1;
  *event = (struct watch_event){.kind = (enum kube_event)kind, .message = "", .object = object};
  event->version = kube_object_version(object);
  if (kind == 0)
    read_status(event);
  else if (!event->version || !*event->version)
    return error_set(err, EIO, "the watch stream has an event whose object has no metadata.resourceVersion");
  return 0;
}

static bool is_blank(const char *line, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (line[i] != ' ' && line[i] != '\r' && line[i] != '\t')
      return false;
  return true;
}

static int take_line(const char *text, size_t length, watch_event_fn *fn, void *ctx, struct error **err) {
  struct watch_event event;
  json_error_t reason;

  if (is_blank(text, length))
    return 0;
  json_t *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &reason);
  if (!line)
    return error_set(err, EIO, "the watch stream has a line that is no JSON");
  int r = read_event(line, &event, err);
  if (r == 0)
    r = fn(&event, ctx, err);
  else if (r > 0)
    r = 0;
  json_decref(line);
  return r;
}

int watch_decoder_feed(struct watch_decoder *decoder, const char *data, size_t length, watch_event_fn *fn, void *ctx,
                       struct error **err) {
  int r = 0;

  while (r == 0 && length > 0) {
    const char *end = memchr(data, '\n', length);
    size_t piece = end ? (size_t)(end - data) : length;
    if (piece > decoder->event_max - decoder->pending.length)
      return error_set(err, EFBIG, "an event of the watch is larger than the %zu bytes allowed", decoder->event_max);
    if (end && decoder->pending.length == 0) {
      r = take_line(data, piece, fn, ctx, err);
    } else {
      strbuf_append(&decoder->pending, data, piece);
      if (strbuf_failed(&decoder->pending))
        return error_set(err, ENOMEM, "out of memory for an event of a watch");
      if (end) {
        r = take_line(strbuf_text(&decoder->pending), decoder->pending.length, fn, ctx, err);
        strbuf_clear(&decoder->pending);
      }
    }
    data += piece + (end ? 1 : 0);
    length -= piece + (end ? 1 : 0);
  }
  return r;
}
