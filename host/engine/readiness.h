/* Whether a mesh has taken an object, by the conditions that the adapter names for it
 * (KubernetesObject.ready_conditions of the contract). */
#ifndef TRAMMEL_HOST_ENGINE_READINESS_H
#define TRAMMEL_HOST_ENGINE_READINESS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "host/engine/cluster.h"
#include "sdk/base/strbuf.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

enum readiness {
  READINESS_READY,
  READINESS_SILENT, /* nobody has said so of it as it is now */
  READINESS_REFUSED /* a condition is there and not True */
};

/* All conditions of `types` have to be True in status.conditions or, where the object has status.parents, in those of
 * each of at least as many parents as its spec names. One that says which generation it is about counts only for the
 * present one. `why`, appended to: which condition it is about, and what that says. */
enum readiness readiness_of(const json_t *object, char *const *types, size_t count, struct strbuf *why);

/* How long is between two looks at objects that are waited for. */
#define READINESS_PAUSE_NS (200 * INT64_C(1000000))

/* How long a look that is begun before the deadline has in any case, so that a short wait sees something. */
#define READINESS_LOOK_LEAST_NS (2 * INT64_C(1000000000))

struct readiness_wait {
  struct cluster *cluster;
  Trammel__Adapter__V1__NativeObject *const *objects; /* all of Kubernetes; those without conditions are ready */
  size_t count;
  int64_t deadline_ns;       /* CLOCK_MONOTONIC */
  int64_t timeout_ns;        /* of one look at one object, with all that is tried again; the deadline cuts it short */
  const atomic_bool *cancel; /* NULL: none */
  /* Of each that is not ready in the end. `now`: as it was read last, NULL when it never was. */
  void (*told)(void *ctx, const Trammel__Adapter__V1__NativeObject *object, enum readiness readiness, const char *why,
               const json_t *now);
  void *ctx;
};

/* Waits until all are ready or the deadline passes. A look that comes to nothing takes no verdict back: it is told with
 * its object, and looked again, unless that is hopeless (not there any more, not allowed). 0 in all these cases;
 * -ECANCELED. */
int readiness_wait(const struct readiness_wait *wait, struct error **err);

#endif
