#include "host/conformance/judge.h"

#include <errno.h>
#include <string.h>

#include "host/conformance/judge_counted.h"
#include "host/conformance/judge_text.h"
#include "host/conformance/statistics.h"

/* Calls of a split that tell whether anything goes astray. */
#define GLANCE_CALLS 24

static int no_memory(struct error **err) {
  return error_set(err, ENOMEM, "judging a check: no memory");
}

/* ---- single calls */

static bool is_answer(const struct check *check, const struct call_outcome *call) {
  return call->end == CALL_ANSWERED && (check->protocol != PROTOCOL_HTTP || call->status == 200);
}

/* How long to wait for the refusal of a call that is to be denied. */
static unsigned refusal_timeout(const struct check *check) {
  return check->protocol == PROTOCOL_UDP ? SILENCE_TIMEOUT_MS : REFUSAL_TIMEOUT_MS;
}

bool call_is_refusal(const struct check *check, const struct call_outcome *call) {
  switch (call->end) {
  case CALL_REFUSED:
  case CALL_RESET:
  case CALL_CLOSED:
  case CALL_TIMEOUT:
    return true;
  case CALL_ANSWERED:
    return check->protocol == PROTOCOL_HTTP && (call->status == 403 || call->status == 404 || call->status == 503);
  case CALL_ERROR:
    break;
  }
  return false;
}

bool call_is_delivered(const struct check *check, const struct call_outcome *call, const struct arrival *arrival,
                       uint64_t targets) {
  return is_answer(check, call) && (arrival->provers & targets) != 0 && (arrival->receivers & ~targets) == 0;
}

static bool call_holds(const struct check *check, const struct probe *probe, unsigned i, uint64_t targets) {
  if (check->kind == CHECK_DENIED)
    return probe->arrivals[i].receivers == 0 && call_is_refusal(check, &probe->calls[i]);
  return call_is_delivered(check, &probe->calls[i], &probe->arrivals[i], targets);
}

/* The first call that does not hold; probe->count when all do. */
static unsigned first_broken_call(const struct prober *prober, const struct check *check, const struct probe *probe) {
  uint64_t targets = probe_targets(prober, check);
  unsigned i = 0;
  while (i < probe->count && call_holds(check, probe, i, targets))
    i++;
  return i;
}

static int describe_calls(struct prober *prober, struct arena *arena, struct verdict *verdict, struct error **err) {
  const struct check *check = verdict->result.check;
  const struct probe *probe = &verdict->probe;
  unsigned broken = first_broken_call(prober, check, probe);
  unsigned shown = broken < probe->count ? broken : 0;
  verdict->result.held = broken == probe->count;
  verdict->result.seen = call_seen(arena, prober, check, probe, shown);
  json_decref(verdict->result.evidence);
  verdict->result.evidence = call_evidence(prober, check, probe, shown);
  return verdict->result.seen && verdict->result.evidence ? 0 : no_memory(err);
}

static int judge_calls(struct prober *prober, struct arena *arena, struct verdict *verdict, struct error **err) {
  const struct check *check = verdict->result.check;
  bool denied = check->kind == CHECK_DENIED;
  int r = probe_call(prober, check, (unsigned)check_request_count(check),
                     denied ? refusal_timeout(check) : CALL_TIMEOUT_MS, &verdict->probe, err);
  if (r == 0)
    r = probe_trace(prober, &verdict->probe, err);
  if (r < 0)
    return r;
  const char *what = check_describe(arena, check);
  verdict->result.expected = arena_printf(arena, "%s %s", what ? what : "", denied ? "is denied" : "goes through");
  return verdict->result.expected ? describe_calls(prober, arena, verdict, err) : no_memory(err);
}

int judge_again(struct prober *prober, struct verdict *verdict, struct arena *arena, struct error **err) {
  if (verdict->result.check->kind != CHECK_DENIED || !verdict->result.held)
    return 0;
  int r = probe_trace(prober, &verdict->probe, err);
  return r < 0 ? r : describe_calls(prober, arena, verdict, err);
}

/* ---- splits */

static uint64_t bit_of(const struct prober *prober, const struct check_share *share) {
  return probe_workload(prober, share->workload);
}

/* A datagram that is not answered in time is sent again, and may come to another backend. */
static bool is_delivered_twice(const struct check *check, const struct arrival *arrival) {
  return check->protocol != PROTOCOL_UDP && (arrival->receivers & (arrival->receivers - 1)) != 0;
}

/* Counts where the calls went. A request that several received went astray. A backend with weight gets a call when it
 * received and answered it; one without weight, or one that is no backend at all, when it merely received it. */
