/* Where Trammel's own programs are. */
#ifndef TRAMMEL_HOST_ADAPTER_PROGRAM_H
#define TRAMMEL_HOST_ADAPTER_PROGRAM_H

#include "sdk/base/error.h"

/* The directory of the running program, without a slash at its end: a heap string. */
int program_directory(char **ret_path, struct error **err);

/* The absolute path of the program `name`: beside the running program, then in ../bin, then in ../lib/trammel; never in
 * PATH or the working directory. A heap string. -EINVAL: `name` is empty or holds a slash. -ENOENT: not there; the
 * message lists where it was looked for. Any thread. */
int program_path(const char *name, char **ret_path, struct error **err);

#endif
