#include "host/lab/workload/metrics.h"

#include "host/lab/workload/json_text.h"

void metrics_finish(struct metrics *metrics) {
  strbuf_finish(&metrics->received);
  strbuf_finish(&metrics->succeeded);
  strbuf_finish(&metrics->failed);
}

void metrics_clear(struct metrics *metrics) {
  metrics_finish(metrics);
  *metrics = (struct metrics){0};
}

/* False when the list is full. */
static bool list_begin(struct strbuf *list) {
  if (list->length >= METRICS_LIST_MAX)
    return false;
  if (list->length > 0)
    strbuf_putc(list, ',');
  return true;
}

void metrics_received(struct metrics *metrics, const char *caller) {
  if (list_begin(&metrics->received))
    json_text_puts(&metrics->received, caller);
}

void metrics_called(struct metrics *metrics, bool succeeded, const char *url, const char *method, const char *headers) {
  struct strbuf *list = succeeded ? &metrics->succeeded : &metrics->failed;
  if (!list_begin(list))
    return;
  strbuf_puts(list, "{\"URL\":");
  json_text_puts(list, url);
  strbuf_puts(list, ",\"Method\":");
  json_text_puts(list, method);
  strbuf_printf(list, ",\"Headers\":%s}", headers);
}

void metrics_write(const struct metrics *metrics, struct strbuf *out) {
  strbuf_printf(out, "{\"ReqReceived\":[%s],\"RespSucceeded\":[%s],\"RespFailed\":[%s]}",
                strbuf_text(&metrics->received), strbuf_text(&metrics->succeeded), strbuf_text(&metrics->failed));
}
