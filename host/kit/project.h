/* A new project for an adapter outside of the tree: sources, tests that pass, and a README. */
#ifndef TRAMMEL_HOST_KIT_PROJECT_H
#define TRAMMEL_HOST_KIT_PROJECT_H

#include "sdk/base/error.h"

/* Bytes of an adapter's id, which trammel_note has room for. */
#define PROJECT_NAME_MAX 39

/* 0 when `name` may be an adapter's id and its project's name: a letter, then letters, digits and inner dashes, all
 * lower-case. -EINVAL with what was expected. */
int project_check_name(const char *name, struct error **err);

/* Writes the project into `directory`/`name`, which is made, or is there and empty. `version` is that of Trammel. The
 * heap string `*ret_path` is where it is. -EEXIST: there is something; on any error what was made is taken away again.
 */
int project_create(const char *directory, const char *name, const char *version, char **ret_path, struct error **err);

#endif
