/* What the control API declares, parsed. Each object owns all it points to, and never changes after it was made. */
#ifndef TRAMMEL_REFERENCE_MESH_MODEL_H
#define TRAMMEL_REFERENCE_MESH_MODEL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/arena.h"

struct pattern;

enum protocol { PROTOCOL_HTTP = 1, PROTOCOL_TCP, PROTOCOL_UDP };

/* TCP and UDP have port numbers of their own. */
enum transport { TRANSPORT_TCP = 1, TRANSPORT_UDP };
static inline enum transport transport_of(enum protocol protocol) {
  return protocol == PROTOCOL_UDP ? TRANSPORT_UDP : TRANSPORT_TCP;
}

/* A ServiceAccount. */
struct account {
  const char *namespace;
  const char *name;
};

struct header_match {
  const char *name;
  const struct pattern *value;
};

struct http_match {
  const struct pattern *path; /* NULL: any */
  const char *const *methods; /* count 0: any */
  size_t method_count;
  const struct header_match *headers;
  size_t header_count;
};

/* Matches are OR'd. */
struct http_matches {
  bool any; /* no list was given: every request */
  const struct http_match *items;
  size_t count;
};

struct rule {
  enum protocol protocol;
  bool any_port;
  const uint16_t *ports;
  size_t port_count;
  struct http_matches matches; /* of PROTOCOL_HTTP */
};

/* An object's memory. */
struct model {
  struct arena *arena;
  struct pattern **patterns;
  size_t pattern_count, pattern_capacity;
};

struct permission {
  struct model model;
  struct account destination;
  const struct account *sources;
  size_t source_count;
  const struct rule *rules;
  size_t rule_count;
};

struct backend {
  const char *service;
  uint32_t weight;      /* of a quantity: thousandths */
  const char *quantity; /* as declared: "500m"; NULL: a whole number was */
};

struct split {
  struct model model;
  const char *service;
  const struct backend *backends;
  size_t backend_count;
  struct http_matches matches;
  int64_t unsettled_until_ns; /* monotonic; by a fault only */
};

struct service_port {
  uint16_t port;
  uint16_t target;
  enum protocol protocol;
};

struct service {
  struct model model;
  const struct service_port *ports;
  size_t port_count;
  const char *const *workloads; /* names, of the same namespace */
  size_t workload_count;
  size_t turn; /* the workload whose turn is next: the one member that changes */
};

struct workload_port {
  uint16_t port;
  enum protocol protocol;
};

struct upstream {
  const char *namespace;
  const char *service;
  uint16_t port;
  uint16_t listen;
  enum transport transport; /* of both ports */
};

/* The label of a workload that says which deployment it is a pod of; without it, one of its own name. */
#define LABEL_DEPLOYMENT "deployment"

struct workload_spec {
  struct model model;
  const char *account;
  struct in_addr app, inbound, outbound;
  const struct workload_port *ports;
  size_t port_count;
  const struct upstream *upstreams;
  size_t upstream_count;
};

void permission_destroy(struct permission *permission);
void split_destroy(struct split *split);
void service_destroy(struct service *service);
void workload_spec_destroy(struct workload_spec *spec);
DEFINE_CLEANUP(struct permission *, permission_destroy);
DEFINE_CLEANUP(struct split *, split_destroy);
DEFINE_CLEANUP(struct service *, service_destroy);
DEFINE_CLEANUP(struct workload_spec *, workload_spec_destroy);

#endif
