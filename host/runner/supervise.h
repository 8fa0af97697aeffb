/* What an adapter starts ends with it, also what left its process group and session. */
#ifndef TRAMMEL_HOST_RUNNER_SUPERVISE_H
#define TRAMMEL_HOST_RUNNER_SUPERVISE_H

#include "sdk/base/error.h"

/* Forks, before there are threads. Returns 0 in the new process, which does the work. The old one never returns: it
 * adopts whatever its descendants leave behind, waits for the worker's end or a SIGTERM (which also comes when the host
 * dies), ends all of them, and then ends the way the worker did. */
int supervise(struct error **err);

#endif
