/* Servers: a port of the pods of one ServiceAccount, and what all TrafficTargets together allow there. Of two Servers
 * on a port the oldest would win, so there is one for all targets. */
#ifndef TRAMMEL_PLUGINS_LINKERD_SERVER_H
#define TRAMMEL_PLUGINS_LINKERD_SERVER_H

#include "plugins/linkerd/options.h"
#include "plugins/linkerd/overlap.h"
#include "plugins/linkerd/target.h"

/* What one target has to do with a port. */
struct server_grant {
  const struct kube_account *account;
  uint16_t port;
  struct target *target; /* NULL: none, the port is only denied */
};

struct server {
  struct call *call;
  const struct linkerd_options *options;
  const struct kube_account *account;
  uint16_t port;
  const struct server_grant *grants; /* those with a target */
  size_t grant_count;
  bool opaque;                    /* a protocol that is not HTTP, for sure */
  struct kube_identities sources; /* all there are, sorted; what sets of sources count */
  size_t probe_source;            /* the number for the kubelet's probes, after all sources */
  source_word *connections;       /* who may open connections of any kind */
  struct cells cells;             /* routes; none: connections are all that is decided on */
};

/* Makes a server of the grants for one port. Counts what is left out of the targets' matches. False without memory. */
bool server_read(struct call *call, const struct linkerd_options *options, const struct server_grant *grants,
                 size_t count, struct server *ret_server);

/* Makes its objects, and gives them to the targets. */
void server_emit(const struct server *server, struct translation *translation);

/* The object of a Server. Takes the reference to `pod_selector`. */
struct native_object *server_object(struct call *call, const struct linkerd_options *options, const char *ns,
                                    json_t *pod_selector, uint16_t port, bool opaque);

/* The networks that the kubelet's probes come from: one object for a namespace. */
struct native_object *server_probe_networks(struct call *call, const struct linkerd_options *options, const char *ns);

/* Whether probes are let through. */
bool server_has_probes(const struct linkerd_options *options);

#endif
