#include "sdk/smi/port.h"

#include <errno.h>
#include <string.h>

#include "sdk/smi/reader.h"

#define PORT_OF "trammel/port-of"
#define STANDS_FOR "trammel/stands-for"

/* Of a long target name this much goes into the route's name, which is at most 253 bytes. */
#define NAME_KEPT 200

static const char *annotation(const struct smi_meta *meta, const char *name) {
  for (size_t i = 0; i < meta->annotation_count; i++)
    if (meta->annotations[i].name && strcmp(meta->annotations[i].name, name) == 0)
      return meta->annotations[i].value;
  return NULL;
}

const char *smi_port_of(const struct smi_meta *route) {
  return annotation(route, PORT_OF);
}

const char *smi_stands_for(const struct smi_meta *route) {
  return annotation(route, STANDS_FOR);
}

static uint32_t name_hash(const char *text) {
  uint32_t hash = 2166136261U; /* FNV-1a */

  for (; *text; text++)
    hash = (hash ^ (unsigned char)*text) * 16777619U;
  return hash;
}

/* A name no route that was read has. It holds the port, so that two targets of one name never share a route with
 * different ports. */
static const char *free_name(struct arena *arena, const struct smi_index *routes, const struct smi_meta *target,
                             uint16_t port, unsigned *number) {
  size_t length = strlen(target->name);
  const char *stem = target->name, *name;

  if (length > NAME_KEPT) {
    length = NAME_KEPT;
    while (length > 1 && target->name[length - 1] == '.') /* a label must not begin with the '-' that follows */
      length--;
    stem = arena_printf(arena, "%.*s-%08x", (int)length, target->name, name_hash(target->name));
  }
  do {
    ++*number;
    name = *number == 1 ? arena_printf(arena, "%s-port-%u", stem, port)
                        : arena_printf(arena, "%s-port-%u-%u", stem, port, *number);
  } while (stem && name && smi_index_get(routes, SMI_TCP_ROUTE, target->ns, name));
  return stem ? name : NULL;
}

/* A new TCPRoute for the port of `target`, instead of the one called `replaced` (NULL: none). */
static int synthesise(struct smi_reader *reader, const struct smi_index *routes, const struct smi_meta *target,
                      const struct smi_port_wish *wish, const char *replaced, unsigned *number, const char **ret_name) {
  struct smi_port_route *route = arena_new(reader->arena, struct smi_port_route);
  struct smi_label *notes = arena_array(reader->arena, 2, sizeof(*notes));
  uint16_t *port = arena_new(reader->arena, uint16_t);
  const char *name = free_name(reader->arena, routes, target, wish->port, number);

  if (!route || !notes || !port || !name)
    return -ENOMEM;
  *port = wish->port;
  notes[0] = (struct smi_label){PORT_OF, target->name};
  notes[1] = (struct smi_label){STANDS_FOR, replaced};
  *route = (struct smi_port_route){
      .meta = {.kind = SMI_TCP_ROUTE,
               .version = {SMI_SPECS, 4},
               .name = name,
               .ns = target->ns,
               .ns_implied = target->ns_implied,
               .synthesised = true,
               .made = true,
               .position = wish->position,
               .annotations = notes,
               .annotation_count = replaced ? 2 : 1},
      .ports = port,
      .port_count = 1,
  };
  *ret_name = name;
  return kept_append(reader, &reader->port_routes, route, NULL);
}

static int replace_routes(struct smi_reader *reader, const struct smi_index *routes, struct smi_traffic_target *target,
                          const struct smi_port_wish *wish) {
  struct smi_rule *rules = arena_array(reader->arena, target->rule_count + 1, sizeof(*rules));
  unsigned number = 0;
  const char *name;
  int r = 0;

  if (!rules)
    return -ENOMEM;
  for (size_t i = 0; r == 0 && i < target->rule_count; i++) {
    rules[i] = target->rules[i];
    if (rules[i].kind != SMI_TCP_ROUTE)
      continue;
    r = synthesise(reader, routes, &target->meta, wish, rules[i].name, &number, &rules[i].name);
  }
  if (r == 0 && number == 0) {
    r = synthesise(reader, routes, &target->meta, wish, NULL, &number, &name);
    if (r == 0 && target->rule_count > 0)
      rules[target->rule_count++] = (struct smi_rule){.kind = SMI_TCP_ROUTE, .name = name};
  }
  target->rules = rules;
  return r;
}

/* A TCPRoute of specs v1alpha4 that lists ports, named by a target with a port outside them: NULL when there is none.
 */
static const struct smi_port_route *route_without_port(const struct smi_traffic_target *target, uint16_t port,
                                                       const struct smi_index *routes) {
  for (size_t i = 0; i < target->rule_count; i++) {
    const struct smi_port_route *route =
        target->rules[i].kind == SMI_TCP_ROUTE
            ? (const void *)smi_index_get(routes, SMI_TCP_ROUTE, target->meta.ns, target->rules[i].name)
            : NULL;
    bool found = !route || route->port_count == 0;

    for (size_t j = 0; !found && j < route->port_count; j++)
      found = route->ports[j] == port;
    if (!found)
      return route;
  }
  return NULL;
}

static int report_contradiction(struct smi_reader *reader, const struct smi_traffic_target *target,
                                const struct smi_port_wish *wish, const struct smi_port_route *route) {
  struct diagnostic diagnostic = {
      .severity = SEVERITY_ERROR,
      .code = "SMI-0013",
      .pointer = wish->pointer,
      .position = wish->position,
      .detail = "the port limits the routes of the target, so this TCPRoute allows nothing",
      .remedy = "take `port` out, or write the TrafficTarget in access.smi-spec.io/v1alpha3",
  };

  return diagnostics_addf(reader->diagnostics, &diagnostic,
                          "TrafficTarget %s has port %u, and the TCPRoute %s it names lists other ports only",
                          target->meta.name, wish->port, route->meta.name);
}

