/* A block of loopback addresses, 127.N.0.0/16, that is this program's alone on this machine. Private to the process
 * lab.
 *
 *   127.N.0.1               the mesh's control plane
 *   127.N.(1 + 4*S + K).(1 + W)   of workload W (0…63) in slot S (0…31), by kind K:
 *                           0 its control port, 1 its program, 2 its inbound proxy, 3 its outbound proxy
 */
#ifndef TRAMMEL_HOST_LAB_BLOCK_H
#define TRAMMEL_HOST_LAB_BLOCK_H

#include "sdk/base/error.h"

#include "host/lab/site.h"

enum address_kind {
  ADDRESS_CONTROL = 0,
  ADDRESS_APP,
  ADDRESS_INBOUND,
  ADDRESS_OUTBOUND,
};

struct block {
  int lock; /* an abstract unix socket: it goes with the program, and leaves no file */
  unsigned n;
};

/* Takes a free block, from a random start on. -EADDRINUSE when all are taken. */
int block_take(struct block *ret_block, struct error **err);
void block_release(struct block *block);

void block_mesh_address(const struct block *block, char ret_address[ADDRESS_SIZE]);
void block_address(const struct block *block, unsigned slot, unsigned workload, enum address_kind kind,
                   char ret_address[ADDRESS_SIZE]);

#endif
