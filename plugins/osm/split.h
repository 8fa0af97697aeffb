/* TrafficSplits as OSM takes them: in v1alpha2, which has no matches. OSM's proxies leave out a backend that is not
 * there or does not have the port, and refuse a configuration in which nothing is left. */
#ifndef TRAMMEL_PLUGINS_OSM_SPLIT_H
#define TRAMMEL_PLUGINS_OSM_SPLIT_H

#include "sdk/kube/directory.h"

void splits_translate(const struct kube_directory *directory, struct translation *translation);

#endif
