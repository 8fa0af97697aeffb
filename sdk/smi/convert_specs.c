#include "sdk/smi/conversion.h"
#include "sdk/smi/port.h"

static void write_match(struct conversion *conversion, json_t *list, const struct smi_http_match *match) {
  json_t *object = conversion_item(conversion, list);
  json_t *headers;

  conversion_text(conversion, object, "name", match->name);
  if (match->path_regex)
    conversion_text(conversion, object, "pathRegex", match->path_regex);
  conversion_texts(conversion, object, "methods", match->methods, match->method_count);
  /* The CustomResourceDefinition's form, a list of maps, is what clusters take. */
  headers = match->header_count > 0 ? conversion_list(conversion, object, "headers") : NULL;
  for (size_t i = 0; i < match->header_count; i++)
    conversion_text(conversion, conversion_item(conversion, headers), match->headers[i].name, match->headers[i].regex);
}

void convert_route_groups(struct conversion *conversion) {
  struct smi_version version = conversion->versions.specs;

  for (size_t i = 0; i < conversion->set->route_group_count; i++) {
    const struct smi_http_route_group *group = &conversion->set->route_groups[i];
    json_t *list = conversion_list(conversion, conversion_resource(conversion, &group->meta, version), "matches");

    for (size_t j = 0; j < group->match_count; j++) {
      if (version.alpha < 2 && group->matches[j].header_count > 0)
        conversion_refuse(
            conversion, &group->meta, "SMI-0105", conversion_pointer(conversion, "/matches/%zu/headers", j),
            "convert to specs/v1alpha2 or newer", "specs v1alpha1 has no headers (match %s)", group->matches[j].name);
      write_match(conversion, list, &group->matches[j]);
    }
  }
}

/* Written as the `port` of its target, which must be there and be written in a version that has it. */
static bool folded(const struct conversion *conversion, const struct smi_meta *meta) {
  const char *target = meta->synthesised ? smi_port_of(meta) : NULL;

  return target && conversion->versions.access.alpha < 3 &&
         smi_index_get(&conversion->resources, SMI_TRAFFIC_TARGET, meta->ns, target);
}

static void convert_port_route(struct conversion *conversion, const struct smi_port_route *route) {
  struct smi_version version = conversion->versions.specs;
  json_t *body, *ports;

  if (version.alpha < 4 && route->meta.kind == SMI_UDP_ROUTE) {
    conversion_refuse(conversion, &route->meta, "SMI-0103", NULL, "convert to specs/v1alpha4",
                      "specs v1alpha%u has no UDPRoute", version.alpha);
    return;
  }
  if (version.alpha < 4 && route->port_count > 0) {
    conversion_refuse(conversion, &route->meta, "SMI-0104", "/spec/matches/ports", "convert to specs/v1alpha4",
                      "a TCPRoute of specs v1alpha%u has no ports and would allow them all", version.alpha);
    return;
  }
  body = conversion_resource(conversion, &route->meta, version);
  if (version.alpha < 4)
    return;
  ports = conversion_list(conversion, conversion_map(conversion, body, "matches"), "ports");
  for (size_t i = 0; i < route->port_count; i++)
    conversion_append(conversion, ports, json_integer(route->ports[i]));
}

void convert_port_routes(struct conversion *conversion) {
  for (size_t i = 0; i < conversion->set->port_route_count; i++)
    if (!folded(conversion, &conversion->set->port_routes[i].meta))
      convert_port_route(conversion, &conversion->set->port_routes[i]);
}