static int index_routes(struct smi_index *index, struct smi_reader *reader) {
  int r = smi_index_init(index, reader->arena, reader->port_routes.count);

  for (const struct kept *kept = reader->port_routes.first; r == 0 && kept; kept = kept->next) {
    const struct smi_meta *meta = kept->resource;

    smi_index_add(index, meta->kind, meta->ns, meta->name, meta);
  }
  smi_index_sort(index);
  return r;
}

int smi_ports_to_routes(struct smi_reader *reader) {
  struct smi_index routes;
  struct kept **link = &reader->targets.first;
  int result = index_routes(&routes, reader);

  while (*link && (result == 0 || result == -EINVAL)) {
    struct kept *kept = *link;
    struct smi_traffic_target *target = kept->resource;
    const struct smi_port_route *other = kept->wish ? route_without_port(target, kept->wish->port, &routes) : NULL;
    int r = 0;

    if (other) {
      *link = kept->next;
      reader->targets.count--;
      r = report_contradiction(reader, target, kept->wish, other) < 0 ? -ENOMEM : -EINVAL;
    } else {
      link = &kept->next;
      if (kept->wish)
        r = replace_routes(reader, &routes, target, kept->wish);
    }
    result = r < 0 ? r : result;
  }
  reader->targets.end = link;
  return result;
}

int smi_synthesised_index(struct smi_index *index, struct arena *arena, const struct smi_set *set) {
  int r = smi_index_init(index, arena, set->port_route_count);

  for (size_t i = 0; r == 0 && i < set->port_route_count; i++) {
    const struct smi_meta *meta = &set->port_routes[i].meta;
    const char *target = smi_port_of(meta);

    if (meta->synthesised && target)
      smi_index_add(index, SMI_TRAFFIC_TARGET, meta->ns, target, meta);
  }
  smi_index_sort(index);
  return r;
}

/* Whether a rule of `target` refers to `route`. */
static bool refers_to(const struct smi_traffic_target *target, const struct smi_meta *route) {
  for (size_t i = 0; i < target->rule_count; i++)
    if (target->rules[i].kind == SMI_TCP_ROUTE && strcmp(target->rules[i].name, route->name) == 0)
      return true;
  return false;
}

/* Whether someone put more on a synthesised route than its notes, which would be lost with it. */
static bool has_more_than_notes(const struct smi_meta *route) {
  static const char *const notes[] = {PORT_OF, STANDS_FOR, "kubectl.kubernetes.io/last-applied-configuration"};

  for (size_t i = 0; i < route->annotation_count; i++) {
    const char *name = route->annotations[i].name;

    if (strcmp(name, notes[0]) != 0 && strcmp(name, notes[1]) != 0 && strcmp(name, notes[2]) != 0)
      return true;
  }
  return route->label_count > 0;
}

/* Every TCPRoute among the rules must be one of the target's own: others would add ports to the one. */
static const char *check_tcp_rules(const struct smi_traffic_target *target, const struct smi_index *routes,
                                   size_t own_count) {
  size_t tcp_rules = 0;

  for (size_t i = 0; i < target->rule_count; i++) {
    const struct smi_meta *route;
    const char *owner;

    if (target->rules[i].kind != SMI_TCP_ROUTE)
      continue;
    tcp_rules++;
    route = smi_index_get(routes, SMI_TCP_ROUTE, target->meta.ns, target->rules[i].name);
    owner = route && route->synthesised ? smi_port_of(route) : NULL;
    if (owner && strcmp(owner, target->meta.name) != 0 &&
        smi_index_get(routes, SMI_TRAFFIC_TARGET, target->meta.ns, owner))
      return "it names a TCPRoute that stands for the port of another TrafficTarget";
    if (own_count > 0 && (!owner || strcmp(owner, target->meta.name) != 0))
      return "it names a TCPRoute beside the one that stands for its port";
  }
  if (own_count > 0 && target->rule_count > 0 && tcp_rules != own_count)
    return "the TCPRoutes that stand for its port are not each named by one rule";
  return NULL;
}

const char *smi_port_of_routes(const struct smi_traffic_target *target, const struct smi_index *routes,
                               const struct smi_index *synthesised, uint16_t *ret_port) {
  size_t count, replacing = 0;
  const struct smi_index_entry *own =
      smi_index_find(synthesised, SMI_TRAFFIC_TARGET, target->meta.ns, target->meta.name, &count);
  const char *problem = check_tcp_rules(target, routes, count);
  uint16_t port = 0;

  for (size_t i = 0; !problem && i < count; i++) {
    const struct smi_port_route *route = (const void *)own[i].meta;

    if (route->port_count != 1 || (port && route->ports[0] != port))
      return "the TCPRoutes that stand for its port do not list one and the same port";
    port = route->ports[0];
    replacing += smi_stands_for(&route->meta) != NULL;
    if (target->rule_count > 0 && !refers_to(target, &route->meta))
      return "a TCPRoute that stands for its port is not among its rules";
    if (has_more_than_notes(&route->meta))
      return "a TCPRoute that stands for its port has labels or annotations of its own";
  }
  if (problem)
    return problem;
  if (replacing != 0 && (replacing != count || target->rule_count == 0))
    return "the TCPRoutes that stand for its port are not as a conversion makes them";
  if (count > 0 && replacing == 0 && target->rule_count == 1)
    return "a target of access v1alpha1 or v1alpha2 with a port and no rules allows nothing";
  if (count > 1 && replacing == 0)
    return "more than one TCPRoute stands for its port alone";
  *ret_port = port;
  return NULL;
}
