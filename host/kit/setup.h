/* What the translations of one folder are made for: its setup.yaml. Every key may be left out, and the file may be
 * absent:
 *
 *   topology: {workloads: […], services: […]}   # who there is, as in the cases of the suite (docs/cases.md)
 *   deny_by_default: [main]                     # namespaces whose workloads take only what TrafficTargets allow
 *   config: {…}                                 # of the adapter */
#ifndef TRAMMEL_HOST_KIT_SETUP_H
#define TRAMMEL_HOST_KIT_SETUP_H

#include <jansson.h>

#include "sdk/base/diagnostic.h"
#include "sdk/base/error.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define SETUP_FILE "setup.yaml"
#define SETUP_BYTES_MAX (1u << 20)
#define SETUP_NAMESPACES_MAX 64

struct setup {
  Trammel__Adapter__V1__Inventory *inventory; /* in the arena */
  char **deny_by_default;                     /* in the arena */
  size_t deny_count;
  json_t *config; /* an object */
};

/* Reads `directory`/setup.yaml into `arena`. 0; -EINVAL with diagnostics or an error; -errno. */
struct arena;
int setup_read(struct arena *arena, const char *directory, struct diagnostics *diagnostics, struct setup *ret_setup,
               struct error **err);
void setup_finish(struct setup *setup);

#endif
