/* Whether a connection, a request or a flow of datagrams is allowed: a pure decision. */
#ifndef TRAMMEL_REFERENCE_MESH_POLICY_H
#define TRAMMEL_REFERENCE_MESH_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/reference/mesh/fault.h"
#include "plugins/reference/mesh/model.h"

struct head;

/* What is asked for. */
struct access {
  const struct account *caller; /* NULL: without identity, never a listed source */
  uint16_t port;                /* the workload's own */
  enum protocol protocol;       /* of the port */
  const struct head *request;   /* NULL for TCP and UDP. Normalised, hop-by-hop fields dropped */
};

/* What holds for the destination: the permissions whose destination it is, in the order of their names. */
struct policy {
  bool enforced; /* the namespace denies by default */
  const struct permission *const *permissions;
  size_t count;
  struct fault_set faults;
};

bool policy_allows(const struct policy *policy, const struct access *access);

/* Whether the request matches one of `matches`. */
bool matches_request(const struct http_matches *matches, const struct head *request, struct fault_set faults);

/* The first of the matches alone; borrows from them. */
struct http_matches matches_first(const struct http_matches *matches);

#endif
