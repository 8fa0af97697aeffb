/* Random nonces: what a server answers to prove that it, and nothing on the way, answered. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_NONCE_H
#define TRAMMEL_HOST_LAB_WORKLOAD_NONCE_H

#include <stddef.h>
#include <stdint.h>

#include "host/lab/call.h"

/* Random bytes are taken from the kernel in blocks: a system call per 256 nonces. Zero-initialised: empty. */
struct nonce_source {
  uint8_t bytes[4096];
  size_t left;
};

/* Writes 32 hex digits and a NUL. 0 or -errno of getrandom(2). */
int nonce_draw(struct nonce_source *source, char ret_nonce[NONCE_LENGTH + 1]);

#endif
