#include "host/conformance/counted.h"

#include <string.h>

#include "host/conformance/case_read.h"

/* A number of calls or requests; COUNTED_ANY when absent or after a complaint. */
static int read_number(struct fields *fields, const struct node *node, const char *name) {
  if (!node)
    return COUNTED_ANY;
  if (node->kind == NODE_INTEGER && node->integer >= 0 && node->integer <= COUNTED_REPEAT_MAX)
    return (int)node->integer;
  fields_complain(fields, node, FIELD_VALUE, NULL, "\"%s\" must be a whole number from 0 to %d", name,
                  COUNTED_REPEAT_MAX);
  return COUNTED_ANY;
}

/* Only a workload that serves something counts requests. Without a topology, as in a kept report, any name will do. */
static bool check_server(struct fields *fields, const struct node *at, const char *name,
                         const struct topology *topology) {
  if (!topology)
    return true;
  const struct topology_workload *workload = topology_workload_find(topology, TOPOLOGY_NAMESPACE_DEFAULT, name);
  if (workload && workload->port_count > 0)
    return true;
  fields_complain(fields, at, CASE_UNKNOWN_WORKLOAD, "Requests are counted by workloads in the namespace \"main\".",
                  "the topology \"%s\" has no workload \"main/%s\" that serves anything", topology->name, name);
  return false;
}

/* The place of a workload among the servers, which have room for it. */
static size_t server_index(struct fields *fields, struct counted_server *servers, size_t *count, const char *name) {
  for (size_t i = 0; i < *count; i++)
    if (strcmp(servers[i].workload, name) == 0)
      return i;
  const char *copy = fields_checked(fields, arena_strdup(fields->arena, name));
  servers[*count] = (struct counted_server){.workload = copy ? copy : "", .most = COUNTED_ANY};
  return (*count)++;
}

static void read_received(struct fields *fields, const struct node *map, const struct topology *topology,
                          struct counted_server *servers, size_t *count) {
  for (size_t i = 0; i < map->count; i++) {
    const struct entry *entry = &map->entries[i];
    if (!check_server(fields, entry->value, entry->key, topology))
      continue;
    struct counted_server *server = &servers[server_index(fields, servers, count, entry->key)];
    bool some = entry->value->kind == NODE_STRING && strcmp(entry->value->text, "some") == 0;
    int number = some ? 1 : read_number(fields, entry->value, entry->key);
    server->least = number;
    server->most = some ? COUNTED_ANY : number;
  }
}

/* "more: [app-b, app-c]" */
static void read_order(struct fields *fields, const struct node *list, const struct topology *topology,
                       struct counted_server *servers, struct counted *counted) {
  size_t places[2] = {0};
  if (list->count != 2) {
    fields_complain(fields, list, FIELD_VALUE, NULL,
                    "\"more\" names two workloads: the first must count more requests than the second");
    return;
  }
  for (size_t i = 0; i < 2; i++) {
    const char *name = list->items[i]->kind == NODE_STRING ? list->items[i]->text : "";
    if (!check_server(fields, list->items[i], name, topology))
      return;
    places[i] = server_index(fields, servers, &counted->server_count, name);
  }
  if (places[0] == places[1])
    fields_complain(fields, list, FIELD_VALUE, NULL, "a workload does not count more requests than itself");
  counted->ordered = true;
  counted->more = places[0];
  counted->less = places[1];
}

const struct counted *counted_read(struct fields *fields, const struct node *map, const struct topology *topology) {
  static const char *const known[] = {"succeeded", "failed", "received", "more", NULL};
  if (!fields_known(fields, map, "\"counted\"", known))
    return NULL;
  const struct node *received = fields_get(fields, map, "received", NODE_MAP, false);
  const struct node *more = fields_get(fields, map, "more", NODE_LIST, false);
  size_t room = fields_count(fields, received, "workloads", CASE_SHARES_MAX) + 2;
  struct counted *counted = fields_checked(fields, arena_new(fields->arena, struct counted));
  struct counted_server *servers = fields_checked(fields, arena_array(fields->arena, room, sizeof(*servers)));
  if (!counted || !servers || (received && received->count > CASE_SHARES_MAX))
    return NULL;
  counted->succeeded = read_number(fields, node_get(map, "succeeded"), "succeeded");
  counted->failed = read_number(fields, node_get(map, "failed"), "failed");
  counted->servers = servers;
  if (received)
    read_received(fields, received, topology, servers, &counted->server_count);
  if (more)
    read_order(fields, more, topology, servers, counted);
  if (map->count == 0)
    fields_complain(fields, map, FIELD_VALUE, NULL, "\"counted\" says nothing of what must have been counted");
  return counted;
}

/* ---- as JSON */

static json_t *received_json(const struct counted *counted) {
  json_t *object = json_object();
  for (size_t i = 0; object && i < counted->server_count; i++) {
    const struct counted_server *server = &counted->servers[i];
    if (server->most != COUNTED_ANY)
      (void)json_object_set_new(object, server->workload, json_integer(server->least));
    else if (server->least > 0)
      (void)json_object_set_new(object, server->workload, json_string("some"));
  }
  return object;
}

json_t *counted_json(const struct counted *counted) {
  json_t *object = json_object();
  json_t *received = received_json(counted);
  bool failed = !object || !received;
  if (!failed && counted->succeeded != COUNTED_ANY)
    failed |= json_object_set_new(object, "succeeded", json_integer(counted->succeeded)) < 0;
  if (!failed && counted->failed != COUNTED_ANY)
    failed |= json_object_set_new(object, "failed", json_integer(counted->failed)) < 0;
  if (!failed && json_object_size(received) > 0)
    failed |= json_object_set(object, "received", received) < 0;
  if (!failed && counted->ordered)
    failed |= json_object_set_new(object, "more",
                                  json_pack("[s, s]", counted->servers[counted->more].workload,
                                            counted->servers[counted->less].workload)) < 0;
  json_decref(received);
  if (!failed)
    return object;
  json_decref(object);
  return NULL;
}
