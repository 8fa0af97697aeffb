#include "host/conformance/judge.h"

#include <errno.h>
#include <string.h>

#include "host/conformance/statistics.h"
#include "sdk/base/strbuf.h"

#define GLANCE_CALLS 24

/* Names in namespace main are shown without it, as cases write them. */
static const char *short_name(const char *name) {
  return strncmp(name, "main/", 5) == 0 ? name + 5 : name;
}

const char *check_describe(struct arena *arena, const struct check *check) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  switch (check->protocol) {
  case PROTOCOL_HTTP:
    strbuf_printf(&text, "%s %s", check->method, check->path);
    for (size_t i = 0; i < check->header_count; i++)
      strbuf_printf(&text, "%s%s: %s", i ? ", " : " with ", check->headers[i].name, check->headers[i].value);
    break;
  case PROTOCOL_TCP:
    strbuf_puts(&text, "TCP");
    break;
  case PROTOCOL_UDP:
    strbuf_puts(&text, "UDP");
    break;
  }
  strbuf_printf(&text, " from %s to %s:%u", short_name(check->from), short_name(check->to), check->port);
  if (check->direct)
    strbuf_puts(&text, " around the client's proxy");
  if (check->keep)
    strbuf_puts(&text, " on a kept connection");
  return strbuf_failed(&text) ? NULL : arena_strdup(arena, strbuf_text(&text));
}

static bool is_allowed(const struct check *check, const struct probe_outcome *outcome) {
  return outcome->call.end == CALL_ANSWERED && (check->protocol != PROTOCOL_HTTP || outcome->call.status == 200) &&
         outcome->proven;
}

/* The refusals that count as a denial, given that no server has a record of the call. */
static bool is_refusal(const struct check *check, const struct call_outcome *call) {
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

static bool is_denied(const struct check *check, const struct probe_outcome *outcome) {
  return !outcome->received_by && is_refusal(check, &outcome->call);
}

static void call_describe(struct strbuf *text, const struct check *check, const struct call_outcome *call) {
  if (call->end == CALL_ERROR)
    strbuf_printf(text, "error: %s", call->error);
  else if (call->end != CALL_ANSWERED)
    strbuf_printf(text, "connection %s", call->end == CALL_TIMEOUT ? "timed out" : call_end_name(call->end));
  else if (check->protocol == PROTOCOL_HTTP)
    strbuf_printf(text, "status %u", call->status);
  else
    strbuf_puts(text, "an answer");
}

static const char *outcome_describe(struct arena *arena, const struct check *check,
                                    const struct probe_outcome *outcome) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  call_describe(&text, check, &outcome->call);
  if (outcome->proven)
    strbuf_printf(&text, ", received and answered by %s", outcome->received_by);
  else if (outcome->intended)
    strbuf_printf(&text, ", received by %s, but the answer is not the one it gave", outcome->received_by);
  else if (outcome->received_by)
    strbuf_printf(&text, ", received by %s, which is not behind the target", outcome->received_by);
  else
    strbuf_puts(&text, ", received by no server");
  return strbuf_failed(&text) ? NULL : arena_strdup(arena, strbuf_text(&text));
}

static json_t *outcome_evidence(const struct probe_outcome *outcome) {
  json_t *evidence = json_pack("{s:s, s:s, s:I}", "id", outcome->id, "end", call_end_name(outcome->call.end),
                               "latency_ns", (json_int_t)outcome->call.latency_ns);
  if (!evidence)
    return NULL;
  if (outcome->call.status)
    json_object_set_new(evidence, "status", json_integer(outcome->call.status));
  if (outcome->call.nonce[0])
    json_object_set_new(evidence, "nonce", json_string(outcome->call.nonce));
  if (outcome->call.error[0])
    json_object_set_new(evidence, "error", json_string(outcome->call.error));
  json_object_set_new(evidence, "received_by", outcome->received_by ? json_string(outcome->received_by) : json_null());
  json_object_set_new(evidence, "nonce_matches", json_boolean(outcome->proven));
  return evidence;
}

static int judge_single(struct prober *prober, const struct check *check, struct arena *arena,
                        struct check_result *result, struct error **err) {
  struct probe_outcome outcome;
  int r = probe_call(prober, check, &outcome, err);
  if (r < 0)
    return r;
  bool allowed = check->kind == CHECK_ALLOWED;
  result->held = allowed ? is_allowed(check, &outcome) : is_denied(check, &outcome);
  const char *what = check_describe(arena, check);
  result->expected = arena_printf(arena, "%s %s", what, allowed ? "goes through" : "is denied");
  result->seen = outcome_describe(arena, check, &outcome);
  result->evidence = outcome_evidence(&outcome);
  if (!what || !result->expected || !result->seen || !result->evidence)
    return error_set(err, ENOMEM, "judging a check: no memory");
  return 0;
}

/* ---- splits */

static uint64_t weight_sum(const struct check *check) {
  uint64_t sum = 0;
  for (size_t i = 0; i < check->share_count; i++)
    sum += check->shares[i].weight;
  return sum;
}

/* Whether exactly those that have weight got something. */
static bool split_reaches(const struct check *check, const struct probe_shares *shares) {
  for (size_t i = 0; i < check->share_count; i++)
    if ((check->shares[i].weight > 0) != (shares->counts[i] > 0))
      return false;
  return shares->elsewhere == 0 && shares->unproven == 0;
}

