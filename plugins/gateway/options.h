/* The adapter's configuration. */
#ifndef TRAMMEL_PLUGINS_GATEWAY_OPTIONS_H
#define TRAMMEL_PLUGINS_GATEWAY_OPTIONS_H

#include "sdk/adapter/translation.h"

struct gateway_options {
  enum coverage_level regex; /* what a RegularExpression counts as; COVERAGE_UNSUPPORTED: none is written */
  const char *tcp_version;   /* apiVersion of TCPRoutes */
};

extern const char gateway_config_schema[];

struct gateway_options gateway_options(const struct call *call);

#endif