static void count_shares(const struct prober *prober, const struct check *check, const struct probe *probe,
                         struct split_count *count) {
  uint64_t weighted = 0;
  uint64_t known = 0;
  for (size_t k = 0; k < check->share_count; k++) {
    known |= bit_of(prober, &check->shares[k]);
    weighted |= check->shares[k].weight > 0 ? bit_of(prober, &check->shares[k]) : 0;
  }
  for (unsigned i = 0; i < probe->count; i++) {
    const struct arrival *arrival = &probe->arrivals[i];
    bool answered = is_answer(check, &probe->calls[i]);
    for (size_t k = 0; k < check->share_count; k++) {
      bool has_weight = check->shares[k].weight > 0;
      if ((has_weight ? arrival->provers : arrival->receivers) & bit_of(prober, &check->shares[k]))
        count->shares[k] += !has_weight || answered;
    }
    count->elsewhere += (arrival->receivers & ~known) != 0 || is_delivered_twice(check, arrival);
    if (answered && (arrival->provers & weighted))
      continue;
    if (count->unanswered++ == 0)
      count->first_unanswered = probe->calls[i];
  }
}

/* Whether nothing went astray or was lost. */
static bool split_is_clean(const struct check *check, const struct split_count *count) {
  for (size_t i = 0; i < check->share_count; i++)
    if (check->shares[i].weight == 0 && count->shares[i] > 0)
      return false;
  return count->elsewhere == 0 && count->unanswered == 0;
}

static bool split_reaches_all(const struct check *check, const struct split_count *count) {
  for (size_t i = 0; i < check->share_count; i++)
    if (check->shares[i].weight > 0 && count->shares[i] == 0)
      return false;
  return true;
}

static int judge_split(struct prober *prober, bool settled, struct arena *arena, struct verdict *verdict,
                       struct error **err) {
  const struct check *check = verdict->result.check;
  unsigned calls = settled ? (unsigned)check_request_count(check) : GLANCE_CALLS;
  struct split_count count = {.shares = arena_array(arena, check->share_count, sizeof(*count.shares))};
  uint32_t *weights = arena_array(arena, check->share_count, sizeof(*weights));
  if (!count.shares || !weights)
    return no_memory(err);
  for (size_t i = 0; i < check->share_count; i++)
    weights[i] = check->shares[i].weight;
  int r = probe_call(prober, check, calls, settled ? CALL_TIMEOUT_MS : REFUSAL_TIMEOUT_MS, &verdict->probe, err);
  if (r == 0)
    r = probe_trace(prober, &verdict->probe, err);
  if (r < 0)
    return r;
  count_shares(prober, check, &verdict->probe, &count);
  struct split_verdict statistics = {0};
  split_judge(count.shares, weights, check->share_count, count.elsewhere + count.unanswered, SPLIT_ALPHA, &statistics);
  count.p_value = statistics.p_value;
  count.calls = calls;
  verdict->result.held = split_is_clean(check, &count);
  if (settled) /* else the calls are too few to tell more */
    verdict->result.held &= split_reaches_all(check, &count) && (!check->shares_judged || statistics.fair);
  verdict->result.expected = split_expected(arena, check);
  verdict->result.seen = split_seen(arena, check, &count);
  verdict->result.evidence = split_evidence(check, verdict->probe.id, &count);
  return verdict->result.expected && verdict->result.seen && verdict->result.evidence ? 0 : no_memory(err);
}

/* ---- entry points */

int judge_check(struct prober *prober, const struct check *check, bool settled, struct arena *arena,
                struct verdict *ret_verdict, struct error **err) {
  struct verdict verdict = {.result.check = check};
  int r = check->kind == CHECK_SPLIT     ? judge_split(prober, settled, arena, &verdict, err)
          : check->kind == CHECK_COUNTED ? judge_counted(prober, check, arena, &verdict, err)
                                         : judge_calls(prober, arena, &verdict, err);
  if (r < 0) {
    verdict_finish(&verdict);
    return r;
  }
  *ret_verdict = verdict;
  return 0;
}

void verdict_finish(struct verdict *verdict) {
  json_decref(verdict->result.evidence);
  probe_finish(&verdict->probe);
  *verdict = (struct verdict){0};
}

/* As far as the answer tells; proofs are for the verdict. */
static bool looks_right(const struct check *check, const struct call_outcome *call) {
  if (check->kind == CHECK_DENIED)
    return call_is_refusal(check, call);
  if (!is_answer(check, call) || !call->nonce[0])
    return false;
  if (check->kind != CHECK_SPLIT)
    return true;
  for (size_t i = 0; i < check->share_count; i++)
    if (check->shares[i].weight > 0 && strcmp(check->shares[i].workload, call->server) == 0)
      return true;
  return false;
}

