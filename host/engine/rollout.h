/* Puts a translation on a cluster to stay there, and takes it away again. Unlike what a run makes (engine.h), it
 * outlives the program and is not journaled: what is there is found by label, field manager and sources, so a rollout
 * that was cut is finished by doing it again. Nothing is forced, and nothing of others is changed or removed.
 *
 * Objects are applied wave by wave and removed in reverse. When one of a wave could not be, its wave is gone on with,
 * but the next ones are not begun: they count on it. */
#ifndef TRAMMEL_HOST_ENGINE_ROLLOUT_H
#define TRAMMEL_HOST_ENGINE_ROLLOUT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "host/engine/cluster.h"
#include "sdk/smi/model.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* How long one object may take, with all that is tried again. */
#define ROLLOUT_TIMEOUT_NS (30 * INT64_C(1000000000))

enum rollout_outcome {
  ROLLOUT_CREATED,
  ROLLOUT_CHANGED,
  ROLLOUT_UNCHANGED,
  ROLLOUT_REMOVED,
  ROLLOUT_KEPT,     /* of these resources, and not removed: it has other sources as well, or may have */
  ROLLOUT_REFUSED,  /* it is another's, another's fields are in it, or the server does not take it as it is */
  ROLLOUT_FAILED,   /* not allowed, not served, not reached: as it was, or not known */
  ROLLOUT_NOT_DONE, /* not begun */
  /* A second word on an object that was applied: the mesh has not said within wait_ns that it has taken it. When it
   * says that it does not take it, that is ROLLOUT_REFUSED. */
  ROLLOUT_NOT_READY,
  ROLLOUT_OUTCOMES
};

/* "created", "changed" … */
const char *rollout_outcome_name(enum rollout_outcome outcome);

/* What became of an object. Borrowed during the call. */
struct rollout_step {
  enum rollout_outcome outcome;
  struct cluster_place place;
  const char *why;      /* why it was kept, refused or failed; of others a remark, or NULL */
  const json_t *before; /* as it was; NULL: it was not there, or is not known */
  const json_t *after;  /* as it is, or in a dry run as it would be; NULL: not there, or not known */
};

struct rollout {
  struct cluster *cluster;
  const Trammel__Adapter__V1__DescribeResponse *description; /* of the adapter, whose kinds are looked for */
  const Trammel__Adapter__V1__TranslateResponse *translation;
  const struct smi_set *set; /* the resources that were given: whose objects these are */
  /* Where else to look for what these resources have when all namespaces may not be listed: besides theirs and those
   * of the translation. */
  const char *const *namespaces;
  size_t namespace_count;
  bool dry_run; /* only find out; no wave is held back then */
  /* How long rollout_apply() waits, once all is applied, until the mesh has taken the objects whose adapter says how
   * that shows (readiness.h); 0: it does not. */
  int64_t wait_ns;
  const atomic_bool *cancel;
  void (*told)(void *ctx, const struct rollout_step *step); /* on the calling thread, as it goes */
  void *ctx;
};

struct rollout_summary {
  size_t counts[ROLLOUT_OUTCOMES];
  bool partial; /* only some namespaces could be searched for what is to be removed */
};

/* Whether all objects of the translation can be put on a cluster: -EINVAL when one goes over HTTP or is not the object
 * it is said to be, -EACCES when the adapter did not declare its kind. */
int rollout_check(const struct rollout *rollout, struct error **err);

/* Applies the translation's objects; when all of them are there, and ready if that is waited for, removes what is on
 * the cluster, all of whose sources were given, and which the translation no longer has. Objects without sources stay
 * (they are for a namespace as a whole), and so do those whose list of sources was cut. 0 also when objects were
 * refused or failed, which the summary counts; -ECANCELED, or what made it impossible to go on. */
int rollout_apply(const struct rollout *rollout, struct rollout_summary *ret_summary, struct error **err);

/* Removes what is on the cluster and all of whose sources were given; and what the translation names and has no
 * sources; then looks again, for what came to be there meanwhile. What else it names and has further sources is kept,
 * and told. Returns as above. */
int rollout_remove(const struct rollout *rollout, struct rollout_summary *ret_summary, struct error **err);

#endif
