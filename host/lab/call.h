/* The words of a call between workloads: its protocol, how it ended, and the limits that a workload and its client
 * share. */
#ifndef TRAMMEL_HOST_LAB_CALL_H
#define TRAMMEL_HOST_LAB_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORKLOAD_CALLS_MAX 100000 /* of one batch */
#define WORKLOAD_CONCURRENCY_MAX 256
#define WORKLOAD_BODY_MAX (1024u * 1024)
#define WORKLOAD_HEAD_MAX (64u * 1024)
#define WORKLOAD_NAME_MAX 63    /* of a workload: printable ASCII without spaces */
#define WORKLOAD_HEADERS_MAX 64 /* of a call */
#define WORKLOAD_TIMEOUT_DEFAULT_MS 5000u
#define BATCH_ID_MAX 40
#define NONCE_LENGTH 32 /* hex digits: 128 random bits */
#define CALL_ID_MAX 64

enum call_protocol {
  CALL_HTTP1 = 1,
  CALL_H2C,
  CALL_TCP,
  CALL_UDP,
};

/* "http/1.1", "h2c", "tcp", "udp"; NULL for no protocol. The reverse gives 0 for no such name. */
const char *call_protocol_name(enum call_protocol protocol);
enum call_protocol call_protocol_of(const char *name);

/* Whether the bytes are an id, or the start of one: 0…CALL_ID_MAX of A-Z a-z 0-9 . _ -. Of calls in every protocol. */
bool call_id_valid(const char *id, size_t length);

struct call_header {
  const char *name;
  const char *value;
};

/* How a call ended. */
enum call_end {
  CALL_ANSWERED = 1, /* HTTP: any response; TCP, UDP: the server's answer line */
  CALL_REFUSED,      /* connection refused */
  CALL_RESET,        /* connection or h2c stream reset */
  CALL_CLOSED,       /* closed without a whole answer */
  CALL_TIMEOUT,
  CALL_ERROR, /* anything else; `error` says */
};

/* "answered", "refused", …; NULL for no end. The reverse gives 0 for no such name. */
const char *call_end_name(enum call_end end);
enum call_end call_end_of(const char *name);

struct call_outcome {
  enum call_end end;
  unsigned status;                    /* HTTP; 0 for none */
  char nonce[NONCE_LENGTH + 1];       /* what the answer carried; "" for none */
  char server[WORKLOAD_NAME_MAX + 1]; /* the name the answering workload gave; "" for none */
  char error[120];
  int64_t latency_ns; /* from the intended start when calls are spaced, else from the actual one, to the answer's last
                         byte */
};

#endif
