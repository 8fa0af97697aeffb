#include "host/conformance/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/conformance/case_read.h"

/* Connections that many calls use at once. */
#define CONCURRENCY 4 /* a connection costs as much as twenty calls */

static uint64_t bit(size_t i) {
  return UINT64_C(1) << i;
}

static bool serves(const struct topology_service *service, const char *workload) {
  for (size_t i = 0; i < service->workload_count; i++)
    if (strcmp(service->workloads[i], workload) == 0)
      return true;
  return false;
}

/* Splits "alias/name"; false when it is not of that form or the alias is too long for any topology. */
static bool split_name(const char *text, char *ns, size_t size, const char **ret_name) {
  const char *slash = strchr(text, '/');
  if (!slash || (size_t)(slash - text) >= size)
    return false;
  memcpy(ns, text, (size_t)(slash - text));
  ns[slash - text] = '\0';
  *ret_name = slash + 1;
  return true;
}

uint64_t probe_targets(const struct prober *prober, const struct check *check) {
  char ns[128];
  const char *name;
  uint64_t targets = 0;
  if (!split_name(check->to, ns, sizeof(ns), &name))
    return 0;
  const struct topology_service *service = topology_service_find(prober->topology, ns, name);
  for (size_t i = 0; i < prober->topology->workload_count; i++) {
    const struct topology_workload *workload = &prober->topology->workloads[i];
    if (strcmp(workload->ns, ns) != 0)
      continue;
    if (check->direct ? strcmp(workload->name, name) == 0 : service && serves(service, workload->name))
      targets |= bit(i);
  }
  return targets;
}

uint64_t probe_workload(const struct prober *prober, const char *name) {
  for (size_t i = 0; i < prober->topology->workload_count; i++) {
    const struct topology_workload *workload = &prober->topology->workloads[i];
    if (strcmp(workload->ns, TOPOLOGY_NAMESPACE_DEFAULT) == 0 && strcmp(workload->name, name) == 0)
      return bit(i);
  }
  return 0;
}

static int call_address(const struct prober *prober, const struct check *check, struct call_batch *batch,
                        struct error **err) {
  if (check->direct)
    return placement_direct(prober->placement, check->to, check->port, check->protocol, &batch->address, &batch->port,
                            err);
  return placement_upstream(prober->placement, check->from, check->to, check->port, check->protocol, &batch->address,
                            &batch->port, err);
}

static void note_latencies(struct prober *prober, const struct probe *probe) {
  for (unsigned i = 0; i < probe->count; i++) {
    const struct call_outcome *call = &probe->calls[i];
    if (call->end != CALL_ANSWERED)
      continue;
    if (call->latency_ns > prober->longest_ns)
      prober->longest_ns = call->latency_ns;
    if (prober->shortest_ns == 0 || call->latency_ns < prober->shortest_ns)
      prober->shortest_ns = call->latency_ns;
  }
}

void probe_name(struct prober *prober, char id[static CALL_ID_MAX + 1]) {
  if (prober->glancing)
    (void)snprintf(id, CALL_ID_MAX + 1, "%s.g%u", prober->id, prober->glances++);
  else
    (void)snprintf(id, CALL_ID_MAX + 1, "%s.%u", prober->id, prober->sequence++);
}

static unsigned concurrency_of(const struct check *check, unsigned count) {
  if (check->keep || check->connections == CONNECTIONS_ONE || check->kind == CHECK_COUNTED)
    return 1;
  return count < CONCURRENCY ? count : CONCURRENCY;
}

static bool is_fresh(const struct check *check) {
  return check->kind == CHECK_SPLIT ? check->connections == CONNECTIONS_FRESH : !check->keep;
}

int probe_batch(const struct prober *prober, const struct check *check, struct call_header *headers,
                struct call_batch *ret_batch, struct error **err) {
  if (check->header_count > CASE_HEADERS_MAX)
    return error_set(err, E2BIG, "calling %s: more than %d headers", check->to, CASE_HEADERS_MAX);
  for (size_t i = 0; i < check->header_count; i++)
    headers[i] = (struct call_header){.name = check->headers[i].name, .value = check->headers[i].value};
  *ret_batch = (struct call_batch){
      .protocol = check->h2c ? CALL_H2C : protocol_call(check->protocol),
      .method = check->method,
      .path = check->path,
      .headers = headers,
      .header_count = check->header_count,
  };
  return call_address(prober, check, ret_batch, err);
}

int probe_call(struct prober *prober, const struct check *check, unsigned count, unsigned timeout_ms,
               struct probe *ret_probe, struct error **err) {
  struct probe probe = {.count = count};
  struct call_header headers[CASE_HEADERS_MAX];
  struct call_batch batch;
  int r = probe_batch(prober, check, headers, &batch, err);
  if (r < 0)
    return r;
  probe_name(prober, probe.id);
  batch.id = probe.id;
  batch.count = count;
  batch.concurrency = concurrency_of(check, count);
  batch.keep = check->keep;
  batch.fresh = is_fresh(check);
  batch.timeout_ms = timeout_ms;
  struct workload_client *client = placement_workload(prober->placement, check->from);
  if (!client)
    return error_set(err, ENOENT, "the topology has no workload %s", check->from);
  r = workload_call(client, &batch, prober->deadline_ns, prober->cancel, &probe.calls, err);
  if (r < 0)
    return r;
  note_latencies(prober, &probe);
  *ret_probe = probe;
  return 0;
}

/* Enters the records of workload `index` into the arrivals. Ids are "<batch>-<number>". */
static void enter_records(struct probe *probe, size_t index, const struct received *received, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const char *dash = strrchr(received[i].id, '-');
    unsigned long number = dash ? strtoul(dash + 1, NULL, 10) : probe->count;
    if (number >= probe->count)
      continue;
    probe->arrivals[number].receivers |= bit(index);
    if (strcmp(probe->calls[number].nonce, received[i].nonce) == 0)
      probe->arrivals[number].provers |= bit(index);
  }
}

static int trace_workload(struct prober *prober, struct probe *probe, size_t index, struct error **err) {
  const struct topology_workload *workload = &prober->topology->workloads[index];
  char key[256];
  char prefix[CALL_ID_MAX + 2];
  (void)snprintf(key, sizeof(key), "%s/%s", workload->ns, workload->name);
  (void)snprintf(prefix, sizeof(prefix), "%s-", probe->id);
  struct workload_client *client = placement_workload(prober->placement, key);
  if (!client)
    return error_set(err, ENOENT, "the lab has no workload %s", key);
  _cleanup_free_ struct received *received = NULL;
  size_t count = 0;
  int r = workload_received(client, prefix, &received, &count, err);
  if (r == 0)
    enter_records(probe, index, received, count);
  return r;
}

int probe_trace(struct prober *prober, struct probe *probe, struct error **err) {
  if (!probe->arrivals)
    probe->arrivals = calloc(probe->count, sizeof(*probe->arrivals));
  if (!probe->arrivals)
    return error_set(err, ENOMEM, "looking calls up: no memory");
  for (size_t i = 0; i < prober->topology->workload_count; i++) {
    int r = prober->topology->workloads[i].port_count > 0 ? trace_workload(prober, probe, i, err) : 0;
    if (r < 0)
      return r;
  }
  return 0;
}

void probe_finish(struct probe *probe) {
  free(probe->calls);
  free(probe->arrivals);
  *probe = (struct probe){0};
}
