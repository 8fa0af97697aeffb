/* Which request goes out when, and what its times are: a worker's part of the schedule, without sockets and without a
 * clock. Times are nanoseconds since the start of the run; what was due during the warm-up is not counted. */
#ifndef TRAMMEL_HOST_LOAD_PACER_H
#define TRAMMEL_HOST_LOAD_PACER_H

#include "host/load/schedule.h"
#include "host/load/tally.h"

struct pacer {
  struct schedule_cursor next;   /* of an open loop: the first request that was not taken */
  struct schedule_cursor unseen; /* the first one whose time has not been noticed; not before `next` */
  bool closed;                   /* the next request is due when a connection is free */
  int64_t warm_up_ns, end_ns;
  struct tally *tally;
};

/* A request on its way. */
struct shot {
  int64_t due_ns, sent_ns;
};

/* `schedule` runs over the warm-up and what follows, and outlives the pacer, as does `tally`. */
void pacer_begin(struct pacer *pacer, const struct schedule *schedule, unsigned worker, unsigned workers,
                 int64_t warm_up_ns, struct tally *tally);

/* The generator looks at the clock. `could_send`: a connection was free ever since it last did, or it looks later than
 * it meant to; then what became due in between is late by its fault. To be called before anything else that happens at
 * a new time. */
void pacer_notice(struct pacer *pacer, int64_t now_ns, bool could_send);
/* Whether a request is to be sent now, at the time that was noticed. */
bool pacer_take(struct pacer *pacer, int64_t now_ns, struct shot *ret_shot);
/* Something of its answer has come. */
void pacer_begun(struct pacer *pacer, const struct shot *shot, int64_t now_ns);
/* How a request that was taken ended; `status` 0: its protocol has none. */
void pacer_completed(struct pacer *pacer, const struct shot *shot, int64_t now_ns, unsigned status);
/* The same of a call of gRPC. */
void pacer_called(struct pacer *pacer, const struct shot *shot, int64_t now_ns, unsigned status, unsigned grpc_status);
void pacer_failed(struct pacer *pacer, const struct shot *shot, int64_t now_ns, enum load_error error);
void pacer_censored(struct pacer *pacer, const struct shot *shot, int64_t now_ns);

/* When the next request is due; INT64_MAX when there is none any more, or in a closed loop. */
int64_t pacer_due(const struct pacer *pacer);
/* Whether no further request will be due. */
bool pacer_ended(const struct pacer *pacer, int64_t now_ns);
/* The run ends now, once: requests that are due and were not taken are censored. What came after the end of the
 * schedule is in the last block of the timeline. */
void pacer_end(struct pacer *pacer, int64_t now_ns);

#endif
