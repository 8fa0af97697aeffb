/* TrafficSplits by the root Service that they split: of two for one Service only one can be carried over. */
#ifndef TRAMMEL_SDK_KUBE_ROOT_H
#define TRAMMEL_SDK_KUBE_ROOT_H

#include "sdk/kube/directory.h"

/* Translates one split; `options` are the adapter's. */
typedef void kube_split_translator(const struct kube_directory *directory, const void *options,
                                   const struct smi_traffic_split *split, struct translation *translation);

/* Hands over one split for each root, the first by name, whatever order they come in; the others of that root are
 * unsupported, with the diagnostic `code_taken`. */
void kube_roots_translate(const struct kube_directory *directory, const void *options, const char *code_taken,
                          kube_split_translator *translate, struct translation *translation);

#endif
