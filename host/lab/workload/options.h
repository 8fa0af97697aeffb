/* The command line. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_OPTIONS_H
#define TRAMMEL_HOST_LAB_WORKLOAD_OPTIONS_H

#include <stdbool.h>

#include "host/lab/workload/server.h"

struct options {
  const char *name;
  struct endpoint control;
  struct {
    enum call_protocol protocol;
    struct endpoint endpoint;
  } listeners[SERVER_LISTENERS_MAX];
  size_t listener_count;
  bool help;
  bool version;
};

extern const char options_usage[];

/* -EINVAL with a reason. */
int options_parse(int argc, char **argv, struct options *ret_options, struct error **err);

#endif
