/* TrafficSplits: a VirtualService for each root Service. */
#ifndef TRAMMEL_PLUGINS_ISTIO_SPLIT_H
#define TRAMMEL_PLUGINS_ISTIO_SPLIT_H

#include "plugins/istio/options.h"
#include "sdk/kube/directory.h"

#define SPLIT_WAVE 2u

void splits_translate(const struct kube_directory *directory, const struct istio_options *options,
                      struct translation *translation);

#endif
