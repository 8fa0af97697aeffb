/* Where workloads live. The process lab: every workload is a trammel-workload process on a loopback address of its own.
 * The Kubernetes lab: every workload is a pod. A lab has slots that are isolated from each other; a slot holds one
 * placement (a topology with its own fresh namespaces) at a time. */
#ifndef TRAMMEL_HOST_LAB_LAB_H
#define TRAMMEL_HOST_LAB_LAB_H

#include <stdatomic.h>

#include "host/engine/cluster.h"
#include "host/engine/engine.h"
#include "host/lab/topology.h"
#include "host/lab/workload_client.h"

struct lab;
struct placement;

/* Most slots of one process lab, and most workloads of one topology. */
#define LAB_SLOTS_MAX 32
#define LAB_WORKLOADS_MAX 64
/* Workloads that died or hung and were replaced; what ends more of them than that is no accident. */
#define LAB_REPLACEMENTS_MAX 8

struct process_lab_options {
  unsigned slots;
  unsigned workloads; /* processes per slot: the largest topology's count */
  struct journal *journal;
  const atomic_bool *cancel;
};

/* Takes a block of loopback addresses no other Trammel run of this machine uses (127.N.0.0/16, locked by an abstract
 * socket, so nothing is left behind), starts the workload processes and waits until each answers. */
int process_lab_create(const struct process_lab_options *options, struct lab **ret_lab, struct error **err);

/* A lab on a cluster. Makes nothing yet: a placement's Namespaces, ServiceAccounts, Services and Deployments stay in
 * its slot until one of another topology comes there, and are removed then. The control ports of workloads are reached
 * through the API server. */
struct kubernetes_lab_options {
  unsigned slots;
  const struct cluster_options *cluster;
  const char *image; /* of trammel-workload; copied */
  struct journal *journal;
  const atomic_bool *cancel;
};
int kubernetes_lab_create(const struct kubernetes_lab_options *options, struct lab **ret_lab, struct error **err);

/* What is on a cluster is asked to be removed; its last parts may go a little later. NULL is fine. */
void lab_destroy(struct lab *lab);

/* What is free for the mesh's control plane: a loopback address, or the name of a namespace. Borrowed. */
const char *lab_mesh_address(const struct lab *lab);

/* Puts `topology` into slot `slot`: fresh namespaces "<alias>-<unique>" ("main-c0ffee-3-17": run, slot, placement),
 * addresses, the adapter's Enroll through `engine`, its registrations applied, workloads reset. One thread per slot.
 * Sidecar processes that the adapter asks for are started after the registrations, and waited for until they listen.
 * Nothing stays of a placement that failed. A workload that died or hung before is replaced by a new process with the
 * same addresses, until lab_spent(); one that dies meanwhile, or a mesh that died, is an error (-ECHILD) that says how.
 * No request goes on past the thread's patience (engine/patience.h). */
int lab_place(struct lab *lab, unsigned slot, struct engine *engine, const struct topology *topology,
              struct placement **ret_placement, struct error **err);
/* Whether so many workloads died or hung that no more are replaced. Any thread. */
bool lab_spent(const struct lab *lab);
/* Takes the registrations away. NULL is fine. */
int placement_remove(struct placement *placement, struct error **err);

/* Takes away what made workloads reach each other where the mesh denies by default: for when that is what is wanted. */
int placement_end_plain_network(struct placement *placement, struct error **err);

const Trammel__Adapter__V1__Inventory *placement_inventory(const struct placement *placement);
/* The real namespace of an alias; NULL when the topology has no such alias. */
const char *placement_namespace(const struct placement *placement, const char *alias);

/* Where `client` (a workload as "alias/name") connects to reach a service's port through the mesh; and where anyone
 * connects to reach a workload's port around the client-side proxy (its inbound address). A port has a number and a
 * protocol: TCP and UDP may share the number. -ENOENT with a reason; -ENOTSUP with the adapter's, when the mesh has no
 * such way. `ret_address` is borrowed. */
int placement_upstream(const struct placement *placement, const char *client, const char *service, uint16_t port,
                       enum protocol protocol, const char **ret_address, uint16_t *ret_port, struct error **err);
int placement_direct(const struct placement *placement, const char *workload, uint16_t port, enum protocol protocol,
                     const char **ret_address, uint16_t *ret_port, struct error **err);

/* Where a workload's program itself listens, around the proxies of both sides. -ENOENT with a reason; -ENOTSUP where
 * nobody outside of the workload reaches it. */
int placement_program(const struct placement *placement, const char *workload, uint16_t port, enum protocol protocol,
                      const char **ret_address, uint16_t *ret_port, struct error **err);

/* The control client of a workload ("alias/name"); NULL when there is none. Used by the slot's thread only. */
struct workload_client *placement_workload(const struct placement *placement, const char *workload);

/* A further control client of a workload, for another thread; destroyed by the caller. */
int placement_dial(const struct placement *placement, const char *workload, struct workload_client **ret_client,
                   struct error **err);

/* 0 while every process of the slot and of the engine's mesh lives; -ECHILD with the epitaph of one that died. */
int placement_check(const struct placement *placement, struct error **err);

/* The same, and every workload of the slot answers; -ETIMEDOUT names one that does not, and the next placement replaces
 * it; -ECHILD also has one that is just ending. For use after a request that took too long or whose connection was
 * lost; asks each, so that it may take seconds. Sets the thread's patience to none. */
int placement_ask(const struct placement *placement, struct error **err);

#endif
