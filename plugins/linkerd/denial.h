/* Denying by default. Linkerd's own way is an annotation, config.linkerd.io/default-inbound-policy: deny, on a
 * Namespace or a workload. Both belong to whoever made them, so an adapter may not own them (deleting them would delete
 * the namespace), and a proxy only learns of a changed annotation when its pod is made anew. A Server says the same for
 * one port, at once: what no policy allows is denied. So every port that the inventory has gets one. */
#ifndef TRAMMEL_PLUGINS_LINKERD_DENIAL_H
#define TRAMMEL_PLUGINS_LINKERD_DENIAL_H

#include "plugins/linkerd/server.h"

/* The ports of ServiceAccounts in namespaces that deny by default, as grants without a target. */
struct denial_ports {
  struct server_grant *items;
  size_t count, capacity;
};

void denial_collect(const struct kube_directory *directory, struct denial_ports *ret_ports);

/* Servers for the pods of accounts that cannot be selected as a whole: each workload by itself, without the pods of
 * accounts that have Servers of their own. */
void denial_emit_rest(const struct kube_directory *directory, const struct linkerd_options *options,
                      struct translation *translation);

/* What is not reached. */
void denial_diagnose(const struct kube_directory *directory);

#endif
