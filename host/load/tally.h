/* What one worker of a run counts. Workers share nothing; what they counted is added up when all have ended. */
#ifndef TRAMMEL_HOST_LOAD_TALLY_H
#define TRAMMEL_HOST_LOAD_TALLY_H

#include "host/load/grpc_call.h"
#include "host/load/histogram.h"
#include "host/load/timeline.h"

/* How a request can end other than by an answer. */
enum load_error {
  LOAD_ERROR_DNS,          /* the target's name has no address */
  LOAD_ERROR_REFUSED,      /* nobody listens */
  LOAD_ERROR_UNREACHABLE,  /* no way there */
  LOAD_ERROR_CONNECT,      /* not connected in time */
  LOAD_ERROR_RESET,        /* the connection was reset */
  LOAD_ERROR_CLOSED,       /* it was closed before the answer was whole */
  LOAD_ERROR_MALFORMED,    /* the answer is none of the protocol; of echo, other bytes than were sent */
  LOAD_ERROR_TOO_LONG,     /* its headers have no end */
  LOAD_ERROR_CERTIFICATE,  /* TLS: one side does not take what the other one shows */
  LOAD_ERROR_HANDSHAKE,    /* TLS: no agreement, or what answers speaks no TLS */
  LOAD_ERROR_TLS,          /* TLS: broken after it stood */
  LOAD_ERROR_STREAM_RESET, /* HTTP/2: the target gave the request up */
  LOAD_ERROR_GO_AWAY,      /* HTTP/2: it gave the connection up before it had answered */
  LOAD_ERROR_TIMEOUT,      /* no whole answer in time */
  LOAD_ERROR_LOST,         /* UDP: no answer in time */
  LOAD_ERROR_NOT_SERVING,  /* gRPC: a health check was answered by something else than SERVING */
  LOAD_ERROR_DESCRIPTORS,  /* no file descriptor left for a connection */
  LOAD_ERROR_SYSTEM,       /* any other error of the system */
};
#define LOAD_ERROR_COUNT (LOAD_ERROR_SYSTEM + 1)

/* "refused" … */
const char *load_error_name(enum load_error error);

#define TALLY_STATUS_MAX 1000 /* three digits */

struct tally {
  uint64_t scheduled;                   /* completed + failed + censored */
  uint64_t completed;                   /* answers of any status */
  uint64_t failed;                      /* the sum of `errors` */
  uint64_t censored;                    /* without an end when the run ended: sent, or only due */
  uint64_t sent_in_time, ended_in_time; /* of those that are scheduled: before the end of the schedule */
  uint64_t errors[LOAD_ERROR_COUNT];
  uint64_t statuses[TALLY_STATUS_MAX];
  uint64_t grpc_statuses[GRPC_STATUS_COUNT]; /* of gRPC: their sum is `completed` */
  uint64_t warm_up;                          /* answered requests that were due during the warm-up */
  uint64_t bytes_read, bytes_written;        /* of the warm-up, too */
  uint64_t messages_read, messages_written;  /* of gRPC, of the warm-up, too; counted when their call ends */
  struct {
    uint64_t late;      /* after their request was counted as lost */
    uint64_t duplicate; /* after their request was answered */
    uint64_t foreign;   /* they answer nothing that was ever sent */
  } datagrams;          /* of UDP, of the warm-up, too: those that are no answer */
  uint64_t connections; /* that were made, also ahead of the start */
  int64_t oldest_censored_ns;
  int64_t processor_ns; /* of the worker, from the start to the end */
  int64_t spun_ns;      /* of these, about how much was looking again and again for a due time that was near */
  int64_t elapsed_ns;   /* from the start to the end, when what was on its way had ended; the longest of all workers */
  struct histogram *response; /* from due to answered */
  struct histogram *service;  /* from sent to answered */
  struct histogram *lag;  /* a connection was free and the request due, but not sent yet: the generator's own fault */
  struct histogram *wait; /* due, but no connection free */
  struct timeline *timeline;    /* responses, in a closed loop services, by when they came since the warm-up */
  struct histogram *first_byte; /* from sent to the first byte of the answer */
  struct histogram *connecting; /* from the first step of a connection until its socket stands */
  struct histogram *securing;   /* from there until TLS stands */
};

/* -ENOMEM; finished with tally_finish() then, too. */
int tally_init(struct tally *tally, struct error **err);
void tally_finish(struct tally *tally);
/* Both have ended. */
void tally_add(struct tally *to, const struct tally *from);
/* What began `later_ns` after it. */
void tally_add_later(struct tally *to, const struct tally *from, int64_t later_ns);

#endif
