#include "host/load/pacer.h"

void pacer_begin(struct pacer *pacer, const struct schedule *schedule, unsigned worker, unsigned workers,
                 int64_t warm_up_ns, struct tally *tally) {
  *pacer = (struct pacer){.closed = schedule->kind == SCHEDULE_CLOSED,
                          .warm_up_ns = warm_up_ns,
                          .end_ns = schedule->duration_ns,
                          .tally = tally};
  if (pacer->closed)
    return;
  schedule_begin(&pacer->next, schedule, worker, workers);
  pacer->unseen = pacer->next;
}

static bool counts(const struct pacer *pacer, const struct shot *shot) {
  return shot->due_ns >= pacer->warm_up_ns;
}

void pacer_notice(struct pacer *pacer, int64_t now_ns, bool could_send) {
  if (pacer->closed)
    return;
  for (; pacer->unseen.due_ns <= now_ns; schedule_next(&pacer->unseen))
    if (pacer->unseen.due_ns >= pacer->warm_up_ns)
      histogram_record(pacer->tally->lag, could_send ? now_ns - pacer->unseen.due_ns : 0);
}

bool pacer_take(struct pacer *pacer, int64_t now_ns, struct shot *ret_shot) {
  const struct shot shot = {.due_ns = pacer->closed ? now_ns : pacer_due(pacer), .sent_ns = now_ns};
  if (shot.due_ns > now_ns || (pacer->closed && now_ns >= pacer->end_ns))
    return false;
  pacer->tally->sent_in_time += counts(pacer, &shot) && now_ns < pacer->end_ns;
  if (!pacer->closed) {
    if (counts(pacer, &shot))
      histogram_record(pacer->tally->wait, now_ns - shot.due_ns);
    schedule_next(&pacer->next);
  }
  *ret_shot = shot;
  return true;
}

void pacer_begun(struct pacer *pacer, const struct shot *shot, int64_t now_ns) {
  if (counts(pacer, shot))
    histogram_record(pacer->tally->first_byte, now_ns - shot->sent_ns);
}

void pacer_completed(struct pacer *pacer, const struct shot *shot, int64_t now_ns, unsigned status) {
  struct tally *tally = pacer->tally;
  if (!counts(pacer, shot)) {
    tally->warm_up++;
    return;
  }
  tally->scheduled++;
  tally->completed++;
  tally->ended_in_time += now_ns < pacer->end_ns;
  tally->statuses[status < TALLY_STATUS_MAX ? status : 0]++;
  histogram_record(tally->response, now_ns - shot->due_ns);
  histogram_record(tally->service, now_ns - shot->sent_ns);
  int64_t at_ns = now_ns < pacer->end_ns ? now_ns : pacer->end_ns - 1;
  timeline_record(tally->timeline, at_ns - pacer->warm_up_ns, now_ns - (pacer->closed ? shot->sent_ns : shot->due_ns));
}

void pacer_called(struct pacer *pacer, const struct shot *shot, int64_t now_ns, unsigned status, unsigned grpc_status) {
  pacer_completed(pacer, shot, now_ns, status);
  pacer->tally->grpc_statuses[grpc_status] += counts(pacer, shot);
}

void pacer_failed(struct pacer *pacer, const struct shot *shot, int64_t now_ns, enum load_error error) {
  if (!counts(pacer, shot))
    return;
  pacer->tally->scheduled++;
  pacer->tally->failed++;
  pacer->tally->ended_in_time += now_ns < pacer->end_ns;
  pacer->tally->errors[error]++;
}

void pacer_censored(struct pacer *pacer, const struct shot *shot, int64_t now_ns) {
  struct tally *tally = pacer->tally;
  if (!counts(pacer, shot))
    return;
  tally->scheduled++;
  tally->censored++;
  if (now_ns - shot->due_ns > tally->oldest_censored_ns)
    tally->oldest_censored_ns = now_ns - shot->due_ns;
}

int64_t pacer_due(const struct pacer *pacer) {
  return pacer->closed ? INT64_MAX : pacer->next.due_ns; /* which is INT64_MAX when it has ended */
}

bool pacer_ended(const struct pacer *pacer, int64_t now_ns) {
  return pacer->closed ? now_ns >= pacer->end_ns : pacer->next.ended;
}

void pacer_end(struct pacer *pacer, int64_t now_ns) {
  while (pacer_due(pacer) <= now_ns) {
    const struct shot shot = {.due_ns = pacer->next.due_ns};
    pacer_censored(pacer, &shot, now_ns);
    schedule_next(&pacer->next);
  }
  timeline_end(pacer->tally->timeline);
}
