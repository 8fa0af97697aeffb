#include "host/load/tally.h"

#include <errno.h>

const char *load_error_name(enum load_error error) {
  static const char *const names[] = {
      [LOAD_ERROR_DNS] = "dns",
      [LOAD_ERROR_REFUSED] = "refused",
      [LOAD_ERROR_UNREACHABLE] = "unreachable",
      [LOAD_ERROR_CONNECT] = "connect",
      [LOAD_ERROR_RESET] = "reset",
      [LOAD_ERROR_CLOSED] = "closed",
      [LOAD_ERROR_MALFORMED] = "malformed",
      [LOAD_ERROR_TOO_LONG] = "tooLong",
      [LOAD_ERROR_CERTIFICATE] = "certificate",
      [LOAD_ERROR_HANDSHAKE] = "handshake",
      [LOAD_ERROR_TLS] = "tls",
      [LOAD_ERROR_STREAM_RESET] = "streamReset",
      [LOAD_ERROR_GO_AWAY] = "goAway",
      [LOAD_ERROR_TIMEOUT] = "timeout",
      [LOAD_ERROR_LOST] = "lost",
      [LOAD_ERROR_NOT_SERVING] = "notServing",
      [LOAD_ERROR_DESCRIPTORS] = "descriptors",
      [LOAD_ERROR_SYSTEM] = "system",
  };
  return names[error];
}

int tally_init(struct tally *tally, struct error **err) {
  *tally = (struct tally){.response = histogram_create(),
                          .service = histogram_create(),
                          .lag = histogram_create(),
                          .wait = histogram_create(),
                          .first_byte = histogram_create(),
                          .timeline = timeline_create(),
                          .connecting = histogram_create(),
                          .securing = histogram_create()};
  if (tally->response && tally->service && tally->lag && tally->wait && tally->first_byte && tally->timeline &&
      tally->connecting && tally->securing)
    return 0;
  return error_set(err, ENOMEM, "no memory for what a run counts");
}

void tally_finish(struct tally *tally) {
  histogram_destroy(tally->response);
  histogram_destroy(tally->service);
  histogram_destroy(tally->lag);
  histogram_destroy(tally->wait);
  timeline_destroy(tally->timeline);
  histogram_destroy(tally->first_byte);
  histogram_destroy(tally->connecting);
  histogram_destroy(tally->securing);
  *tally = (struct tally){0};
}

void tally_add(struct tally *to, const struct tally *from) {
  tally_add_later(to, from, 0);
}

void tally_add_later(struct tally *to, const struct tally *from, int64_t later_ns) {
  to->scheduled += from->scheduled;
  to->completed += from->completed;
  to->failed += from->failed;
  to->censored += from->censored;
  to->sent_in_time += from->sent_in_time;
  to->ended_in_time += from->ended_in_time;
  for (int i = 0; i < LOAD_ERROR_COUNT; i++)
    to->errors[i] += from->errors[i];
  for (int i = 0; i < TALLY_STATUS_MAX; i++)
    to->statuses[i] += from->statuses[i];
  for (int i = 0; i < GRPC_STATUS_COUNT; i++)
    to->grpc_statuses[i] += from->grpc_statuses[i];
  to->messages_read += from->messages_read;
  to->messages_written += from->messages_written;
  to->datagrams.late += from->datagrams.late;
  to->datagrams.duplicate += from->datagrams.duplicate;
  to->datagrams.foreign += from->datagrams.foreign;
  to->warm_up += from->warm_up;
  to->bytes_read += from->bytes_read;
  to->bytes_written += from->bytes_written;
  to->connections += from->connections;
  if (from->oldest_censored_ns > to->oldest_censored_ns)
    to->oldest_censored_ns = from->oldest_censored_ns;
  to->processor_ns += from->processor_ns;
  to->spun_ns += from->spun_ns;
  if (from->elapsed_ns > to->elapsed_ns)
    to->elapsed_ns = from->elapsed_ns;
  histogram_add(to->response, from->response);
  histogram_add(to->service, from->service);
  histogram_add(to->lag, from->lag);
  histogram_add(to->wait, from->wait);
  timeline_add_later(to->timeline, from->timeline, later_ns);
  histogram_add(to->first_byte, from->first_byte);
  histogram_add(to->connecting, from->connecting);
  histogram_add(to->securing, from->securing);
}