static const char *split_expected(struct arena *arena, const struct check *check) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  const char *what = check_describe(arena, check);
  double sum = (double)weight_sum(check);
  strbuf_printf(&text, "%s goes to", what ? what : "");
  for (size_t i = 0; i < check->share_count; i++)
    strbuf_printf(&text, "%s %s %.4g%%", i ? "," : "", check->shares[i].workload, 100 * check->shares[i].weight / sum);
  if (!check->shares_judged)
    strbuf_puts(&text, " (only who gets anything is judged)");
  return strbuf_failed(&text) ? NULL : arena_strdup(arena, strbuf_text(&text));
}

static const char *split_seen(struct arena *arena, const struct check *check, const struct probe_shares *shares,
                              unsigned calls, const struct split_verdict *verdict) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text, "of %u requests", calls);
  for (size_t i = 0; i < check->share_count; i++)
    strbuf_printf(&text, "%s %llu to %s (%.4g%%)", i ? "," : "", (unsigned long long)shares->counts[i],
                  check->shares[i].workload, 100.0 * (double)shares->counts[i] / calls);
  if (shares->elsewhere)
    strbuf_printf(&text, ", %llu elsewhere", (unsigned long long)shares->elsewhere);
  if (shares->unproven) {
    strbuf_printf(&text, ", %llu without a server's proof (the first: ", (unsigned long long)shares->unproven);
    call_describe(&text, check, &shares->first_unproven);
    strbuf_puts(&text, ")");
  }
  if (check->shares_judged)
    strbuf_printf(&text, "; p = %.3g", verdict->p_value);
  return strbuf_failed(&text) ? NULL : arena_strdup(arena, strbuf_text(&text));
}

static json_t *split_evidence(const struct check *check, const struct probe_shares *shares, unsigned calls,
                              const struct split_verdict *verdict) {
  json_t *counts = json_object();
  for (size_t i = 0; i < check->share_count; i++)
    json_object_set_new(counts, check->shares[i].workload, json_integer((json_int_t)shares->counts[i]));
  json_t *evidence = json_pack("{s:s, s:i, s:o, s:I, s:I}", "id", shares->id, "requests", (int)calls, "counts", counts,
                               "elsewhere", (json_int_t)shares->elsewhere, "unproven", (json_int_t)shares->unproven);
  if (evidence && check->shares_judged) {
    json_object_set_new(evidence, "p_value", json_real(verdict->p_value));
    json_object_set_new(evidence, "alpha", json_real(SPLIT_ALPHA));
  }
  return evidence;
}

static int judge_split(struct prober *prober, const struct check *check, struct arena *arena,
                       struct check_result *result, struct error **err) {
  unsigned calls = (unsigned)check_request_count(check);
  uint32_t *weights = arena_array(arena, check->share_count, sizeof(*weights));
  if (!weights)
    return error_set(err, ENOMEM, "judging a split: no memory");
  for (size_t i = 0; i < check->share_count; i++)
    weights[i] = check->shares[i].weight;

  _cleanup_(probe_shares_finish) struct probe_shares shares = {0};
  int r = probe_shares(prober, check, calls, &shares, err);
  if (r < 0)
    return r;
  struct split_verdict verdict = {0};
  split_judge(shares.counts, weights, check->share_count, shares.elsewhere + shares.unproven, SPLIT_ALPHA, &verdict);
  result->held = split_reaches(check, &shares) && (!check->shares_judged || verdict.fair);
  result->expected = split_expected(arena, check);
  result->seen = split_seen(arena, check, &shares, calls, &verdict);
  result->evidence = split_evidence(check, &shares, calls, &verdict);
  if (!result->expected || !result->seen || !result->evidence)
    return error_set(err, ENOMEM, "judging a split: no memory");
  return 0;
}

/* ---- entry points */

int judge_check(struct prober *prober, const struct check *check, struct arena *arena, struct check_result *ret_result,
                struct error **err) {
  struct check_result result = {.check = check};
  int r = check->kind == CHECK_SPLIT ? judge_split(prober, check, arena, &result, err)
                                     : judge_single(prober, check, arena, &result, err);
  if (r < 0) {
    json_decref(result.evidence);
    return r;
  }
  *ret_result = result;
  return 0;
}

/* As far as the answers tell; proofs are for the verdict. */
static bool looks_right(const struct check *check, const struct call_outcome *call) {
  if (check->kind == CHECK_DENIED)
    return is_refusal(check, call);
  if (call->end != CALL_ANSWERED || (check->protocol == PROTOCOL_HTTP && call->status != 200) || !call->nonce[0])
    return false;
  if (check->kind == CHECK_ALLOWED)
    return true;
  for (size_t i = 0; i < check->share_count; i++)
    if (check->shares[i].weight > 0 && strcmp(check->shares[i].workload, call->server) == 0)
      return true;
  return false;
}

int judge_glance(struct prober *prober, const struct check *check, bool *ret_holds, struct error **err) {
  unsigned calls = check->kind == CHECK_SPLIT ? GLANCE_CALLS : 1;
  _cleanup_free_ struct call_outcome *outcomes = NULL;
  int r = probe_calls(prober, check, calls, &outcomes, err);
  if (r < 0)
    return r;
  *ret_holds = true;
  for (unsigned i = 0; i < calls; i++)
    *ret_holds &= looks_right(check, &outcomes[i]);
  return 0;
}

int judge_control(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                  struct error **err) {
  struct check once = *check;
  once.keep = NULL; /* a kept connection belongs to the steps */
  struct probe_outcome outcome;
  int r = probe_call(prober, &once, &outcome, err);
  if (r < 0)
    return r;
  *ret_seen = NULL;
  if (is_allowed(check, &outcome))
    return 0;
  *ret_seen = outcome_describe(arena, check, &outcome);
  return *ret_seen ? 0 : error_set(err, ENOMEM, "judging a control call: no memory");
}
