#include "host/rest/route.h"

#include <string.h>

const struct route routes[] = {
    {"GET", "/v1/runs", ROLE_VIEWER, serve_runs},
    {"POST", "/v1/runs", ROLE_OPERATOR, serve_start},
    {"GET", "/v1/runs/{id}", ROLE_VIEWER, serve_run},
    {"POST", "/v1/runs/{id}/cancel", ROLE_OPERATOR, serve_cancel},
    {"GET", "/v1/runs/{id}/events", ROLE_VIEWER, serve_events},
    {"GET", "/v1/runs/{id}/report", ROLE_VIEWER, serve_report},
    {"GET", "/v1/meshes/{mesh}/badge.svg", ROLE_VIEWER, serve_badge},
    {"GET", "/v1/adapters", ROLE_VIEWER, serve_adapters},
    {"GET", "/openapi.json", ROLE_NONE, serve_description},
    {"GET", "/livez", ROLE_NONE, serve_live},
    {"GET", "/readyz", ROLE_NONE, serve_ready},
    {"GET", "/metrics", ROLE_VIEWER, serve_metrics},
    {0},
};

/* Whether a path is of a pattern; `part` is what stands for its braces. */
static bool matches(const char *pattern, const char *path, char part[PATH_PART_MAX + 1]) {
  const char *open = strchr(pattern, '{');
  part[0] = '\0';
  if (!open)
    return strcmp(pattern, path) == 0;
  size_t before = (size_t)(open - pattern);
  const char *after = strchr(open, '}') + 1;
  size_t length = strncmp(pattern, path, before) == 0 ? strcspn(path + before, "/") : 0;
  if (length == 0 || length > PATH_PART_MAX || strcmp(path + before + length, after) != 0)
    return false;
  (void)memcpy(part, path + before, length);
  part[length] = '\0';
  return true;
}

const struct route *route_find(const char *method, const char *path, char ret_part[PATH_PART_MAX + 1],
                               bool *ret_path_known) {
  *ret_path_known = false;
  for (const struct route *route = routes; route->path; route++) {
    if (!matches(route->path, path, ret_part))
      continue;
    *ret_path_known = true;
    if (strcmp(route->method, method) == 0)
      return route;
  }
  return NULL;
}
