/* The http:// URLs that /call is given. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_URL_H
#define TRAMMEL_HOST_LAB_WORKLOAD_URL_H

#include <stdint.h>

#include "sdk/base/error.h"

#define URL_MAX 8192

struct url {
  char host[256];
  char authority[272]; /* as a Host header has it */
  uint16_t port;
  const char *path; /* with the query; within the text that was parsed, or "/" */
};

/* -EINVAL with a reason. */
int url_parse(const char *text, struct url *ret_url, struct error **err);

#endif
