/* What there is to translate for, read from documents: Kubernetes manifests, or Trammel's own form of an inventory.
 * Where the documents come from is the caller's business: files, or what an API server lists.
 *
 * Read are the pod templates of Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs and
 * CronJobs; Pods; Services; ServiceAccounts; and lists of them. A workload that another one of the input controls is
 * not counted again. Every other kind is passed over.
 *
 * The own form is that of a topology (docs/cases.md) with labels: docs/translate.md, docs/schema/inventory.json.
 *
 * Diagnostic codes: INV-0001 to INV-0005 as in sdk/base/fields.h (PREFIX INV), and
 *   INV-0010  a service names a workload that is not there
 *   INV-0011  too many services, workloads or ServiceAccounts, or too many workloads behind services in all
 *   INV-0012  a port is left out: its transport is neither TCP nor UDP, or its named target port is nowhere
 *   INV-0013  a named target port is one number in one workload, and another in another
 *   INV-0014  services say different protocols of one port of a workload
 *   INV-0015  ports whose protocol nothing says
 *   INV-0016  a workload runs as a ServiceAccount that is not in the input, though others of its namespace are */
#ifndef TRAMMEL_HOST_INVENTORY_INVENTORY_H
#define TRAMMEL_HOST_INVENTORY_INVENTORY_H

#include <jansson.h>
#include <stdbool.h>

#include "sdk/base/document.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* Limits of one inventory; the first is the contract's own. */
#define INVENTORY_ITEMS_MAX 200000    /* workloads; services; ServiceAccounts */
#define INVENTORY_FIELDS_MAX 1000     /* labels, ports, containers, workloads by name of one of them */
#define INVENTORY_MEMBERS_MAX 2000000 /* workloads behind services, in all */
#define INVENTORY_LIST_DEPTH_MAX 4    /* Lists within Lists */

struct inventory_options {
  const char *default_namespace; /* of what names none; NULL: "default" */
  /* Of TCP ports of which neither the service's appProtocol nor a name of the port says it; unspecified: HTTP. */
  Trammel__Adapter__V1__Protocol default_protocol;
  bool only; /* nobody else reads the documents: one that is neither a resource nor an inventory is an error */
};

struct inventory_account {
  const char *name;
  const char *ns;
};

/* Everything is sorted by namespace and name, each is there once, and it lives as long as the reader's arena and the
 * documents read. */
struct inventory_found {
  Trammel__Adapter__V1__Inventory *message; /* never free it with protobuf-c */
  const struct inventory_account *accounts; /* the ServiceAccounts that were in the input */
  size_t account_count;
};

/* Reads many documents into one inventory. Borrows the options' texts. NULL without memory. */
struct inventory_reader;
struct inventory_reader *inventory_reader_create(struct arena *arena, const struct inventory_options *options,
                                                 struct diagnostics *diagnostics);

/* Whether a document is of Trammel's own form: a map that has `workloads` or `services`, and neither apiVersion nor
 * kind. */
bool inventory_is_stated(const struct node *root);

/* Reads one document. 1: something of it is in the inventory, and it must live as long; 0: nothing is; -EINVAL with
 * diagnostics: what had errors is left out, and the document must live as long; -ENOMEM. */
int inventory_reader_document(struct inventory_reader *reader, const struct node *root);

/* Puts together what was read: which workloads a service selects, where its ports lead, which protocol is spoken. The
 * reader is done afterwards. 0; -EINVAL with diagnostics, also when a document had errors; -ENOMEM. */
int inventory_reader_finish(struct inventory_reader *reader, struct inventory_found *ret_found);

/* In Trammel's own form, which reads back as the same. A new reference; NULL without memory. */
json_t *inventory_to_json(const struct inventory_found *found);

/* "http", "tcp", "udp". */
const char *inventory_protocol_name(Trammel__Adapter__V1__Protocol protocol);

#endif
