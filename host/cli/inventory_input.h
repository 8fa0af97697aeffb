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

/* Reads resources of SMI from `paths`, and the inventory from the same files, or from `file` when that is not NULL. As
 * above; what is wrong with resources of SMI is in the diagnostics, too. */
int inventory_input_read_smi(const struct inventory_input *options, const struct smi_inputs *paths, const char *file,
                             struct smi_input *input, struct inventory_found *ret_found);

#endif
