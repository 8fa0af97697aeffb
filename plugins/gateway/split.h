/* TrafficSplits as routes whose parent is the root Service (Gateway API for mesh). Routes of one Service are not
 * followed from another one's backends, and clients outside the mesh see the plain Service, as SMI has it. */
#ifndef TRAMMEL_PLUGINS_GATEWAY_SPLIT_H
#define TRAMMEL_PLUGINS_GATEWAY_SPLIT_H

#include "plugins/gateway/options.h"
#include "sdk/kube/directory.h"

void splits_translate(const struct kube_directory *directory, const struct gateway_options *options,
                      struct translation *translation);

#endif
