#include "host/cli/mesh_lab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/interrupt.h"

enum { SERVER_PORT = 8080, SERVICE_PORT = 80 };

static const struct topology_port server_ports[] = {{.port = SERVER_PORT, .protocol = PROTOCOL_HTTP}};
static const struct topology_port service_ports[] = {
    {.name = "http", .port = SERVICE_PORT, .target_port = SERVER_PORT, .protocol = PROTOCOL_HTTP}};
static const char *const service_workloads[] = {"server"};
static const struct topology_workload workloads[] = {
    {.name = "client", .ns = TOPOLOGY_NAMESPACE_DEFAULT, .service_account = "client"},
    {.name = "server",
     .ns = TOPOLOGY_NAMESPACE_DEFAULT,
     .service_account = "server",
     .ports = server_ports,
     .port_count = ARRAY_COUNT(server_ports)}};
static const struct topology_service services[] = {{.name = "server",
                                                    .ns = TOPOLOGY_NAMESPACE_DEFAULT,
                                                    .ports = service_ports,
                                                    .port_count = ARRAY_COUNT(service_ports),
                                                    .workloads = service_workloads,
                                                    .workload_count = ARRAY_COUNT(service_workloads)}};
static const struct topology client_and_server = {.name = "client-and-server",
                                                  .workloads = workloads,
                                                  .workload_count = ARRAY_COUNT(workloads),
                                                  .services = services,
                                                  .service_count = ARRAY_COUNT(services)};

#define CLIENT TOPOLOGY_NAMESPACE_DEFAULT "/client"
#define SERVER TOPOLOGY_NAMESPACE_DEFAULT "/server"

int mesh_lab_prepare(struct mesh_lab *lab, const struct mesh_options *options, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  int r = mesh_options_find(options, &lab->registry, &lab->entry, err);
  if (r == 0)
    r = mesh_options_config(options, lab->entry, diagnostics, &lab->config, err);
  diagnostics_print(diagnostics, stderr);
  if (r == 0)
    r = mesh_options_check_endpoints(options, lab->entry, err);
  if (r == 0)
    r = mesh_options_check_programs(options, lab->entry, true, err);
  return r < 0 ? r : state_directory(&lab->state, err);
}

static int detect(struct mesh_lab *lab, struct error **err) {
  Trammel__Adapter__V1__DetectResponse *found = NULL;
  int r = engine_detect(lab->engine, &found, err);
  if (r < 0)
    return r;
  if (!found->present || !found->ready)
    r = error_set(err, ENODEV, "the mesh is not ready: %s", found->detail);
  else if (!(lab->version = strdup(found->mesh_version)))
    r = error_set(err, ENOMEM, "no memory");
  trammel__adapter__v1__detect_response__free_unpacked(found, NULL);
  return r;
}

static int start_mesh(struct mesh_lab *lab, const struct mesh_options *options, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  int r = engine_create(lab->entry, lab->config, lab->journal, interrupt_flag(), diagnostics, &lab->engine, err);
  if (r == 0)
    r = mesh_options_address(options, lab->engine, err);
  if (r == 0 && options->endpoints.count == 0)
    r = engine_plan(lab->engine, TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_INSTALL,
                    TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS, lab_mesh_address(lab->lab), err);
  diagnostics_print(diagnostics, stderr);
  return r < 0 ? r : detect(lab, err);
}

static int find_ways(struct mesh_lab *lab, struct error **err) {
  const char *address = NULL;
  uint16_t port = 0;
  int r = placement_program(lab->placement, SERVER, SERVER_PORT, PROTOCOL_HTTP, &address, &port, err);
  if (r < 0)
    return r;
  (void)snprintf(lab->direct_url, sizeof(lab->direct_url), "http://%s:%u/", address, port);
  r = placement_upstream(lab->placement, CLIENT, SERVER, SERVICE_PORT, PROTOCOL_HTTP, &address, &port, err);
  if (r < 0)
    return r;
  (void)snprintf(lab->through_url, sizeof(lab->through_url), "http://%s:%u/", address, port);
  return 0;
}

int mesh_lab_start(struct mesh_lab *lab, const struct mesh_options *options, struct error **err) {
  int r = journal_create(lab->state, &lab->journal, err);
  if (r < 0)
    return r;
  const struct process_lab_options process = {
      .slots = 1, .workloads = ARRAY_COUNT(workloads), .journal = lab->journal, .cancel = interrupt_flag()};
  r = process_lab_create(&process, &lab->lab, err);
  if (r == 0)
    r = start_mesh(lab, options, err);
  if (r == 0)
    r = lab_place(lab->lab, 0, lab->engine, &client_and_server, &lab->placement, err);
  return r < 0 ? r : find_ways(lab, err);
}

int mesh_lab_check(const struct mesh_lab *lab, struct error **err) {
  return placement_check(lab->placement, err);
}

size_t mesh_lab_finish(struct mesh_lab *lab) {
  _cleanup_error_ struct error *err = NULL;
  if (placement_remove(lab->placement, &err) < 0)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  engine_destroy(lab->engine);
  lab_destroy(lab->lab);
  size_t left = journal_finish(lab->journal);
  json_decref(lab->config);
  registry_destroy(lab->registry);
  free(lab->version);
  free(lab->state);
  *lab = (struct mesh_lab){0};
  return left;
}
