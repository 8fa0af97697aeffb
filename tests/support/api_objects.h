/* Objects on a test's API server (api_server.h), and the CustomResourceDefinitions of meshes. Everything fails the test
 * where it cannot be done. */
#ifndef TRAMMEL_TESTS_SUPPORT_API_OBJECTS_H
#define TRAMMEL_TESTS_SUPPORT_API_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/api_server.h"

/* Where the server has this object, by its apiVersion, kind and metadata: a heap string. NULL when it does not serve
 * that kind in that version. */
char *api_object_path(struct api_server *server, const json_t *object);

/* Server-side apply to that path, as the field manager "test", taking fields over that others have; with `dry_run`
 * nothing is kept. */
void api_object_apply(struct api_server *server, const char *path, const json_t *object, bool dry_run,
                      struct api_answer *ret_answer);

/* Makes a namespace unless it is there. */
void api_namespace_create(struct api_server *server, const char *name);

/* The folder crds/NAME of the test data of third parties, in $TRAMMEL_SHARED_DIR or in ../shared beside the source
 * tree: a heap string; NULL when it is not there. */
char *crds_directory(const char *name);

/* Makes the definitions in the YAML files of a folder, and waits until all of them are served. How many there are. */
size_t crds_install(struct api_server *server, const char *directory);

/* Removes them, with all objects of their kinds, and waits until they are gone. */
void crds_remove(struct api_server *server, const char *directory);

#endif
