/* The host services of an adapter in this process: log, and HTTP with the permissions that its description declares. */
#ifndef TRAMMEL_HOST_ADAPTER_SERVICES_H
#define TRAMMEL_HOST_ADAPTER_SERVICES_H

#include "trammel/abi.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* A line for the log of adapter_log_to(), cut where it is too long, with spaces for control characters. Any thread. */
void services_log(const char *adapter, uint32_t level, const char *line, size_t length);

/* The status of an HTTP request that failed with a negative errno. */
int http_status_of_errno(int error);

/* trammel_host.get of an inprocess placement. */
const void *services_get(const trammel_host *host, const char *service_id);

/* 0 for an absolute path that means one thing to every server; -EINVAL with a reason for dot segments, encoded dots and
 * slashes, control characters. The query is not looked at. */
int path_check(const char *path, const char **ret_reason);

/* 0 when the description lets the adapter send `method` to `path` of `endpoint`; -EACCES with a reason otherwise, also
 * for a path that path_check refuses. */
int permission_check(const Trammel__Adapter__V1__DescribeResponse *description, const char *endpoint,
                     const char *method, const char *path, const char **ret_reason);

#endif
