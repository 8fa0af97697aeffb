/* Who a subject of a TrafficTarget is in Consul. Differs from sdk/kube/subject.h: a ServiceAccount only counts as far
 * as the service of its name is it, and there is no identity that a SPIFFE id of SMI could name. */
#ifndef TRAMMEL_PLUGINS_CONSUL_NAMED_SUBJECT_H
#define TRAMMEL_PLUGINS_CONSUL_NAMED_SUBJECT_H

#include "plugins/consul/directory.h"

/* Adds the accounts of `subject`, at `pointer` of the target. What cannot be told is left out, never widened, and
 * covered. */
void named_subject_resolve(const struct directory *directory, const struct smi_traffic_target *target,
                           const struct smi_subject *subject, const char *pointer, struct coverage_list *coverage,
                           struct kube_identities *identities);

#endif
