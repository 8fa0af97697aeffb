/* Metrics, as the Envoys of clients have them for the services that they call: Consul has its names for both ends put
 * into their labels. */
#include <string.h>

#include "plugins/consul/name.h"
#include "sdk/base/strbuf.h"
#include "sdk/prometheus/traffic.h"

static const struct traffic_series requests = {
    .counter = "envoy_cluster_upstream_rq_xx",
    .success = "envoy_response_code_class!=\"5\"",
    .failure = "envoy_response_code_class=\"5\"",
    .buckets = "envoy_cluster_upstream_rq_time_bucket",
    .unit_ns = 1000000,
};

#define NO_SERVICE "Consul knows services, and neither pods nor what made them"

/* `namespace` is the label of Consul Enterprise's namespace; NULL: there are none. */
#define VIEWS(destination_namespace, source_namespace)                                                                 \
  {.kind = "Service",                                                                                                  \
   .matchers = "",                                                                                                     \
   .resource = {"consul_destination_service", destination_namespace},                                                  \
   .series = &requests},                                                                                               \
      {.kind = "Service",                                                                                              \
       .edges = true,                                                                                                  \
       .direction = EDGE_FROM,                                                                                         \
       .side = EDGE_CLIENT,                                                                                            \
       .peer_kind = "Service",                                                                                         \
       .matchers = "",                                                                                                 \
       .resource = {"consul_destination_service", destination_namespace},                                              \
       .peer = {"consul_source_service", source_namespace},                                                            \
       .series = &requests},                                                                                           \
      {.kind = "Service",                                                                                              \
       .edges = true,                                                                                                  \
       .direction = EDGE_TO,                                                                                           \
       .side = EDGE_CLIENT,                                                                                            \
       .peer_kind = "Service",                                                                                         \
       .matchers = "",                                                                                                 \
       .resource = {"consul_source_service", source_namespace},                                                        \
       .peer = {"consul_destination_service", destination_namespace},                                                  \
       .series = &requests},                                                                                           \
      {.kind = "Pod", .untold = NO_SERVICE}, {.kind = "Pod", .edges = true, .untold = NO_SERVICE},                     \
      {.kind = "Deployment", .untold = NO_SERVICE}, {.kind = "Deployment", .edges = true, .untold = NO_SERVICE}, {     \
    .kind = "TrafficSplit", .untold = "no series tells the weights that a split had; ask for its services"             \
  }

static const struct traffic_view plain_views[] = {
    VIEWS(NULL, NULL),
    {.kind = "Namespace", .untold = "without Consul Enterprise there are none"},
};
static const struct traffic_view enterprise_views[] = {
    VIEWS("consul_destination_namespace", "consul_source_namespace"),
    {.kind = "Namespace", .matchers = "", .resource = {"consul_destination_namespace", NULL}, .series = &requests},
};

/* One service, or each of its ports that may be one by itself. False, and the call marked, without memory. */
static bool find_names(struct call *call, const struct consul_config *config, const struct metrics_resource *resource,
                       struct traffic_names *ret_names) {
  _cleanup_strbuf_ struct strbuf pattern = STRBUF_INIT;
  *ret_names = (struct traffic_names){0};
  if (!*resource->name || strcmp(resource->kind, "Service") != 0)
    return true;
  ret_names->name = service_name(call, config, resource->ns, resource->name);
  if (!config->each_port)
    return *ret_names->name != '\0';
  for (const char *at = ret_names->name; *at; at++)
    strbuf_printf(&pattern, "%s%c", *at == '.' ? "\\" : "", *at); /* the others stand for themselves */
  strbuf_printf(&pattern, "(%c[0-9]{1,5})?", config->qualified ? '_' : '-');
  ret_names->pattern = strbuf_failed(&pattern) ? NULL : arena_strdup(call_arena(call), strbuf_text(&pattern));
  if (!ret_names->pattern)
    call_out_of_memory(call);
  return ret_names->pattern;
}

int consul_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics) {
  struct consul_config config;
  struct traffic_names names;
  const struct metrics_resource *resource = &request->resource;
  consul_config_read(call, &config);
  if (!find_names(call, &config, resource, &names))
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (config.namespaces)
    return traffic_metrics(call, enterprise_views, sizeof enterprise_views / sizeof enterprise_views[0], request,
                           &names, metrics);
  /* Which namespace one of Consul's services is of, nothing tells: all of them would be taken for the asked one's. */
  if (!*resource->name && strcmp(resource->kind, "Service") == 0)
    return call_fail(call, TRAMMEL_UNIMPLEMENTED, CODE_TRAFFIC_UNTOLD,
                     "no metrics of all services of a namespace: without Consul Enterprise no series tells it; name "
                     "the service");
  return traffic_metrics(call, plain_views, sizeof plain_views / sizeof plain_views[0], request, &names, metrics);
}
