/* A mesh's control API for tests: keeps what is PUT, and logs what was asked of it. */
#ifndef TRAMMEL_TESTS_FAKE_MESH_H
#define TRAMMEL_TESTS_FAKE_MESH_H

#include "tests/integration/engine/http_server.h"

struct fake_mesh;

struct fake_mesh *fake_mesh_start(void);
void fake_mesh_stop(struct fake_mesh *mesh);
const char *fake_mesh_url(const struct fake_mesh *mesh);

/* Answers requests for `path` with `status` and `body` from now on; a NULL path ends that. Both borrowed. */
void fake_mesh_refuse(struct fake_mesh *mesh, const char *path, int status, const char *body);
/* Answers the next `count` requests of any kind with 503. */
void fake_mesh_start_slowly(struct fake_mesh *mesh, unsigned count);

/* "PUT /v1/a\nDELETE /v1/b\n": the changes asked for since the last call. A heap string. */
char *fake_mesh_log(struct fake_mesh *mesh);
size_t fake_mesh_count(struct fake_mesh *mesh);

#endif
