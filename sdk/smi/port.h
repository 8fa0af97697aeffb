/* The `port` of a TrafficTarget of access v1alpha1 and v1alpha2, which the hub form says with TCPRoutes. For sdk/smi
 * only.
 *
 * A port limits whatever else the target allows. Several TCPRoutes of one target allow the union of their ports, so the
 * port must not be put beside the TCPRoutes that are there: each is replaced by a synthesised one with just that port,
 * which notes what it stands for. A target without TCPRoutes gets a synthesised one in addition. A target without rules
 * allows nothing: its port is kept in a route that no rule refers to. */
#ifndef TRAMMEL_SDK_SMI_PORT_H
#define TRAMMEL_SDK_SMI_PORT_H

#include "sdk/smi/index.h"
#include "sdk/smi/model.h"

struct smi_reader;

/* The TrafficTarget (of the same namespace) whose port a TCPRoute stands for, from its annotation; NULL: none. */
const char *smi_port_of(const struct smi_meta *route);

/* The TCPRoute that it replaces in the target's rules; NULL: none. */
const char *smi_stands_for(const struct smi_meta *route);

/* Makes the TCPRoutes for all ports read. A target whose port lies outside the ports of a TCPRoute it names is reported
 * (SMI-0013) and taken out of the reader: -EINVAL. -ENOMEM. */
int smi_ports_to_routes(struct smi_reader *reader);

/* Why a target cannot be written with a `port`, or NULL. `*ret_port` is 0 when it has none. `routes` are the resources
 * of the set by kind, namespace and name; `synthesised` the synthesised TCPRoutes by the target they belong to. */
const char *smi_port_of_routes(const struct smi_traffic_target *target, const struct smi_index *routes,
                               const struct smi_index *synthesised, uint16_t *ret_port);

/* The synthesised TCPRoutes of a set, by namespace and target. -ENOMEM. */
int smi_synthesised_index(struct smi_index *index, struct arena *arena, const struct smi_set *set);

#endif
