/* Where the programs of others are that an adapter may have started: the operator says so, and no other is started.
 * Private to the engine. Before any other use of the engine; then read by any thread. */
#ifndef TRAMMEL_HOST_ENGINE_PROGRAMS_H
#define TRAMMEL_HOST_ENGINE_PROGRAMS_H

#include <stdbool.h>

#include "sdk/base/error.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

struct programs {
  const Trammel__Adapter__V1__DescribeResponse *description;
  char **paths; /* as in the description; NULL: not said */
};

/* `description` is borrowed. 0 or -ENOMEM. */
int programs_init(struct programs *programs, const Trammel__Adapter__V1__DescribeResponse *description,
                  struct error **err);
void programs_finish(struct programs *programs);

/* Says where one is; copied, as an absolute path. -ENOENT when the adapter declares none of this name or there is
 * nothing, -EACCES when it is no program. */
int programs_set(struct programs *programs, const char *name, const char *path, struct error **err);

/* Where a program is; `*ret_path` NULL: it is none of the adapter's, but one of Trammel's own. Borrowed. -ENOENT when
 * the operator did not say. */
int programs_find(const struct programs *programs, const char *name, const char **ret_path, struct error **err);

#endif
