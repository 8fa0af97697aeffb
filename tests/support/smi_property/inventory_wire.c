#include "tests/support/smi_property/inventory_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sdk/base/arena.h"

/* protobuf-c's texts are not const. */
#define TEXT(text) ((char *)(uintptr_t)(text))

static void *items(struct arena *arena, size_t count, size_t size) {
  void *array = arena_array(arena, count, size);
  assert_non_null(array);
  return array;
}

static Trammel__Adapter__V1__Workload *workload(struct arena *arena, const struct inventory_workload *from) {
  Trammel__Adapter__V1__Workload *to = items(arena, 1, sizeof *to);
  trammel__adapter__v1__workload__init(to);
  to->name = TEXT(from->name);
  to->namespace_ = TEXT(from->ns);
  to->service_account = TEXT(from->service_account);
  to->n_labels = from->label_count;
  to->labels = items(arena, from->label_count, sizeof *to->labels);
  for (size_t i = 0; i < from->label_count; i++) {
    to->labels[i] = items(arena, 1, sizeof **to->labels);
    trammel__adapter__v1__label__init(to->labels[i]);
    to->labels[i]->name = TEXT(from->labels[i].name);
    to->labels[i]->value = TEXT(from->labels[i].value);
  }
  to->n_ports = from->port_count;
  to->ports = items(arena, from->port_count, sizeof *to->ports);
  for (size_t i = 0; i < from->port_count; i++) {
    to->ports[i] = items(arena, 1, sizeof **to->ports);
    trammel__adapter__v1__workload_port__init(to->ports[i]);
    to->ports[i]->port = from->ports[i].port;
    to->ports[i]->protocol = (Trammel__Adapter__V1__Protocol)from->ports[i].protocol;
  }
  return to;
}

static Trammel__Adapter__V1__Service *service(struct arena *arena, const struct inventory_service *from) {
  Trammel__Adapter__V1__Service *to = items(arena, 1, sizeof *to);
  trammel__adapter__v1__service__init(to);
  to->name = TEXT(from->name);
  to->namespace_ = TEXT(from->ns);
  to->n_workloads = from->workload_count;
  to->workloads = (char **)(uintptr_t)from->workloads;
  to->n_ports = from->port_count;
  to->ports = items(arena, from->port_count, sizeof *to->ports);
  for (size_t i = 0; i < from->port_count; i++) {
    to->ports[i] = items(arena, 1, sizeof **to->ports);
    trammel__adapter__v1__service_port__init(to->ports[i]);
    to->ports[i]->name = TEXT(from->ports[i].name);
    to->ports[i]->port = from->ports[i].port;
    to->ports[i]->target_port = from->ports[i].target_port;
    to->ports[i]->protocol = (Trammel__Adapter__V1__Protocol)from->ports[i].protocol;
  }
  return to;
}

Trammel__Adapter__V1__Inventory *inventory_to_wire(struct arena *arena, const struct inventory *inventory) {
  Trammel__Adapter__V1__Inventory *message = items(arena, 1, sizeof *message);
  trammel__adapter__v1__inventory__init(message);
  message->n_workloads = inventory->workload_count;
  message->workloads = items(arena, inventory->workload_count, sizeof *message->workloads);
  for (size_t i = 0; i < inventory->workload_count; i++)
    message->workloads[i] = workload(arena, &inventory->workloads[i]);
  message->n_services = inventory->service_count;
  message->services = items(arena, inventory->service_count, sizeof *message->services);
  for (size_t i = 0; i < inventory->service_count; i++)
    message->services[i] = service(arena, &inventory->services[i]);
  return message;
}
