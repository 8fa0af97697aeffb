/* The options that choose a mesh's adapter and configure it, shared by the commands that talk to a mesh. */
#ifndef TRAMMEL_HOST_CLI_MESH_OPTIONS_H
#define TRAMMEL_HOST_CLI_MESH_OPTIONS_H

#include <argp.h>
#include <jansson.h>

#include "host/cli/adapter_options.h"
#include "host/cli/cluster_options.h"
#include "host/cli/list.h"
#include "host/engine/engine.h"
#include "sdk/base/diagnostic.h"

struct mesh_options {
  const char *name_option;        /* what the option that sets `mesh` is called; NULL: "mesh" */
  const char *mesh;               /* --mesh; NULL: the adapter that brings its own mesh */
  const char *remote;             /* HOST:PORT of --adapter remote:HOST:PORT; NULL: an adapter's file */
  struct identity_files identity; /* for it */
  struct list settings;           /* --set key=value */
  const char *config_file;
  struct list endpoints; /* --endpoint name=url */
  struct list tokens;    /* --endpoint-token-file name=file */
  struct list programs;  /* --program name=path */
  struct cluster_options cluster;
  struct adapter_options adapters;
};

/* A child argp; its input is a struct mesh_options. */
extern const struct argp mesh_options_argp;

/* The part of it that says where the adapter is and how it is configured, for commands that have an option of their own
 * for its name and use no mesh. */
extern const struct argp adapter_choice_argp;

void mesh_options_finish(struct mesh_options *options);

/* Scans for adapters and picks the one that is meant, or asks the one on another machine. `*ret_registry` owns
 * `*ret_entry`. 0 or an error for people. */
int mesh_options_find(const struct mesh_options *options, struct registry **ret_registry,
                      const struct adapter_entry **ret_entry, struct error **err);

/* The configuration from --config and --set, each setting in the type the adapter's schema says, checked against the
 * schema. -EINVAL with diagnostics or an error. */
int mesh_options_config(const struct mesh_options *options, const struct adapter_entry *entry,
                        struct diagnostics *diagnostics, json_t **ret_config, struct error **err);

/* Whether the adapter declares each --endpoint, and each --endpoint-token-file is for one of these; -ENOENT with those
 * it does, -EINVAL. */
int mesh_options_check_endpoints(const struct mesh_options *options, const struct adapter_entry *entry,
                                 struct error **err);

/* Whether the adapter declares each --program; with `all`, also whether each that it declares was given. -ENOENT with
 * those it declares, -EINVAL with the one that is missing. */
int mesh_options_check_programs(const struct mesh_options *options, const struct adapter_entry *entry, bool all,
                                struct error **err);

/* Whether the adapter declares the endpoint of "NAME" or "NAME=…". */
bool mesh_options_declares(const struct adapter_entry *entry, const char *endpoint);

/* Tells the engine where the mesh is: each --endpoint that its adapter declares, and its token. */
int mesh_options_endpoints(const struct mesh_options *options, struct engine *engine, struct error **err);

/* The same with the cluster, when options choose one, and each --program. */
int mesh_options_address(const struct mesh_options *options, struct engine *engine, struct error **err);

#endif
