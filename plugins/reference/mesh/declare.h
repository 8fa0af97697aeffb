/* Reads the control API's bodies into the model. Everything is checked: types, ranges, limits, unknown members. */
#ifndef TRAMMEL_REFERENCE_MESH_DECLARE_H
#define TRAMMEL_REFERENCE_MESH_DECLARE_H

#include <jansson.h>

#include "plugins/reference/mesh/model.h"
#include "sdk/base/strbuf.h"

/* What is wrong with a body, and where (RFC 6901 pointer). */
struct problem {
  struct strbuf text;
  struct strbuf pointer;
};

void problem_finish(struct problem *problem);
#define _cleanup_problem_ _cleanup_(problem_finish)

/* 0, -EINVAL with `*problem` set, or -ENOMEM. */
int declare_permission(const json_t *body, struct permission **ret_permission, struct problem *problem);
int declare_split(const json_t *body, struct split **ret_split, struct problem *problem);
int declare_service(const json_t *body, struct service **ret_service, struct problem *problem);
/* With `loopback`, all its addresses have to be of 127.0.0.0/8. */
int declare_workload(const json_t *body, bool loopback, struct workload_spec **ret_spec, struct problem *problem);
int declare_enforcement(const json_t *body, struct problem *problem);

/* Whether `name` may name a namespace or an object: letters, digits, '-', '.', '_', at most `limit` bytes. */
bool name_is_valid(const char *name, size_t limit);

#endif
