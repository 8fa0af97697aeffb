/* The two laws of every adapter, tried over random worlds and requests: no translation admits what SMI denies, and what
 * is stated as exact admits exactly what SMI allows. The same for the shares of splits.
 *
 * A test gives an evaluator of its mesh: what the mesh's data plane does with the native objects, written from the
 * mesh's documentation and sharing no code with the adapter. On a violation the test prints the world, the objects, the
 * coverage and the request, and fails. TRAMMEL_PROPERTY_SEED=n runs world n alone, TRAMMEL_PROPERTY_WORLDS=n so many.
 */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_PROPERTY_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_PROPERTY_H

#include "tests/support/smi_property/translated.h"

struct property {
  const char *config; /* of the adapter, JSON; "" for none */
  struct world_options options;
  unsigned worlds;   /* seeds 1 to this */
  unsigned requests; /* of each world and kind */

  /* The mesh with the world's inventory and these objects applied. Freed by `close`. */
  void *(*open)(const struct world *world, const struct translated *translated);
  void (*close)(void *mesh);

  /* Whether the mesh lets the request through to the workload. */
  bool (*admits)(void *mesh, const struct request *request);

  /* Where the mesh sends what is sent to a service: `items` with service, port and weight above 0, and their sum;
   * `split` and `backend` are not looked at. A share that reaches nobody (an error instead of an answer) has the
   * service "". */
  void (*shares)(void *mesh, const struct outbound_request *request, struct shares *ret_shares);

  /* Requests that the mesh cannot be asked, and that count for nothing. NULL: none. */
  bool (*skips)(const struct world *world, const struct request *request);
};

/* How often what was seen, for tests that would otherwise prove nothing. */
struct property_seen {
  unsigned requests;
  unsigned denied;      /* by SMI, where it is denied by default */
  unsigned allowed;     /* by SMI, by a TrafficTarget */
  unsigned exact;       /* of those: by parts that are all stated as exact */
  unsigned admitted;    /* of those that SMI allows: by the mesh */
  unsigned distributed; /* requests to a service that a split is for */
  unsigned distributed_exactly;
};

/* For TrafficTargets. In namespaces that deny by default: what SMI denies is not admitted, and what it allows by parts
 * that are stated as exact is. In others: the latter. */
void property_access(const struct property *property, struct property_seen *ret_seen);

/* For TrafficSplits: when all of a split is stated as exact, each share is as SMI says. When not, a backend still gets
 * nothing that SMI gives nothing to, but for the root itself: what is left out leaves the plain service. */
void property_shares(const struct property *property, struct property_seen *ret_seen);

#endif
