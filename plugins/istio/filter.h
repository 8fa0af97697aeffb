/* EnvoyFilters: what an AuthorizationPolicy cannot say, said to the proxy itself. The filter of a ServiceAccount's pods
 * holds all that is allowed there over HTTP, exactly: it denies everything else, whatever a policy admits. */
#ifndef TRAMMEL_PLUGINS_ISTIO_FILTER_H
#define TRAMMEL_PLUGINS_ISTIO_FILTER_H

#include "plugins/istio/policy.h"

/* Applied before the policies that admit more than was meant, and removed after them. */
#define FILTER_WAVE 1u

struct filter_grant {
  const struct smi_traffic_target *target;
  const struct grant *grant;
};

/* The filter of one account, from all grants for it, in the order given. NULL, and the call marked, without memory. */
struct native_object *filter_object(struct call *call, const struct istio_options *options,
                                    const struct kube_account *account, const struct filter_grant *grants,
                                    size_t count);

#endif
