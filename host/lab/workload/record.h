/* What a workload received: the id that came with each request, the nonce issued for it, and the port. Bounded. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_RECORD_H
#define TRAMMEL_HOST_LAB_WORKLOAD_RECORD_H

#include <stdint.h>

#include "host/lab/call.h"
#include "sdk/base/strbuf.h"

#define RECORD_ENTRIES_MAX 200000

struct record_entry {
  char id[CALL_ID_MAX + 1];
  char nonce[NONCE_LENGTH + 1];
  uint16_t port;
};

/* Zero-initialised: empty. */
struct record {
  struct record_entry *entries;
  size_t count;
  size_t capacity;
  uint64_t dropped; /* came in when the record was full or memory ran out */
};

void record_finish(struct record *record);
/* `id` is at most CALL_ID_MAX bytes. */
void record_add(struct record *record, const char *id, size_t id_length, const char *nonce, uint16_t port);
void record_clear(struct record *record);
/* Appends {"received":[[id, nonce, port], …],"dropped":n}: entries whose id starts with `prefix`, oldest first. */
void record_write(const struct record *record, const char *prefix, struct strbuf *out);

#endif
