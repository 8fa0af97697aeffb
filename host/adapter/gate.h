/* The gate before load: a file is opened once, and what is hashed and parsed is the descriptor that will be loaded. */
#ifndef TRAMMEL_HOST_ADAPTER_GATE_H
#define TRAMMEL_HOST_ADAPTER_GATE_H

#include "sdk/base/error.h"
#include "trammel/abi.h"

/* Bytes of an adapter's file. */
#define ADAPTER_FILE_MAX (256u * 1024 * 1024)

struct gate {
  int fd;          /* -1: closed. Close-on-exec */
  char digest[65]; /* SHA-256, hex digits */
  trammel_note note;
};

/* Opens and checks: a regular file of bounded size, a shared object for this machine with one exported symbol, a note
 * whose ABI this host serves. The descriptor is open, and the digest set, also when the check fails; `gate_close`
 * always. The message says what the file offers and what the host wants, not its path. */
int gate_open(const char *path, struct gate *ret_gate, struct error **err);
/* The same for a file that is open already; takes the descriptor. */
int gate_take(int fd, struct gate *ret_gate, struct error **err);
void gate_close(struct gate *gate);

#define _cleanup_gate_ _cleanup_(gate_close)

#endif
