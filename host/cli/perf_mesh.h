/* `trammel perf run --mesh NAME`: what a mesh adds, by pairs of runs in a process lab: direct, and through it. */
#ifndef TRAMMEL_HOST_CLI_PERF_MESH_H
#define TRAMMEL_HOST_CLI_PERF_MESH_H

#include "host/cli/load_arguments.h"
#include "host/cli/mesh_options.h"
#include "host/cli/perf_series.h"

struct perf_mesh {
  struct mesh_options mesh;
  bool lab; /* --lab was given */
};

/* A child argp; its input is a struct perf_mesh. */
extern const struct argp perf_mesh_argp;

bool perf_mesh_wanted(const struct perf_mesh *options);
/* An option of it that was given, with its dashes, beside that which chooses the mesh; NULL: none. */
const char *perf_mesh_first(const struct perf_mesh *options);
/* Stands for the URL of a load until the lab has one. */
#define PERF_MESH_URL "http://mesh.invalid/"

/* Sets the lab up, makes the pairs of runs, prints them, takes the lab away; the exit code. */
int perf_mesh_run(const struct perf_mesh *options, const struct perf_series *series, struct load_arguments *load,
                  bool json, struct error **err);
void perf_mesh_finish(struct perf_mesh *options);

#endif
