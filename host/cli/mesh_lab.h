/* A mesh in a process lab, with a client and a server in it, for load that goes both ways between them: through the
 * mesh, and around it. */
#ifndef TRAMMEL_HOST_CLI_MESH_LAB_H
#define TRAMMEL_HOST_CLI_MESH_LAB_H

#include "host/cli/mesh_options.h"
#include "host/lab/lab.h"

struct mesh_lab {
  struct registry *registry;
  const struct adapter_entry *entry;
  json_t *config;
  char *state; /* directory */
  struct journal *journal;
  struct lab *lab;
  struct engine *engine;
  struct placement *placement;
  char *version;                        /* of the mesh */
  char direct_url[64], through_url[64]; /* of the server: its program; where the client's program reaches its service */
};

/* What needs no mesh: the adapter, its configuration, the state directory. A failure here is bad input, but for
 * EHOSTUNREACH. `*lab` is zeroed; to be finished in any case. */
int mesh_lab_prepare(struct mesh_lab *lab, const struct mesh_options *options, struct error **err);
/* Journal, lab, mesh, workloads: all of it journaled. */
int mesh_lab_start(struct mesh_lab *lab, const struct mesh_options *options, struct error **err);
/* 0 while all processes of it live; -ECHILD with the epitaph of one that died. */
int mesh_lab_check(const struct mesh_lab *lab, struct error **err);
/* Takes all of it away: how many objects and processes could not be removed. */
size_t mesh_lab_finish(struct mesh_lab *lab);

#endif
