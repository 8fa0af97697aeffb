/* Which function a method and path of HTTP lead to, and who may go there. */
#ifndef TRAMMEL_HOST_REST_ROUTE_H
#define TRAMMEL_HOST_REST_ROUTE_H

#include "host/auth/role.h"
#include "host/rest/answer.h"
#include "host/rpc/service.h"

#define PATH_PART_MAX 128 /* bytes of what stands for {…} */

struct request {
  const struct service *host;
  char part[PATH_PART_MAX + 1]; /* what stood for {…} in the path; "" */
  const char *body;
  size_t length;
  /* The value of a parameter of the query, or NULL. Borrowed. */
  const char *(*parameter)(void *ctx, const char *name);
  void *ctx;
};

struct route {
  const char *method;
  const char *path; /* "/v1/runs/{id}/report": at most one part in braces */
  enum role role;   /* the least that its caller has to have */
  struct answer (*serve)(struct request *request);
};

/* All of them; the last has no path. */
extern const struct route routes[];

/* The route of a method and path, with what stands for {…}. NULL: there is none; `*ret_path_known` is whether the path
 * has other methods. */
const struct route *route_find(const char *method, const char *path, char ret_part[PATH_PART_MAX + 1],
                               bool *ret_path_known);

struct answer serve_runs(struct request *request), serve_start(struct request *request),
    serve_run(struct request *request), serve_cancel(struct request *request), serve_events(struct request *request),
    serve_report(struct request *request), serve_badge(struct request *request);
struct answer serve_adapters(struct request *request), serve_live(struct request *request),
    serve_ready(struct request *request), serve_metrics(struct request *request),
    serve_description(struct request *request);

#endif
