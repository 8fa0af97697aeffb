/* Ports of TCPRoutes and UDPRoutes are ports of Services (docs/smi.md, Service port or target port); data planes look
 * at the port of the pod that is called. */
#ifndef TRAMMEL_SDK_KUBE_PORT_H
#define TRAMMEL_SDK_KUBE_PORT_H

#include "sdk/kube/directory.h"

/* What ports come to at the pods of one ServiceAccount. */
struct kube_ports {
  const uint16_t *items; /* ports of pods that may be opened; sorted, each once */
  size_t count;
  size_t renumbered; /* written ports that a Service has under another number */
  size_t own;        /* written ports that no Service of a pod has: taken as the pod's own */
  size_t left_out;   /* ports of pods that cannot be opened for one without opening them for another */
};

/* Resolves `written` for the workloads of `account`, among ports of the same transport: PORT_UDP, or PORT_TCP, which
 * carries HTTP as well. A pod's port is opened when a Service that selects the pod has a written port with this target
 * port, or the written port is of no Service that selects it. A permission is for an account and so for all of its
 * pods: a port that is meant at one and is another thing at another is left out. False, and the call marked, without
 * memory. */
bool kube_ports_resolve(const struct kube_directory *directory, const struct kube_account *account,
                        const uint16_t *written, size_t count, enum port_protocol transport,
                        struct kube_ports *ret_ports);

#endif
