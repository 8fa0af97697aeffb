#include "plugins/gateway/options.h"

#include <string.h>

const char gateway_config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"regular_expressions\":{\"type\":\"string\",\"default\":\"approximate\","
    "\"enum\":[\"approximate\",\"exact\",\"refuse\"],"
    "\"description\":\"Paths and headers by RegularExpression, which implementations need not support: approximate "
    "writes "
    "them and says so, exact writes them for an implementation that is known to match RE2 syntax against the whole "
    "value, refuse leaves them out\"},"
    "\"tcp_version\":{\"type\":\"string\",\"default\":\"v1\",\"enum\":[\"v1\",\"v1alpha2\"],"
    "\"description\":\"Version of TCPRoutes to write: v1 from Gateway API 1.6 on, v1alpha2 before\"}"
    "}}";

static bool is(const struct call *call, const char *key, const char *value) {
  const char *text = json_string_value(json_object_get(call_config(call), key));
  return text && strcmp(text, value) == 0;
}

struct gateway_options gateway_options(const struct call *call) {
  struct gateway_options options = {.regex = COVERAGE_APPROXIMATED, .tcp_version = "gateway.networking.k8s.io/v1"};
  if (is(call, "regular_expressions", "exact"))
    options.regex = COVERAGE_EXACT;
  else if (is(call, "regular_expressions", "refuse"))
    options.regex = COVERAGE_UNSUPPORTED;
  if (is(call, "tcp_version", "v1alpha2"))
    options.tcp_version = "gateway.networking.k8s.io/v1alpha2";
  return options;
}