int judge_glance(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                 struct error **err) {
  if (check->kind == CHECK_COUNTED)
    return judge_counted_glance(prober, check, arena, ret_seen, err);
  _cleanup_(probe_finish) struct probe probe = {0};
  unsigned calls = check->kind == CHECK_SPLIT ? GLANCE_CALLS : 1;
  unsigned timeout_ms = check->kind == CHECK_DENIED ? refusal_timeout(check) : CALL_TIMEOUT_MS;
  int r = probe_call(prober, check, calls, timeout_ms, &probe, err);
  if (r < 0)
    return r;
  *ret_seen = NULL;
  for (unsigned i = 0; i < calls && !*ret_seen; i++) {
    if (looks_right(check, &probe.calls[i]))
      continue;
    *ret_seen = glance_seen(arena, check, &probe.calls[i]);
    if (!*ret_seen)
      return no_memory(err);
  }
  return 0;
}

/* A sidecar that takes nothing but its mesh's certificates has none to show for a call around the caller's own sidecar,
 * policy or not. */
static bool wants_certificate(const struct check *check, const struct call_outcome *call) {
  return check->direct && (call->end == CALL_CLOSED || call->end == CALL_RESET);
}

/* The same call, through the mesh. False when no service leads to what the check calls, and to nothing else. */
static bool through_mesh(const struct prober *prober, struct arena *arena, const struct check *check,
                         struct check *ret_meshed) {
  const struct topology_service *service;
  const struct topology_port *port =
      topology_port_to(prober->topology, check->to, check->port, check->protocol, &service);
  *ret_meshed = *check;
  ret_meshed->direct = false;
  ret_meshed->to = port ? arena_printf(arena, "%s/%s", service->ns, service->name) : NULL;
  ret_meshed->port = port ? port->port : 0;
  return ret_meshed->to != NULL;
}

/* A connection that is closed for want of a certificate looks like one to a server that is broken. Where
 * `may_be_closed`, a call through the mesh tells them apart. */
static int control_call(struct prober *prober, const struct check *check, bool may_be_closed, struct arena *arena,
                        const char **ret_seen, struct error **err) {
  _cleanup_(probe_finish) struct probe probe = {0};
  struct check meshed;
  *ret_seen = NULL;
  int r = probe_call(prober, check, 1, CALL_TIMEOUT_MS, &probe, err);
  if (r == 0)
    r = probe_trace(prober, &probe, err);
  if (r < 0 || call_is_delivered(check, &probe.calls[0], &probe.arrivals[0], probe_targets(prober, check)))
    return r;
  if (may_be_closed && wants_certificate(check, &probe.calls[0]) && through_mesh(prober, arena, check, &meshed))
    return control_call(prober, &meshed, false, arena, ret_seen, err);
  *ret_seen = arena_printf(arena, "%s: %s", check_describe(arena, check), call_seen(arena, prober, check, &probe, 0));
  return *ret_seen ? 0 : no_memory(err);
}

/* A call straight to a backend's first port of the check's protocol. */
static int control_backend(struct prober *prober, const struct check *check, const struct check_share *share,
                           struct arena *arena, const char **ret_seen, struct error **err) {
  const struct topology_workload *workload =
      topology_workload_find(prober->topology, TOPOLOGY_NAMESPACE_DEFAULT, share->workload);
  struct check backend = *check;
  backend.kind = CHECK_ALLOWED;
  backend.direct = true;
  backend.to = arena_printf(arena, "%s/%s", TOPOLOGY_NAMESPACE_DEFAULT, share->workload);
  if (!backend.to)
    return no_memory(err);
  for (size_t i = 0; workload && i < workload->port_count; i++) {
    if (workload->ports[i].protocol != check->protocol)
      continue;
    backend.port = workload->ports[i].port;
    return control_call(prober, &backend, true, arena, ret_seen, err);
  }
  return error_set(err, EINVAL, "%s has no port of the check's protocol", backend.to);
}

int judge_control(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                  struct error **err) {
  if (check->kind == CHECK_COUNTED)
    return judge_counted_control(prober, check, arena, ret_seen, err);
  struct check plain = *check;
  plain.keep = NULL; /* a kept connection belongs to the steps */
  plain.kind = CHECK_ALLOWED;
  int r = control_call(prober, &plain, check->kind == CHECK_DENIED, arena, ret_seen, err);
  for (size_t i = 0; check->kind == CHECK_SPLIT && r == 0 && !*ret_seen && i < check->share_count; i++)
    r = control_backend(prober, &plain, &check->shares[i], arena, ret_seen, err);
  return r;
}
