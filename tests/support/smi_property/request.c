#include "tests/support/smi_property/request.h"

#include <string.h>
#include <strings.h>

#include "tests/support/smi_property/samples.h"
#include "tests/support/smi_property/world_parts.h"

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
static const char *const header_names[] = {"X-USER", "x-env", "x-role", "x-other"};

enum { HEADERS = 4 };

const char *request_header(const struct request_http *http, const char *name) {
  for (size_t i = 0; i < http->header_count; i++)
    if (strcasecmp(http->headers[i].name, name) == 0)
      return http->headers[i].value;
  return NULL;
}

static void add_header(struct request_http *http, struct request_header *headers, const char *name, const char *value) {
  if (!request_header(http, name) && http->header_count < HEADERS)
    headers[http->header_count++] = (struct request_header){name, value};
}

/* `match` NULL: anything. */
static void draw_http(struct world *world, const struct smi_http_match *match, struct request_http *ret_http) {
  struct random *random = &world->random;
  struct request_header *headers = world_array(world, HEADERS, sizeof *headers);
  struct request_http http = {.method = random_item(random, methods), .headers = headers};
  http.path = sample_path(random, match ? match->path_regex : NULL);
  if (match && match->method_count && random_chance(random, 3, 4))
    http.method = match->methods[random_below(random, match->method_count)];
  if (strcmp(http.method, "*") == 0)
    http.method = random_item(random, methods);
  for (size_t i = 0; match && i < match->header_count; i++)
    if (random_chance(random, 7, 8))
      add_header(&http, headers, match->headers[i].name, sample_header(random, match->headers[i].regex));
  if (random_chance(random, 1, 4))
    add_header(&http, headers, random_item(random, header_names), sample_header(random, NULL));
  *ret_http = http;
}

static const struct inventory_workload *workload_of(struct world *world, const char *ns, const char *account) {
  const struct inventory *inventory = &world->inventory;
  const struct inventory_workload *found = NULL;
  size_t seen = 0;
  for (size_t i = 0; i < inventory->workload_count; i++) {
    const struct inventory_workload *w = &inventory->workloads[i];
    if (strcmp(w->ns, ns) == 0 && strcmp(w->service_account, account) == 0 && random_below(&world->random, ++seen) == 0)
      found = w;
  }
  return found;
}

static const struct inventory_port *port_of(struct world *world, const struct inventory_workload *workload,
                                            enum port_protocol protocol) {
  const struct inventory_port *found = NULL;
  size_t seen = 0;
  for (size_t i = 0; i < workload->port_count; i++)
    if (workload->ports[i].protocol == protocol && random_below(&world->random, ++seen) == 0)
      found = &workload->ports[i];
  return found;
}

static void draw_source(struct world *world, const struct smi_traffic_target *target, struct request *request) {
  struct random *random = &world->random;
  const bool listed = target && target->source_count && random_chance(random, 7, 8);
  const struct smi_subject *source = listed ? &target->sources[random_below(random, target->source_count)] : NULL;
  request->source_ns = source ? source->ns : random_item(random, world_namespaces);
  request->source_account = source ? source->name : random_item(random, world_accounts);
  if (source && random_chance(random, 1, 8)) /* of that name, elsewhere */
    request->source_ns = random_item(random, world_namespaces);
}

static const struct smi_http_match *match_of(struct world *world, const struct smi_http_route_group *group) {
  return group && group->match_count ? &group->matches[random_below(&world->random, group->match_count)] : NULL;
}

/* What one of the target's rules speaks of. */
static enum port_protocol draw_protocol(struct world *world, const struct smi_traffic_target *target,
                                        const struct smi_http_match **ret_match) {
  static const enum port_protocol any[] = {PORT_HTTP, PORT_HTTP, PORT_TCP, PORT_UDP};
  struct random *random = &world->random;
  *ret_match = NULL;
  if (!target || target->rule_count == 0 || random_chance(random, 1, 10))
    return random_item(random, any);
  const struct smi_rule *rule = &target->rules[random_below(random, target->rule_count)];
  if (rule->kind == SMI_UDP_ROUTE)
    return PORT_UDP;
  if (rule->kind == SMI_TCP_ROUTE)
    return random_chance(random, 1, 2) ? PORT_TCP : PORT_HTTP;
  *ret_match = match_of(world, smi_find_route_group(&world->set, target->meta.ns, rule->name));
  return PORT_HTTP;
}

