/* An object that others add to again each time it was undone. After a few times it is left to them for a while, and
 * told, so that no two programs go on against each other. */
#ifndef TRAMMEL_HOST_WATCH_CONTEST_H
#define TRAMMEL_HOST_WATCH_CONTEST_H

#include <stdbool.h>
#include <stdint.h>

#define CONTEST_ROUNDS 3                              /* that are undone, each within CONTEST_WITHIN_NS of the last */
#define CONTEST_WITHIN_NS (600 * INT64_C(1000000000)) /* without another one it is forgotten */
#define CONTEST_REST_NS (3600 * INT64_C(1000000000))  /* then nothing is; after that, one more, and so on */

/* All zero at first. */
struct contest {
  unsigned rounds;
  int64_t last_ns;
};

/* Whether something may be undone now (CLOCK_MONOTONIC). */
bool contest_allows(const struct contest *contest, int64_t now_ns);

/* Something was. */
void contest_note(struct contest *contest, int64_t now_ns);

#endif
