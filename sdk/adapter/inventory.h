/* The workloads and services there are to translate for. Checked and sorted by namespace and name. */
#ifndef TRAMMEL_SDK_ADAPTER_INVENTORY_H
#define TRAMMEL_SDK_ADAPTER_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"
#include "sdk/smi/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum port_protocol {
  PORT_HTTP = 1, /* HTTP/1.1 and h2c */
  PORT_TCP,
  PORT_UDP,
};

struct inventory_port {
  const char *name; /* of a service's port; "" when it has none */
  uint16_t port;
  uint16_t target_port; /* of a service's port: the workload's port, resolved. Else 0 */
  enum port_protocol protocol;
};

struct inventory_service {
  const char *name;
  const char *ns;
  const struct inventory_port *ports;
  size_t port_count;
  const char *const *workloads; /* names, in the service's namespace */
  size_t workload_count;
};

struct inventory_workload {
  const char *name;
  const char *ns;
  const char *service_account;
  const struct smi_label *labels;
  size_t label_count;
  const struct inventory_port *ports;
  size_t port_count;
  /* Process lab only, else "": where the program listens, where its inbound proxy does, and where its outbound proxy
   * may. */
  const char *app_address;
  const char *inbound_address;
  const char *outbound_address;
};

struct inventory {
  const struct inventory_workload *workloads;
  size_t workload_count;
  const struct inventory_service *services;
  size_t service_count;
};

/* NULL when absent. */
const struct inventory_service *inventory_service(const struct inventory *inventory, const char *ns, const char *name);
const struct inventory_workload *inventory_workload(const struct inventory *inventory, const char *ns,
                                                    const char *name);

/* The service's port of this number, whose `target_port` is its workloads' own; NULL when absent. UDP has port numbers
 * of its own, which HTTP and TCP share: `transport` is PORT_UDP for those. */
const struct inventory_port *inventory_service_port(const struct inventory_service *service, uint16_t port,
                                                    enum port_protocol transport);

/* True when the workload has every one of the labels. */
bool workload_has_labels(const struct inventory_workload *workload, const struct smi_label *labels, size_t count);

/* "http", "tcp", "udp". */
const char *port_protocol_name(enum port_protocol protocol);

/* From the message, into `arena`. 0; -EINVAL for ports out of range, unknown protocols, bad names and duplicates;
 * -ENOMEM. */
struct Trammel__Adapter__V1__Inventory;
int inventory_from_wire(struct arena *arena, const struct Trammel__Adapter__V1__Inventory *message,
                        struct inventory *ret_inventory, struct error **err);

#ifdef __cplusplus
}
#endif

#endif
