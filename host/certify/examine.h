/* Runs a check in a process of its own, so that a crash, a hang or a flood is the end of that process only. Private to
 * this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_EXAMINE_H
#define TRAMMEL_HOST_CERTIFY_EXAMINE_H

#include <jansson.h>
#include <signal.h>
#include <stdint.h>

#include "host/certify/check.h"
#include "host/package/digest.h"
#include "sdk/base/error.h"

/* How long a check may take in one place; checks that are slow on purpose end long before. */
#define EXAMINE_LIMIT_S 300

/* What a check came to in one place. */
struct finding {
  enum certify_place place;
  enum certify_verdict verdict;
  char *reason;              /* heap; "" when there is none */
  char answers[DIGEST_SIZE]; /* of what is compared between places; empty: nothing is */
  json_t *facts;             /* an object */
  int64_t took_ns;
};
void finding_finish(struct finding *finding);

/* Forks: the calling process must have a single thread. `interrupted` may be set by a signal handler: -EINTR then. */
struct subject;
int examine(const struct certify_check *check, const struct subject *subject, enum certify_place place, uint64_t seed,
            const volatile sig_atomic_t *interrupted, struct finding *ret_finding, struct error **err);

#endif
