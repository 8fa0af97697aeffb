/* Matches of HTTPRouteGroups as matches of HTTPRoutes. */
#ifndef TRAMMEL_PLUGINS_LINKERD_HTTP_MATCH_H
#define TRAMMEL_PLUGINS_LINKERD_HTTP_MATCH_H

#include "plugins/linkerd/path.h"
#include "sdk/adapter/call.h"
#include "sdk/adapter/coverage.h"

/* Bounds of the CRDs, of both API groups. */
#define HEADERS_MAX 16u
#define HEADER_NAME_MAX 256u
#define HEADER_VALUE_MAX 4096u

struct header_match {
  const char *name;    /* in lower case */
  const char *regex;   /* as written; full match */
  const char *literal; /* when it is that and nothing else; NULL */
};

/* What all requests of a match have; a method each: see http_match_methods. */
struct http_match {
  struct path path;
  const struct header_match *headers; /* sorted by name, each name once */
  size_t header_count;
  const char *const *methods; /* none: any */
  size_t method_count;
};

/* Reads a match. COVERAGE_EXACT, or COVERAGE_UNSUPPORTED with code and reason in `*ret_why`. */
enum coverage_level http_match_read(struct call *call, const struct smi_http_match *smi, struct http_match *ret_match,
                                    struct coverage *ret_why);

/* One match of an HTTPRoute. `path` is a regular expression; NULL: any path. `method` NULL: any. A new reference; NULL
 * without memory. */
json_t *http_match_json(const char *path, const char *method, const struct header_match *headers, size_t header_count);

#endif
