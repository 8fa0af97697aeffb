/* The inventory that a command works with: from the files it reads anyway, or from a file of its own. */
#ifndef TRAMMEL_HOST_CLI_INVENTORY_INPUT_H
#define TRAMMEL_HOST_CLI_INVENTORY_INPUT_H

#include <argp.h>

#include "host/cli/smi_inputs.h"
#include "host/inventory/inventory.h"

/* --default-protocol: a child argp; its input is a struct inventory_input. */
struct inventory_input {
  Trammel__Adapter__V1__Protocol default_protocol; /* unspecified: that of inventory_options */
};
extern const struct argp inventory_input_argp;

/* Reads an inventory from `paths`, and nothing else, into `input`, which smi_input_init() made. 0; -EINVAL with
 * diagnostics in `input` (also `unreadable`); -ENOMEM. */
int inventory_input_read(const struct inventory_input *options, const struct smi_inputs *paths, struct smi_input *input,
                         struct inventory_found *ret_found);

/* Where an inventory comes from that is not in the files of the resources. */
struct inventory_origin {
  const char *file; /* from this file or directory, and nothing else; NULL: from the files of the resources … */
  struct cluster *cluster; /* … and when these have no workloads and services, from here; NULL: then there are none */
  const char *const *namespaces; /* that are asked for there besides those of the resources */
  size_t namespace_count;
};

/* Reads resources of SMI from `paths`, and the inventory from where `origin` says. As above; what is wrong with
 * resources of SMI is in the diagnostics, too. An error is set only when the cluster did not answer. */
int inventory_input_read_smi(const struct inventory_input *options, const struct smi_inputs *paths,
                             const struct inventory_origin *origin, struct smi_input *input,
                             struct inventory_found *ret_found, struct error **err);

/* Reads an inventory from a cluster: from the namespace of `paths`, or when that is NULL from all of them. As above. */
int inventory_input_read_cluster(const struct inventory_input *options, const struct smi_inputs *paths,
                                 struct cluster *cluster, struct smi_input *input, struct inventory_found *ret_found,
                                 struct error **err);

#endif
