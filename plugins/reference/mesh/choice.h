/* Which workload takes a request, connection or flow to a service: through a traffic split, then the workloads in turn.
 */
#ifndef TRAMMEL_REFERENCE_MESH_CHOICE_H
#define TRAMMEL_REFERENCE_MESH_CHOICE_H

#include "plugins/reference/mesh/mesh.h"

struct head;
struct workload;

/* What is asked for. */
struct choice_question {
  const char *namespace;
  const char *service;
  uint16_t port; /* of the service */
  enum transport transport;
  const struct account *client; /* who asks; NULL: from outside the mesh */
  const struct head *request;   /* NULL for a connection that is no HTTP, and for a flow */
};

struct choice {
  struct workload *workload;
  uint16_t port; /* of the workload */
  /* The split that was asked, and the backend it chose; "" for none. The store's, until it changes. */
  const char *split;
  const char *backend;
};

/* False when nobody can take it; what a split chose is told all the same. */
bool choice_make(struct mesh *mesh, const struct choice_question *question, struct choice *ret_choice);

/* For FAULT_OUTSIDERS_SPLIT: the choice for what reached `workload` from outside the mesh on TCP `port`, when that is
 * behind the root of a split. */
bool choice_for_outsider(const struct workload *workload, uint16_t port, struct choice *ret_choice);

#endif
