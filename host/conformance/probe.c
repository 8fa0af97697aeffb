#include "host/conformance/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A call that nobody answers counts as denied after this long. */
#define CALL_TIMEOUT_MS 1000
/* Connections a split's calls use at once. */
#define SPLIT_CONCURRENCY 16

/* The workloads of the topology that a case can name are few: LAB_WORKLOADS_MAX. */
static void workload_key(const struct topology_workload *workload, char *key, size_t size) {
  (void)snprintf(key, size, "%s/%s", workload->ns, workload->name);
}

/* Whether `workload` is behind the check's target: one of the service's workloads, or the workload itself when the
 * check goes direct. */
static bool behind_target(const struct topology *topology, const struct check *check,
                          const struct topology_workload *workload) {
  const char *slash = strchr(check->to, '/');
  size_t length = slash ? (size_t)(slash - check->to) : 0;
  if (!slash || strncmp(workload->ns, check->to, length) != 0 || workload->ns[length] != '\0')
    return false;
  if (check->direct)
    return strcmp(workload->name, slash + 1) == 0;
  for (size_t i = 0; i < topology->service_count; i++) {
    const struct topology_service *service = &topology->services[i];
    if (strcmp(service->ns, workload->ns) != 0 || strcmp(service->name, slash + 1) != 0)
      continue;
    for (size_t k = 0; k < service->workload_count; k++)
      if (strcmp(service->workloads[k], workload->name) == 0)
        return true;
  }
  return false;
}

static enum call_protocol call_protocol(enum protocol protocol) {
  switch (protocol) {
  case PROTOCOL_TCP:
    return CALL_TCP;
  case PROTOCOL_UDP:
    return CALL_UDP;
  case PROTOCOL_HTTP:
    break;
  }
  return CALL_HTTP1;
}

/* Fills what all calls of a check share. `headers` has room for check->header_count. */
static int batch_init(struct prober *prober, const struct check *check, unsigned calls, struct call_header *headers,
                      struct call_batch *ret_batch, struct error **err) {
  struct call_batch batch = {
      .protocol = call_protocol(check->protocol),
      .method = check->method,
      .path = check->path,
      .headers = headers,
      .header_count = check->header_count,
      .count = calls,
      .concurrency = calls < SPLIT_CONCURRENCY ? calls : SPLIT_CONCURRENCY,
      .keep = check->keep,
      .fresh = check->kind == CHECK_SPLIT ? check->fresh : !check->keep,
      .timeout_ms = CALL_TIMEOUT_MS,
  };
  for (size_t i = 0; i < check->header_count; i++)
    headers[i] = (struct call_header){.name = check->headers[i].name, .value = check->headers[i].value};
  int r = check->direct ? placement_direct(prober->placement, check->to, check->port, &batch.address, &batch.port, err)
                        : placement_upstream(prober->placement, check->from, check->to, check->port, &batch.address,
                                             &batch.port, err);
  if (r < 0)
    return r;
  *ret_batch = batch;
  return 0;
}

/* The same, and says which id the calls had. */
static int calls_named(struct prober *prober, const struct check *check, unsigned calls, char id[CALL_ID_MAX + 1],
                       struct call_outcome **ret_outcomes, struct error **err) {
  struct call_batch batch;
  _cleanup_free_ struct call_header *headers = calloc(check->header_count + 1, sizeof(*headers));
  if (!headers)
    return error_set(err, ENOMEM, "calling %s: no memory", check->to);
  int r = batch_init(prober, check, calls, headers, &batch, err);
  if (r < 0)
    return r;
  (void)snprintf(id, CALL_ID_MAX + 1, "%s.%u", prober->id, prober->sequence++);
  batch.id = id;
  struct workload_client *client = placement_workload(prober->placement, check->from);
  if (!client)
    return error_set(err, ENOENT, "the topology has no workload %s", check->from);
  return workload_call(client, &batch, prober->deadline_ns, prober->cancel, ret_outcomes, err);
}

int probe_calls(struct prober *prober, const struct check *check, unsigned calls, struct call_outcome **ret_outcomes,
                struct error **err) {
  char id[CALL_ID_MAX + 1];
  return calls_named(prober, check, calls, id, ret_outcomes, err);
}

