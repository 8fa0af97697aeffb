/* What was read and is not put together yet. For host/inventory only. Texts are those of the documents. */
#ifndef TRAMMEL_HOST_INVENTORY_INTERNAL_H
#define TRAMMEL_HOST_INVENTORY_INTERNAL_H

#include "host/inventory/inventory.h"
#include "sdk/base/fields.h"
#include "sdk/smi/model.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PROTOCOL_UNSAID TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UNSPECIFIED
#define PROTOCOL_HTTP TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_HTTP
#define PROTOCOL_TCP TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_TCP
#define PROTOCOL_UDP TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_UDP

enum inventory_code {
  INVENTORY_UNKNOWN_WORKLOAD = 10,
  INVENTORY_TOO_MANY,
  INVENTORY_PORT_LEFT_OUT,
  INVENTORY_TARGETS_DIFFER,
  INVENTORY_PROTOCOLS_DIFFER,
  INVENTORY_PROTOCOL_ASSUMED,
  INVENTORY_UNKNOWN_ACCOUNT,
};

struct found_port {
  const char *name;        /* "" when it has none */
  const char *target_name; /* of a service: the workloads' port of this name; NULL: the number `target` */
  uint16_t port;
  uint16_t target;       /* of a service */
  PB(Protocol) protocol; /* unsaid: TCP that carries nobody says what */
  bool by_service;       /* of a workload: `protocol` is what a service says */
  const struct node *node;
};

struct found_ports {
  struct found_port *items;
  size_t count, capacity;
};

struct found_labels {
  const struct smi_label *items;
  size_t count;
};

struct found_workload {
  const char *kind; /* "Deployment" */
  const char *name;
  const char *ns;
  const char *service_account;
  const char *owner_kind; /* of the object that controls it; NULL: none */
  const char *owner_name;
  struct found_labels labels;
  struct found_ports ports;
  const struct node *node;
};

struct found_service {
  const char *name;
  const char *ns;
  struct found_labels selector;      /* empty: it selects nothing */
  const struct node *members;        /* the names of its workloads, instead of a selector; NULL */
  size_t *workloads, workload_count; /* places in the reader's list */
  struct found_ports ports;
  const struct node *node;
};

struct found_account {
  struct inventory_account account; /* first */
  const struct node *node;
};

struct found_list {
  void *items;
  size_t count, capacity;
  bool full; /* more were read, which has been told */
};

struct inventory_reader {
  struct fields fields;
  const char *default_namespace;
  PB(Protocol) default_protocol;
  bool only;
  struct found_list workloads, services, accounts; /* of the structs above */
  size_t members;                                  /* of services, in all */
  size_t assumed;                                  /* ports whose protocol is the default */
  const struct node *first_assumed;
};

static inline struct found_workload *found_workloads(const struct inventory_reader *reader) {
  return reader->workloads.items;
}
static inline struct found_service *found_services(const struct inventory_reader *reader) {
  return reader->services.items;
}
static inline struct found_account *found_accounts(const struct inventory_reader *reader) {
  return reader->accounts.items;
}

/* Appends a copy; a complaint about `at` above INVENTORY_ITEMS_MAX. */
void found_keep(struct inventory_reader *reader, struct found_list *list, const void *item, size_t size,
                const struct node *at, const char *what);
void found_ports_add(struct inventory_reader *reader, struct found_ports *ports, const struct found_port *port);
/* The same; a complaint when its number is there already for the same transport. */
void found_ports_add_new(struct inventory_reader *reader, struct found_ports *ports, const struct found_port *port);

/* A warning or an info about `at`. */
void found_note(struct inventory_reader *reader, enum severity severity, int code, const struct node *at,
                const char *remedy, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The value under `key` when it is there and not null; a complaint and NULL when it is of another kind. */
const struct node *found_get(struct inventory_reader *reader, const struct node *map, const char *key,
                             enum node_kind kind);
/* The same for a string; NULL when absent or empty. */
const char *found_text(struct inventory_reader *reader, const struct node *map, const char *key);
/* A map of strings. */
struct found_labels found_read_labels(struct inventory_reader *reader, const struct node *map, const char *key);
/* A checked name of Kubernetes objects, and a checked namespace or the default one; NULL after a complaint. */
const char *found_name(struct inventory_reader *reader, const struct node *map, const char *key);
/* The same for a text that was written at `at`. */
const char *found_as_name(struct inventory_reader *reader, const struct node *at, const char *text);
const char *found_namespace(struct inventory_reader *reader, const struct node *map);

/* Reads a manifest of `kind`, which may be of any group; what is of none that matters is passed over. */
void inventory_read_manifest(struct inventory_reader *reader, const struct node *root, const char *api_version,
                             const char *kind);
/* Reads Trammel's own form. */
void inventory_read_stated(struct inventory_reader *reader, const struct node *root);

/* The protocol that a port's appProtocol and name say, by Kubernetes' conventions; unsaid when neither does. Either may
 * be NULL. */
PB(Protocol) inventory_convention(const char *app_protocol, const char *name);

/* Fills in the workloads of every service. The workloads must be sorted by namespace and name. */
void inventory_select(struct inventory_reader *reader);

#endif
