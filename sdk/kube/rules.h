/* The rules of a TrafficTarget, with their routes found: what every adapter decides on before it writes its own mesh's
 * objects. HTTPRouteGroups allow requests; TCPRoutes allow connections when alone, and beside HTTPRouteGroups limit the
 * ports of these; UDPRoutes allow datagrams in either case (docs/smi.md, TCPRoute with HTTPRouteGroup in one target).
 */
#ifndef TRAMMEL_SDK_KUBE_RULES_H
#define TRAMMEL_SDK_KUBE_RULES_H

#include "sdk/adapter/coverage.h"
#include "sdk/kube/port.h"

/* A match that a rule names or means. The adapter sets `level`; unsupported and approximated ones it covers itself, at
 * the match's place in its group. */
struct kube_match {
  const struct smi_http_route_group *group;
  size_t index; /* in the group */
  size_t rule;
  enum coverage_level level; /* COVERAGE_EXACT to begin with */
};

/* The routes of a target that are lists of ports: its TCPRoutes, or its UDPRoutes. */
struct kube_port_rules {
  enum smi_kind kind;
  uint16_t *ports; /* as written, of all these routes; sorted */
  size_t port_count, capacity;
  bool written;
  bool found;                /* at least one of them is there */
  bool limited;              /* found, and all of them name ports */
  size_t destinations, open; /* how many were asked for with kube_rules_ports, and how many ports were open there */
  struct kube_ports most;    /* the most of each count over all destinations; no items */
};

struct kube_rules {
  const struct kube_directory *directory;
  const struct smi_traffic_target *target;
  struct coverage_list *coverage;
  const char *code_dangling, *code_nothing_left, *code_port_shared, *code_udp;
  const char *no_udp; /* why UDPRoutes cannot be carried over; NULL: they can */
  struct kube_match *matches;
  size_t match_count, capacity;
  struct kube_port_rules tcp, udp;
  bool http_written;
  bool http_carried; /* some match is not unsupported; set by kube_rules_cover */
};

/* Finds the routes; names that lead nowhere are covered. `rules` has its first members set, up to `no_udp`. HTTP
 * matches are left out (and their rules covered) when the TCPRoutes that limit them are not there. */
void kube_rules_read(struct kube_rules *rules);

/* The ports of `routes` as ports of the pods of a destination: for each destination once, before kube_rules_cover.
 * Nothing to do, and no items, unless they are limited. */
void kube_rules_ports(struct kube_rules *rules, struct kube_port_rules *routes, const struct kube_account *account,
                      struct kube_ports *ret_ports);

/* Covers each rule, after the adapter has decided on the matches. */
void kube_rules_cover(struct kube_rules *rules);

/* The ports are limited, and none of them is open at any destination. */
bool kube_rules_open_nowhere(const struct kube_port_rules *routes);

#endif
