/* The programs that an adapter wants beside the workloads of a placement. Private to the process lab. */
#ifndef TRAMMEL_HOST_LAB_SIDECARS_H
#define TRAMMEL_HOST_LAB_SIDECARS_H

#include <stdatomic.h>

#include "host/engine/engine.h"

struct sidecars {
  struct process **processes;
  size_t count;
};

/* Starts what `enrollment` asks for, named "<owner>-<name>", and waits until something listens wherever the enrollment
 * or the inventory says that a sidecar does. -ECHILD with the epitaph of one that ended meanwhile; -ETIMEDOUT with the
 * first address that nobody listens at; -ECANCELED. `*sidecars` is to be stopped in any case. */
int sidecars_start(struct sidecars *sidecars, struct engine *engine, const char *owner,
                   const Trammel__Adapter__V1__EnrollResponse *enrollment,
                   const Trammel__Adapter__V1__Inventory *inventory, const atomic_bool *cancel, struct error **err);
void sidecars_stop(struct sidecars *sidecars);

/* 0 while each lives; -ECHILD with the epitaph of one that died. */
int sidecars_check(const struct sidecars *sidecars, struct error **err);

#endif
