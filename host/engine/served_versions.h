/* Which versions of a mesh's API a cluster serves, for the options of an adapter that choose one. */
#ifndef TRAMMEL_HOST_ENGINE_SERVED_VERSIONS_H
#define TRAMMEL_HOST_ENGINE_SERVED_VERSIONS_H

#include <jansson.h>

#include "host/engine/cluster.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* How long the cluster may take to answer. */
#define SERVED_VERSIONS_TIMEOUT_NS (30 * INT64_C(1000000000))

/* Sets, in `config`, each version option of the description that is not set there to the first value of its enum for
 * which the cluster serves all that the option is about. When it serves none, the option stays unset: what is wrong
 * then is told of the objects, if there are any. An error: the cluster does not say what it serves. */
int served_versions_choose(struct cluster *cluster, const Trammel__Adapter__V1__DescribeResponse *description,
                           const atomic_bool *cancel, json_t *config, struct error **err);

/* The same as they were chosen before, as `before` has them (NULL: not at all): for what must not change. -ENOMEM. */
int served_versions_keep(const Trammel__Adapter__V1__DescribeResponse *description, const json_t *before,
                         json_t *config);

#endif
