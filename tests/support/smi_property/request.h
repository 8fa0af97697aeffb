/* What is asked of the mesh of a world: requests to workloads, which TrafficTargets allow or not, and requests to
 * services, which TrafficSplits distribute. About half of those drawn are at the edges of what the world's resources
 * say; the rest is anything. */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_REQUEST_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_REQUEST_H

#include "tests/support/smi_property/world.h"

struct request_header {
  const char *name; /* in any case, each once */
  const char *value;
};

/* One HTTP request. */
struct request_http {
  const char *method;
  const char *path; /* starts with '/', without a query */
  const struct request_header *headers;
  size_t header_count;
};

/* As it arrives at a workload. */
struct request {
  const char *source_ns; /* of the caller's ServiceAccount, by a verified identity; no workload need run as it */
  const char *source_account;
  const struct inventory_workload *destination;
  uint16_t port;               /* the workload's own */
  enum port_protocol protocol; /* of that port: an HTTP request, a connection of something else, or datagrams */
  struct request_http http;    /* for PORT_HTTP only */
};

/* As a client in the mesh sends it. */
struct outbound_request {
  const struct inventory_service *service;
  const struct inventory_port *port; /* of the service */
  struct request_http http;          /* for PORT_HTTP only */
};

/* Drawn with the world's own random numbers, in the world's memory. False when the world has nobody to ask. */
bool request_draw(struct world *world, struct request *ret_request);
bool outbound_request_draw(struct world *world, struct outbound_request *ret_request);

/* The value of a header, by its name without case; NULL when absent. */
const char *request_header(const struct request_http *http, const char *name);

void request_print(const struct request *request, FILE *to);
void outbound_request_print(const struct outbound_request *request, FILE *to);

#endif
