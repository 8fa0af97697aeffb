/* The hub form of SMI: what every supported version converts to before an adapter sees it. It is access v1alpha3 with
 * specs v1alpha4 and split v1alpha4, plus the draft IdentityBinding of access v1alpha4. Field names and rules are those
 * of the SMI specification v0.6.0; docs/smi.md lists how Trammel reads what the specification leaves open.
 *
 * Everything is allocated in one arena and const once parsed. Arrays with a count of 0 may be NULL. */
#ifndef TRAMMEL_SDK_SMI_MODEL_H
#define TRAMMEL_SDK_SMI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/arena.h"
#include "sdk/base/diagnostic.h"

#ifdef __cplusplus
extern "C" {
#endif

struct node;

enum smi_group {
  SMI_ACCESS = 1,
  SMI_SPECS,
  SMI_SPLIT,
  SMI_METRICS,
};

/* A group and version; `alpha` is 1 for v1alpha1. {0} is none. */
struct smi_version {
  enum smi_group group;
  uint8_t alpha;
};

enum smi_kind {
  SMI_TRAFFIC_TARGET = 1,
  SMI_HTTP_ROUTE_GROUP,
  SMI_TCP_ROUTE,
  SMI_UDP_ROUTE,
  SMI_TRAFFIC_SPLIT,
  SMI_IDENTITY_BINDING,
};

struct smi_label {
  const char *name;
  const char *value;
};

/* What every resource has. */
struct smi_meta {
  enum smi_kind kind;
  struct smi_version version; /* as written, before conversion to the hub */
  const char *name;
  const char *ns;   /* never NULL or empty: the default namespace is filled in when parsing */
  bool synthesised; /* a TCPRoute that stands for a v1alpha1/2 `port`: made by this parse, or annotated as such */
  struct position position;
  const struct smi_label *labels;
  size_t label_count;
  const struct smi_label *annotations;
  size_t annotation_count;
  bool ns_implied;      /* no namespace was written, and the parser assumed "default": conversions write none either */
  bool made;            /* made by this parse (so `synthesised`, too): it stands in no input */
  const char *not_read; /* fields of the metadata that a conversion leaves out, "finalizers, x"; NULL: none */
  const struct node *node; /* the resource as written, when smi_parse_options.documents_stay; NULL */
};

enum smi_subject_kind {
  SMI_SERVICE_ACCOUNT = 1,
  SMI_BINDING, /* IdentityBinding, access v1alpha4 (draft) */
};

/* A source or destination. Access v1alpha3: kind, name, namespace (absent: the TrafficTarget's own, filled in when
 * parsing). */
struct smi_subject {
  enum smi_subject_kind kind;
  const char *name;
  const char *ns;
  bool ns_implied; /* none was written: conversions write none either */
};

/* Access v1alpha3, rules[]. `matches` empty: every match of an HTTPRouteGroup (ACC-05). The route is in the target's
 * namespace. */
struct smi_rule {
  enum smi_kind kind; /* SMI_HTTP_ROUTE_GROUP, SMI_TCP_ROUTE or SMI_UDP_ROUTE */
  const char *name;
  const char *const *matches;
  size_t match_count;
};

struct smi_traffic_target {
  struct smi_meta meta;
  struct smi_subject destination;
  const struct smi_rule *rules;
  size_t rule_count;
  const struct smi_subject *sources;
  size_t source_count;
};

struct smi_header {
  const char *name;  /* as written; compares without case */
  const char *regex; /* full match, with case */
};

/* Specs v1alpha4, HTTPRouteGroup spec.matches[]: path AND method AND headers. */
struct smi_http_match {
  const char *name;
  const char *path_regex;     /* anchored at the start of the path; NULL: any path */
  const char *const *methods; /* upper case as written; empty or containing "*": any method */
  size_t method_count;
  const struct smi_header *headers; /* all must match */
  size_t header_count;
};

struct smi_http_route_group {
  struct smi_meta meta;
  const struct smi_http_match *matches;
  size_t match_count;
};

/* TCPRoute or UDPRoute, told by meta.kind. No ports: all ports. */
struct smi_port_route {
  struct smi_meta meta;
  const uint16_t *ports;
  size_t port_count;
};

struct smi_backend {
  const char *service;
  uint64_t weight; /* relative. From split v1alpha1 quantities: milli-values divided by their greatest common divisor */
  const char *quantity; /* split v1alpha1: the weight as written, "500m"; NULL in the other versions */
};

struct smi_traffic_split {
  struct smi_meta meta;
  const char *service; /* the root service, in the split's namespace */
  const struct smi_backend *backends;
  size_t backend_count;
  const char *const *matches; /* names of HTTPRouteGroups in the split's namespace; empty: all traffic */
  size_t match_count;
};

/* The draft's IdentityBinding: schemes are OR'd. */
struct smi_identity_binding {
  struct smi_meta meta;
  const struct smi_label *pod_labels; /* podLabelSelector.matchLabels, all of them */
  size_t pod_label_count;
  const char *const *spiffe_ids;
  size_t spiffe_id_count;
  const char *service_account; /* NULL: none */
};

/* A set of resources: what translation takes. */
struct smi_set {
  const struct smi_traffic_target *targets;
  size_t target_count;
  const struct smi_http_route_group *route_groups;
  size_t route_group_count;
  const struct smi_port_route *port_routes;
  size_t port_route_count;
  const struct smi_traffic_split *splits;
  size_t split_count;
  const struct smi_identity_binding *bindings;
  size_t binding_count;
};

/* "access", "specs", "split", "metrics"; the API group is this plus ".smi-spec.io". */
const char *smi_group_name(enum smi_group group);
const char *smi_kind_name(enum smi_kind kind); /* "TrafficTarget" … */
enum smi_group smi_kind_group(enum smi_kind kind);

/* "access/v1alpha3" or "access.smi-spec.io/v1alpha3" to a version. 0 or -EINVAL. */
int smi_version_parse(const char *text, struct smi_version *ret_version);

/* "access/v1alpha3", in `arena`. */
const char *smi_version_name(struct arena *arena, struct smi_version version);

/* Look-ups by namespace and name, NULL when absent. They search the whole set each time: use sdk/smi/index.h for many.
 */
const struct smi_http_route_group *smi_find_route_group(const struct smi_set *set, const char *ns, const char *name);
const struct smi_port_route *smi_find_port_route(const struct smi_set *set, enum smi_kind kind, const char *ns,
                                                 const char *name);
const struct smi_http_match *smi_find_match(const struct smi_http_route_group *group, const char *name);

#ifdef __cplusplus
}
#endif

#endif
