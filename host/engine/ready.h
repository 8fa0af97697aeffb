/* Waiting until a started process is ready. Private to the engine. */
#ifndef TRAMMEL_HOST_ENGINE_READY_H
#define TRAMMEL_HOST_ENGINE_READY_H

#include "host/engine/endpoint.h"
#include "host/engine/process.h"

/* Asks until the check answers 200. -ECHILD with the epitaph when the process ends meanwhile, -ETIMEDOUT with the last
 * reason, -ECANCELED; -EACCES or -ENOENT when the check cannot be asked at all. */
int ready_wait(struct endpoints *endpoints, const atomic_bool *cancel, struct process *process,
               const Trammel__Adapter__V1__HttpCheck *check, struct error **err);

#endif
