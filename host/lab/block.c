#include "host/lab/block.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Away from the numbers that people and other programs commonly use. */
#define BLOCK_FIRST 64u
#define BLOCK_LAST 250u
#define BLOCK_COUNT (BLOCK_LAST - BLOCK_FIRST + 1)

/* Abstract socket names belong to the network namespace, as the loopback addresses do. */
static int try_lock(unsigned n, int *ret_fd) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "trammel-lab-%u", n);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return -errno;
  if (bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) <
      0) {
    int code = errno;
    (void)close(fd);
    return -code;
  }
  *ret_fd = fd;
  return 0;
}

int block_take(struct block *ret_block, struct error **err) {
  uint16_t start;

  if (getrandom(&start, sizeof(start), 0) != (ssize_t)sizeof(start))
    return error_set(err, errno, "reading random bytes: %s", strerror(errno));
  for (unsigned i = 0; i < BLOCK_COUNT; i++) {
    unsigned n = BLOCK_FIRST + (start + i) % BLOCK_COUNT;
    int fd = -1;
    int r = try_lock(n, &fd);
    if (r == 0) {
      *ret_block = (struct block){.lock = fd, .n = n};
      return 0;
    }
    if (r != -EADDRINUSE)
      return error_set(err, -r, "locking loopback addresses: %s", strerror(-r));
  }
  return error_set(err, EADDRINUSE, "all %u blocks of loopback addresses are taken by running labs: end one of them",
                   BLOCK_COUNT);
}

void block_release(struct block *block) {
  if (block->lock >= 0)
    (void)close(block->lock);
  block->lock = -1;
}

void block_mesh_address(const struct block *block, char ret_address[ADDRESS_SIZE]) {
  (void)snprintf(ret_address, ADDRESS_SIZE, "127.%u.0.1", block->n & 0xff);
}

void block_address(const struct block *block, unsigned slot, unsigned workload, enum address_kind kind,
                   char ret_address[ADDRESS_SIZE]) {
  (void)snprintf(ret_address, ADDRESS_SIZE, "127.%u.%u.%u", block->n & 0xff, (1 + 4 * slot + (unsigned)kind) & 0xff,
                 (1 + workload) & 0xff);
}