/* What one workload received of the batch `id`. */
static int records_of(struct prober *prober, const struct topology_workload *workload, const char *id,
                      struct received **ret_received, size_t *ret_count, struct error **err) {
  char key[160];
  char prefix[CALL_ID_MAX + 2];
  workload_key(workload, key, sizeof(key));
  (void)snprintf(prefix, sizeof(prefix), "%s-", id);
  struct workload_client *client = placement_workload(prober->placement, key);
  if (!client)
    return error_set(err, ENOENT, "the lab has no workload %s", key);
  return workload_received(client, prefix, ret_received, ret_count, err);
}

int probe_call(struct prober *prober, const struct check *check, struct probe_outcome *ret_outcome,
               struct error **err) {
  struct probe_outcome outcome = {0};
  _cleanup_free_ struct call_outcome *calls = NULL;
  int r = calls_named(prober, check, 1, outcome.id, &calls, err);
  if (r < 0)
    return r;
  outcome.call = calls[0];

  for (size_t i = 0; i < prober->topology->workload_count; i++) {
    const struct topology_workload *workload = &prober->topology->workloads[i];
    if (workload->port_count == 0)
      continue;
    _cleanup_free_ struct received *received = NULL;
    size_t count = 0;
    r = records_of(prober, workload, outcome.id, &received, &count, err);
    if (r < 0)
      return r;
    if (count == 0)
      continue;
    outcome.received_by = workload->name;
    outcome.intended = behind_target(prober->topology, check, workload);
    outcome.proven = outcome.intended && strcmp(received[0].nonce, outcome.call.nonce) == 0;
  }
  *ret_outcome = outcome;
  return 0;
}

/* The index of a workload of namespace main among the shares; share_count when it is none of them. */
static size_t share_of(const struct check *check, const struct topology_workload *workload) {
  size_t i = 0;
  while (i < check->share_count && strcmp(check->shares[i].workload, workload->name) != 0)
    i++;
  return i;
}

/* Marks in `proven` the calls of which `workload` has a record with the nonce that came back; the number of them. */
static uint64_t prove(const struct received *received, size_t count, const struct call_outcome *calls,
                      unsigned call_count, bool *proven) {
  uint64_t proofs = 0;
  for (size_t i = 0; i < count; i++) {
    const char *dash = strrchr(received[i].id, '-');
    unsigned long number = dash ? strtoul(dash + 1, NULL, 10) : call_count;
    if (number >= call_count || proven[number] || strcmp(calls[number].nonce, received[i].nonce) != 0)
      continue;
    proven[number] = true;
    proofs++;
  }
  return proofs;
}

static int count_shares(struct prober *prober, const struct check *check, const struct call_outcome *calls,
                        unsigned call_count, struct probe_shares *shares, struct error **err) {
  _cleanup_free_ bool *proven = calloc(call_count, sizeof(*proven));
  if (!proven)
    return error_set(err, ENOMEM, "counting a split: no memory");
  for (size_t i = 0; i < prober->topology->workload_count; i++) {
    const struct topology_workload *workload = &prober->topology->workloads[i];
    if (workload->port_count == 0)
      continue;
    _cleanup_free_ struct received *received = NULL;
    size_t count = 0;
    int r = records_of(prober, workload, shares->id, &received, &count, err);
    if (r < 0)
      return r;
    uint64_t proofs = prove(received, count, calls, call_count, proven);
    size_t share = share_of(check, workload);
    if (share < check->share_count)
      shares->counts[share] += proofs;
    else
      shares->elsewhere += proofs;
  }
  for (unsigned i = 0; i < call_count; i++) {
    if (proven[i])
      continue;
    if (shares->unproven++ == 0)
      shares->first_unproven = calls[i];
  }
  return 0;
}

int probe_shares(struct prober *prober, const struct check *check, unsigned calls, struct probe_shares *ret_shares,
                 struct error **err) {
  struct probe_shares shares = {0};
  _cleanup_free_ struct call_outcome *outcomes = NULL;
  _cleanup_free_ uint64_t *counts = calloc(check->share_count + 1, sizeof(*counts));
  if (!counts)
    return error_set(err, ENOMEM, "calling %s: no memory", check->to);
  int r = calls_named(prober, check, calls, shares.id, &outcomes, err);
  if (r < 0)
    return r;
  shares.counts = counts;
  r = count_shares(prober, check, outcomes, calls, &shares, err);
  if (r < 0)
    return r;
  (void)take(counts);
  *ret_shares = shares;
  return 0;
}

void probe_shares_finish(struct probe_shares *shares) {
  free(shares->counts);
  *shares = (struct probe_shares){0};
}
