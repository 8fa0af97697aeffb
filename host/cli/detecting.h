/* Whether the mesh of an adapter is there: the adapter asked, and what that comes to. */
#ifndef TRAMMEL_HOST_CLI_DETECTING_H
#define TRAMMEL_HOST_CLI_DETECTING_H

#include <stdatomic.h>

#include "host/cli/mesh_options.h"

enum detected_standing {
  DETECTED_READY,
  DETECTED_NOT_READY, /* it is there */
  DETECTED_ABSENT,
  DETECTED_UNKNOWN,   /* the adapter, or what it asked, gave no answer that says it */
  DETECTED_NOT_ASKED, /* nobody says where it would be */
};

/* "ready", "not ready", "absent", "unknown", "not asked" */
const char *detected_standing_name(enum detected_standing standing);

struct detected {
  const struct adapter_entry *entry;
  enum detected_standing standing;
  Trammel__Adapter__V1__DetectResponse *response; /* NULL: there is none */
  json_t *requests;                               /* as engine_detect_recorded() */
  struct error *why;                              /* why it is unknown or was not asked */
};
void detected_finish(struct detected *detected);

/* The cluster of the options, which adapters may ask. */
struct detecting_cluster {
  struct cluster *cluster; /* NULL: there is none */
  bool answers;
  struct error *why; /* why there is none, or what it answered instead */
};
void detecting_cluster_finish(struct detecting_cluster *cluster);

/* Opens it and sees whether it answers, within DETECTING_CLUSTER_TIMEOUT_NS. An error only for options that cannot be
 * followed; without any, a kubeconfig that is not there is no error. */
#define DETECTING_CLUSTER_TIMEOUT_NS (10 * INT64_C(1000000000))
int detecting_cluster_open(const struct mesh_options *options, const atomic_bool *cancel,
                           struct detecting_cluster *ret_cluster, struct error **err);

/* Asks one adapter. -EINVAL for a configuration that does not fit it, with diagnostics printed; -ENOMEM. What else goes
 * wrong is the standing. */
int detecting_ask(const struct mesh_options *options, const struct detecting_cluster *cluster,
                  const struct adapter_entry *entry, const atomic_bool *cancel, struct detected *ret_detected,
                  struct error **err);

#endif
