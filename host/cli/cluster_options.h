/* The options that choose a Kubernetes cluster. */
#ifndef TRAMMEL_HOST_CLI_CLUSTER_OPTIONS_H
#define TRAMMEL_HOST_CLI_CLUSTER_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "host/engine/cluster.h"

/* --kubeconfig FILE and --context NAME: a child argp; its input is a struct cluster_options (host/engine/cluster.h). */
extern const struct argp cluster_options_argp;

/* Whether either was given. */
bool cluster_options_given(const struct cluster_options *options);

#endif