bool request_draw(struct world *world, struct request *ret_request) {
  struct random *random = &world->random;
  const struct inventory *inventory = &world->inventory;
  if (inventory->workload_count == 0)
    return false;
  const struct smi_traffic_target *target = NULL;
  if (world->set.target_count && random_chance(random, 3, 4))
    target = &world->set.targets[random_below(random, world->set.target_count)];
  struct request request = {0};
  if (target)
    request.destination = workload_of(world, target->destination.ns, target->destination.name);
  if (!request.destination)
    request.destination = &inventory->workloads[random_below(random, inventory->workload_count)];
  draw_source(world, target, &request);
  const struct smi_http_match *match = NULL;
  const struct inventory_port *port = port_of(world, request.destination, draw_protocol(world, target, &match));
  if (!port)
    port = port_of(world, request.destination, PORT_HTTP); /* every workload has one */
  if (!port)
    return false;
  request.port = port->port;
  request.protocol = port->protocol;
  if (port->protocol == PORT_HTTP)
    draw_http(world, match, &request.http);
  *ret_request = request;
  return true;
}

static const struct inventory_service *root_of(const struct world *world, const struct smi_traffic_split *split) {
  const struct inventory *inventory = &world->inventory;
  for (size_t i = 0; i < inventory->service_count; i++)
    if (strcmp(inventory->services[i].ns, split->meta.ns) == 0 &&
        strcmp(inventory->services[i].name, split->service) == 0)
      return &inventory->services[i];
  return NULL;
}

bool outbound_request_draw(struct world *world, struct outbound_request *ret_request) {
  struct random *random = &world->random;
  const struct inventory *inventory = &world->inventory;
  const struct smi_traffic_split *split = NULL;
  if (world->set.split_count && random_chance(random, 7, 8))
    split = &world->set.splits[random_below(random, world->set.split_count)];
  const struct inventory_service *service = split ? root_of(world, split) : NULL;
  if (!service && inventory->service_count)
    service = &inventory->services[random_below(random, inventory->service_count)];
  if (!service)
    return false;
  struct outbound_request request = {.service = service,
                                     .port = &service->ports[random_below(random, service->port_count)]};
  const struct smi_http_match *match = NULL;
  if (split && split->match_count) {
    const char *group = split->matches[random_below(random, split->match_count)];
    match = match_of(world, smi_find_route_group(&world->set, split->meta.ns, group));
  }
  if (request.port->protocol == PORT_HTTP)
    draw_http(world, match, &request.http);
  *ret_request = request;
  return true;
}

static void print_http(const struct request_http *http, FILE *to) {
  (void)fprintf(to, " %s %s", http->method, http->path);
  for (size_t i = 0; i < http->header_count; i++)
    (void)fprintf(to, " [%s: %s]", http->headers[i].name, http->headers[i].value);
}

void request_print(const struct request *request, FILE *to) {
  (void)fprintf(to, "from account %s/%s to workload %s/%s, its port %u/%s:", request->source_ns,
                request->source_account, request->destination->ns, request->destination->name, request->port,
                port_protocol_name(request->protocol));
  if (request->protocol == PORT_HTTP)
    print_http(&request->http, to);
  (void)fputs("\n", to);
}

void outbound_request_print(const struct outbound_request *request, FILE *to) {
  (void)fprintf(to, "to service %s/%s, its port %u/%s:", request->service->ns, request->service->name,
                request->port->port, port_protocol_name(request->port->protocol));
  if (request->port->protocol == PORT_HTTP)
    print_http(&request->http, to);
  (void)fputs("\n", to);
}
