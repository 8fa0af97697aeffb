/* The options that say which adapters there are and where their instances run, shared by all commands that use any. */
#ifndef TRAMMEL_HOST_CLI_ADAPTER_OPTIONS_H
#define TRAMMEL_HOST_CLI_ADAPTER_OPTIONS_H

#include <argp.h>

#include "host/adapter/identity.h"
#include "host/adapter/registry.h"
#include "host/cli/list.h"

struct adapter_options {
  struct list directories; /* --adapter-dir */
  struct registry_options registry;
  bool lists_refused; /* the command shows what is refused and why: no warning says it, too */
};

/* --placement and --allow-unconfined: a child argp; its input is a struct registry_options. */
extern const struct argp placement_options_argp;

/* All of them: a child argp; its input is a struct adapter_options. */
extern const struct argp adapter_options_argp;

void adapter_options_finish(struct adapter_options *options);

/* Scans --adapter-dir, TRAMMEL_ADAPTER_PATH, what `trammel adapter install` put in place, and what came with Trammel.
 * An installed adapter whose files are not those of its package any more is refused, with a warning. 0 or an error for
 * people. */
int adapter_options_scan(const struct adapter_options *options, struct registry **ret_registry, struct error **err);

/* Where instances of an adapter run: "in-process", "child" or "remote". */
const char *adapter_placement_name(const struct adapter_entry *entry);

/* --placement as it was given; NULL when it was not. */
const char *adapter_options_placement(const struct adapter_options *options);

/* A child argp for commands that take an adapter on another machine: as whom it is called. Its input is a struct
 * identity_files. */
extern const struct argp identity_options_argp;

/* A usage error when the files are not all there, or are there and the adapter is on no other machine. */
void identity_options_check(const struct argp_state *state, const struct identity_files *files, bool remote);

#endif
