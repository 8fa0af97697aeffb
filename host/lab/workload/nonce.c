#include "host/lab/workload/nonce.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

#include "sdk/base/hex.h"

static int source_fill(struct nonce_source *source) {
  size_t have = 0;
  while (have < sizeof(source->bytes)) {
    ssize_t n = getrandom(source->bytes + have, sizeof(source->bytes) - have, 0);
    if (n < 0 && errno != EINTR)
      return -errno;
    if (n > 0)
      have += (size_t)n;
  }
  source->left = have;
  return 0;
}

int nonce_draw(struct nonce_source *source, char ret_nonce[NONCE_LENGTH + 1]) {
  if (source->left < NONCE_LENGTH / 2) {
    int r = source_fill(source);
    if (r < 0)
      return r;
  }
  source->left -= NONCE_LENGTH / 2;
  hex_write(source->bytes + source->left, NONCE_LENGTH / 2, ret_nonce);
  return 0;
}
