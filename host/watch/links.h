/* What a resource of SMI hangs together with, as numbers: hashes of names. That two names have the same hash only means
 * that more is translated at a time. */
#ifndef TRAMMEL_HOST_WATCH_LINKS_H
#define TRAMMEL_HOST_WATCH_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"
#include "sdk/smi/model.h"

struct links {
  /* Cells: of a TrafficTarget its destination, of a TrafficSplit its root and its backends. */
  uint64_t *cells;
  size_t cell_count, cell_capacity;
  /* Resources that it refers to: those that have one of these as their own. */
  uint64_t *uses;
  size_t use_count, use_capacity;
};
void links_finish(struct links *links);

uint64_t links_account(const char *ns, const char *name);
uint64_t links_service(const char *ns, const char *name);
/* "Kind/namespace/name" */
uint64_t links_resource(const char *key);

/* Reads a resource of SMI. -EINVAL when it is none that can be translated, with the first thing that is wrong with it;
 * -ENOMEM. */
int links_read(const char *text, struct links *ret_links, struct error **err);

#endif
