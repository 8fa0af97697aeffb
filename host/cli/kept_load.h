/* Profiles and results of load as a command line names them: a file, or what is kept under the state directory. */
#ifndef TRAMMEL_HOST_CLI_KEPT_LOAD_H
#define TRAMMEL_HOST_CLI_KEPT_LOAD_H

#include <jansson.h>

#include "sdk/base/error.h"

/* The path of a file that is there (no directory), of what has a '/' in it, and of "-"; else of a saved profile (NAME,
 * NAME@VERSION) or a kept result (its id). A heap string. -ENOENT when there is neither. */
int kept_load_path(const char *what, char **ret_path, struct error **err);

/* Whether a result could be kept: to be asked before a load whose result is to be. */
int kept_load_prepare(struct error **err);
/* Keeps a result, which it takes (NULL: no memory), and says its id on standard error. */
int kept_load_keep(json_t *result, struct error **err);

#endif
