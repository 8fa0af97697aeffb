/* The options that say where workloads live. */
#ifndef TRAMMEL_HOST_CLI_LAB_OPTIONS_H
#define TRAMMEL_HOST_CLI_LAB_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "trammel/adapter/v1/adapter.pb-c.h"

/* The image of this version's trammel-workload, as packaging/images makes it. */
#define LAB_IMAGE_DEFAULT "trammel.local/trammel-workload:" TRAMMEL_VERSION

struct lab_options {
  bool kubernetes;
  const char *image; /* of the workload, on Kubernetes */
  bool changed;      /* either option was given */
};

/* --lab KIND and --workload-image IMAGE: a child argp; its input is a struct lab_options. */
extern const struct argp lab_options_argp;

Trammel__Adapter__V1__LabKind lab_options_kind(const struct lab_options *options);

#endif
