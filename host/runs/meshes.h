/* Which adapter a run is of: a mesh can be spelled in more than one way. */
#ifndef TRAMMEL_HOST_RUNS_MESHES_H
#define TRAMMEL_HOST_RUNS_MESHES_H

#include "sdk/base/error.h"

/* The id of the adapter that `trammel` takes for --mesh=SPELLING, and without for ""; the spelling itself when it takes
 * none, which the run itself will say. Heap. Asks a process of `program`. */
int mesh_adapter(const char *program, const char *state_directory, const char *spelling, char **ret_id,
                 struct error **err);

#endif
