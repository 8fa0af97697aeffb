#include "tests/unit/reference/fixture.h"

#include <stddef.h>
#include <stdint.h>

#define TEXT(value) ((char *)(uintptr_t)(value))

static void workload(PB(Workload) * w, PB(WorkloadPort) * *ports, const char *ns, const char *name, const char *account,
                     const char *app, const char *inbound, const char *outbound) {
  *w = (PB(Workload))PB_INIT(WORKLOAD);
  w->name = TEXT(name);
  w->namespace_ = TEXT(ns);
  w->service_account = TEXT(account);
  w->app_address = TEXT(app);
  w->inbound_address = TEXT(inbound);
  w->outbound_address = TEXT(outbound);
  w->n_ports = 3;
  w->ports = ports;
}

static void service(PB(Service) * s, PB(ServicePort) * *ports, size_t count, const char *ns, const char *name,
                    char **workloads) {
  *s = (PB(Service))PB_INIT(SERVICE);
  s->name = TEXT(name);
  s->namespace_ = TEXT(ns);
  s->n_ports = count;
  s->ports = ports;
  s->n_workloads = 1;
  s->workloads = workloads;
}

const PB(Inventory) * fixture_inventory(void) {
  static PB(Inventory) inventory = PB_INIT(INVENTORY);
  static PB(Workload) workloads[4], *workload_list[4];
  static PB(Service) services[2], *service_list[2];
  static PB(WorkloadPort) http = PB_INIT(WORKLOAD_PORT), tcp = PB_INIT(WORKLOAD_PORT), udp = PB_INIT(WORKLOAD_PORT);
  static PB(WorkloadPort) * ports[] = {&http, &tcp, &udp};
  static PB(ServicePort) web = PB_INIT(SERVICE_PORT), raw = PB_INIT(SERVICE_PORT), dns = PB_INIT(SERVICE_PORT);
  static PB(ServicePort) * service_ports[] = {&web, &raw, &dns};
  static PB(Label) role = PB_INIT(LABEL), tier = PB_INIT(LABEL), *labels[] = {&role, &tier};
  static char *server_name[] = {NULL}, *client_name[] = {NULL};
  if (inventory.n_workloads)
    return &inventory;
  http.port = web.target_port = 8080;
  http.protocol = web.protocol = TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_HTTP;
  tcp.port = raw.port = raw.target_port = 9000;
  tcp.protocol = raw.protocol = TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_TCP;
  udp.port = dns.port = dns.target_port = 53;
  udp.protocol = dns.protocol = TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UDP;
  web.port = 80;
  role.name = TEXT("role");
  role.value = TEXT("front");
  tier.name = TEXT("tier");
  tier.value = TEXT("edge");
  /* In no order: the SDK sorts. */
  workload(&workloads[0], ports, "main", "server", "server", "127.9.0.2", "127.9.1.2", "127.9.2.2");
  workload(&workloads[1], ports, "main", "client", "client", "127.9.0.1", "127.9.1.1", "127.9.2.1");
  workload(&workloads[2], ports, "other", "client", "client", "127.9.0.4", "127.9.1.4", "127.9.2.4");
  workload(&workloads[3], ports, "main", "backup", "server", "127.9.0.3", "127.9.1.3", "127.9.2.3");
  workloads[0].n_labels = 1;
  workloads[1].n_labels = 2;
  workloads[0].labels = workloads[1].labels = labels;
  server_name[0] = TEXT("server");
  client_name[0] = TEXT("client");
  service(&services[0], service_ports, 3, "main", "server", server_name);
  service(&services[1], service_ports, 1, "main", "client", client_name);
  for (size_t i = 0; i < 4; i++)
    workload_list[i] = &workloads[i];
  service_list[0] = &services[0];
  service_list[1] = &services[1];
  inventory.n_workloads = 4;
  inventory.workloads = workload_list;
  inventory.n_services = 2;
  inventory.services = service_list;
  return &inventory;
}
