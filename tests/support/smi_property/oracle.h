/* What SMI itself says, without any mesh: docs/smi.md, requirements and interpretations. It shares no code with
 * sdk/smi's analyses nor with any adapter; regular expressions are matched by PCRE2. */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_ORACLE_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_ORACLE_H

#include "tests/support/smi_property/request.h"

#define ORACLE_NONE SIZE_MAX

/* One way in which resources of the world allow a request. */
struct witness {
  const struct smi_traffic_target *target;
  size_t source;
  size_t rule;                              /* that allows it */
  const struct smi_http_route_group *group; /* of that rule; NULL when it is a TCPRoute or UDPRoute */
  size_t match;                             /* of the group */
  size_t named;                             /* the rule's `matches` entry; ORACLE_NONE: it has none (ACC-05) */
  size_t port_rule; /* the rule of the TCPRoute that lets an HTTPRouteGroup have this port; ORACLE_NONE */
};

/* More than a world of 6 targets has; what is above is left out. */
#define WITNESSES_MAX 256
struct witnesses {
  struct witness items[WITNESSES_MAX];
  size_t count;
};

/* Whether the destination's namespace denies by default (ACC-01); else everything is allowed there. */
bool oracle_denies_by_default(const struct world *world, const struct request *request);

/* All ways in which TrafficTargets allow it, without regard to whether anything has to. */
void oracle_witnesses(const struct world *world, const struct request *request, struct witnesses *ret_witnesses);

bool smi_allows(const struct world *world, const struct request *request);

/* Where a request to a service goes: shares are weights over their sum. A split's backend without the port, or that is
 * not there, is left out (SPL-06, SPL-08, and the reading of both); a sum of 0 reaches nobody. Without a split that is
 * for the request, the service itself is the only share. */
struct share {
  const char *service; /* in the asked one's namespace */
  uint16_t port;       /* of its workloads (SPL-07) */
  uint64_t weight;
  size_t backend; /* of the split; ORACLE_NONE: the service itself */
};

#define SHARES_MAX 16
struct shares {
  const struct smi_traffic_split *split; /* that applies; NULL: none */
  struct share items[SHARES_MAX];        /* weights above 0 only */
  size_t count;
  uint64_t sum;
};

void smi_shares(const struct world *world, const struct outbound_request *request, struct shares *ret_shares);

/* Whether `regex` matches `text` from its first byte; with `whole`, to its last. For evaluators of meshes whose data
 * plane takes regular expressions as they are. Ends the test when it is no regular expression. */
bool oracle_regex(const char *regex, const char *text, bool whole);

#endif
