/* A translation that a command makes: its options, what goes into it, and what comes of it. */
#ifndef TRAMMEL_HOST_CLI_TRANSLATING_H
#define TRAMMEL_HOST_CLI_TRANSLATING_H

#include "host/adapter/instance.h"
#include "host/cli/inventory_input.h"
#include "host/cli/mesh_options.h"

struct translating {
  /* Set by the command: what it does with objects, "written" and "writes", for people; and whether it works on a
   * cluster, which --kubeconfig and --context then only choose. */
  const char *done, *does;
  bool needs_cluster;

  /* Set by options. */
  struct smi_inputs inputs;
  struct inventory_input inventory;
  struct mesh_options mesh;
  const char *inventory_file;
  const char *coverage_file;
  struct list deny_by_default;
  bool allow_unsupported;

  /* Set by translating_run(). */
  struct smi_input input;
  struct inventory_found found;
  struct cluster *cluster; /* NULL: none is needed, and none was given */
  struct registry *registry;
  const struct adapter_entry *entry;
  struct instance *instance;
  struct diagnostics *told; /* by the adapter */
  Trammel__Adapter__V1__TranslateResponse *response;
  bool complete; /* nothing is unsupported */
};

/* The options: a child argp; its input is a struct translating. */
extern const struct argp translating_argp;

/* Reads and translates; diagnostics and coverage go to standard error. EXIT_ALL_PASSED when `response` may be used;
 * otherwise the exit code to end with, and an error when there is more to tell. */
int translating_run(struct translating *translating, struct error **err);
void translating_finish(struct translating *translating);

/* The adapter that the options choose, which has to translate, and an instance of it, for the versions of its kinds
 * that the cluster serves (NULL: none is asked). What it says is added to `told`. */
int translating_open_adapter(const struct mesh_options *options, struct cluster *cluster, struct diagnostics *told,
                             struct registry **ret_registry, const struct adapter_entry **ret_entry,
                             struct instance **ret_instance, struct error **err);

/* The exit code of an error of an adapter, or of what it answered. */
int translating_exit_code(int r);

#endif
