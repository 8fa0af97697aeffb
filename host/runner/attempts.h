/* What a confined process gets to when it tries to get out: how `trammel doctor` knows what is in force. */
#ifndef TRAMMEL_HOST_RUNNER_ATTEMPTS_H
#define TRAMMEL_HOST_RUNNER_ATTEMPTS_H

#include "host/runner/confinement.h"

/* Before the process is confined, by the host's child. */
void attempts_prepare(void);

/* Makes every attempt, in a process that is confined. `offer` is from before it was. Heap, JSON: {"landlock": VERSION,
 * "seccomp": BOOL, "attempts":
 * [{"what": "open /etc/passwd", "denied": BOOL}, …]}; the first two are what the kernel offers, 0 for no Landlock. NULL
 * without memory. */
char *attempts_make(const struct confinement_offer *offer);

#endif
