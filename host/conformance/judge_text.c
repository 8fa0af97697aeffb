#include "host/conformance/judge_text.h"

#include <inttypes.h>
#include <string.h>

#include "host/conformance/judge.h"
#include "host/conformance/statistics.h"
#include "sdk/base/strbuf.h"

static const char *finish(struct arena *arena, const struct strbuf *text) {
  return strbuf_failed(text) ? NULL : arena_strdup(arena, strbuf_text(text));
}

/* Names in the default namespace are shown without it, as cases write them. */
static const char *short_name(const char *name) {
  size_t length = strlen(TOPOLOGY_NAMESPACE_DEFAULT);
  return strncmp(name, TOPOLOGY_NAMESPACE_DEFAULT, length) == 0 && name[length] == '/' ? name + length + 1 : name;
}

const char *check_describe(struct arena *arena, const struct check *check) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  if (!check_calls(check)) {
    strbuf_printf(&text, "%s %s", smi_kind_name(check->resource.kind), check->resource.name);
    return finish(arena, &text);
  }
  if (check->protocol == PROTOCOL_HTTP)
    strbuf_printf(&text, "%s %s%s", check->method, check->path, check->h2c ? " by h2c" : "");
  else
    strbuf_puts(&text, check->protocol == PROTOCOL_TCP ? "TCP" : "UDP");
  for (size_t i = 0; i < check->header_count; i++)
    strbuf_printf(&text, "%s%s: %s", i ? ", " : " with ", check->headers[i].name, check->headers[i].value);
  strbuf_printf(&text, " from %s to %s:%u", short_name(check->from), short_name(check->to), check->port);
  if (check->direct)
    strbuf_puts(&text, " around the client's proxy");
  if (check->keep)
    strbuf_puts(&text, " on a kept connection");
  return finish(arena, &text);
}

static void put_call(struct strbuf *text, const struct check *check, const struct call_outcome *call) {
  if (call->end == CALL_ERROR)
    strbuf_printf(text, "error: %s", call->error);
  else if (call->end != CALL_ANSWERED)
    strbuf_printf(text, "connection %s", call->end == CALL_TIMEOUT ? "timed out" : call_end_name(call->end));
  else if (check->protocol == PROTOCOL_HTTP)
    strbuf_printf(text, "status %u", call->status);
  else
    strbuf_puts(text, "an answer");
}

static void put_workloads(struct strbuf *text, const struct prober *prober, uint64_t workloads) {
  const char *separator = "";
  for (size_t i = 0; i < prober->topology->workload_count; i++) {
    if (!(workloads & (UINT64_C(1) << i)))
      continue;
    strbuf_printf(text, "%s%s", separator, prober->topology->workloads[i].name);
    separator = " and ";
  }
}

const char *call_seen(struct arena *arena, const struct prober *prober, const struct check *check,
                      const struct probe *probe, unsigned shown) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  const struct arrival *arrival = &probe->arrivals[shown];
  uint64_t targets = probe_targets(prober, check);
  put_call(&text, check, &probe->calls[shown]);
  strbuf_puts(&text, arrival->receivers ? ", received by " : ", received by no server");
  put_workloads(&text, prober, arrival->receivers);
  if (arrival->receivers & ~targets)
    strbuf_puts(&text, ", not only by what is behind the target");
  else if (arrival->receivers && !arrival->provers)
    strbuf_puts(&text, ", but the answer is not the one it gave");
  else if (arrival->receivers)
    strbuf_puts(&text, " and answered by it");
  if (probe->count > 1)
    strbuf_printf(&text, " (call %u of %u)", shown + 1, probe->count);
  return finish(arena, &text);
}

const char *glance_seen(struct arena *arena, const struct check *check, const struct call_outcome *call) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  put_call(&text, check, call);
  if (call->server[0])
    strbuf_printf(&text, ", answered by %s", call->server);
  return finish(arena, &text);
}

static json_t *workload_names(const struct prober *prober, uint64_t workloads) {
  json_t *names = json_array();
  for (size_t i = 0; names && i < prober->topology->workload_count; i++)
    if (workloads & (UINT64_C(1) << i))
      (void)json_array_append_new(names, json_string(prober->topology->workloads[i].name));
  return names;
}

json_t *call_evidence(const struct prober *prober, const struct check *check, const struct probe *probe,
                      unsigned shown) {
  const struct call_outcome *call = &probe->calls[shown];
  const struct arrival *arrival = &probe->arrivals[shown];
  json_t *evidence = json_pack("{s:o, s:i, s:s, s:I, s:o, s:b}", "id", json_sprintf("%s-%u", probe->id, shown), "calls",
                               (int)probe->count, "end", call_end_name(call->end), "latency_ns",
                               (json_int_t)call->latency_ns, "received_by", workload_names(prober, arrival->receivers),
                               "nonce_matches", (arrival->provers & probe_targets(prober, check)) != 0);
  if (!evidence)
    return NULL;
  if (call->status)
    (void)json_object_set_new(evidence, "status", json_integer(call->status));
  if (call->nonce[0])
    (void)json_object_set_new(evidence, "nonce", json_string(call->nonce));
  if (call->error[0])
    (void)json_object_set_new(evidence, "error", json_string(call->error));
  return evidence;
}

/* ---- splits */

static double percent_of(uint64_t part, uint64_t whole) {
  return whole ? 100.0 * (double)part / (double)whole : 0;
}

const char *split_expected(struct arena *arena, const struct check *check) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  const char *what = check_describe(arena, check);
  uint64_t sum = 0;
  for (size_t i = 0; i < check->share_count; i++)
    sum += check->shares[i].weight;
  strbuf_printf(&text, "%s goes to", what ? what : "");
  for (size_t i = 0; i < check->share_count; i++)
    strbuf_printf(&text, "%s %s %.4g%%", i ? "," : "", check->shares[i].workload,
                  percent_of(check->shares[i].weight, sum));
  if (!check->shares_judged)
    strbuf_puts(&text, " (only who gets anything is judged)");
  return finish(arena, &text);
}

const char *split_seen(struct arena *arena, const struct check *check, const struct split_count *count) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text, "of %u requests", count->calls);
  for (size_t i = 0; i < check->share_count; i++)
    strbuf_printf(&text, "%s %" PRIu64 " to %s (%.4g%%)", i ? "," : "", count->shares[i], check->shares[i].workload,
                  percent_of(count->shares[i], count->calls));
  if (count->elsewhere)
    strbuf_printf(&text, ", %" PRIu64 " elsewhere", count->elsewhere);
  if (count->unanswered) {
    strbuf_printf(&text, ", %" PRIu64 " without a backend's proof (the first: ", count->unanswered);
    put_call(&text, check, &count->first_unanswered);
    strbuf_puts(&text, ")");
  }
  if (check->shares_judged)
    strbuf_printf(&text, "; p = %.3g", count->p_value);
  return finish(arena, &text);
}

json_t *split_evidence(const struct check *check, const char *id, const struct split_count *count) {
  json_t *counts = json_object();
  for (size_t i = 0; counts && i < check->share_count; i++)
    (void)json_object_set_new(counts, check->shares[i].workload, json_integer((json_int_t)count->shares[i]));
  json_t *evidence = json_pack("{s:s, s:i, s:o, s:I, s:I}", "id", id, "requests", (int)count->calls, "counts", counts,
                               "elsewhere", (json_int_t)count->elsewhere, "unanswered", (json_int_t)count->unanswered);
  if (evidence && check->shares_judged) {
    (void)json_object_set_new(evidence, "p_value", json_real(count->p_value));
    (void)json_object_set_new(evidence, "alpha", json_real(SPLIT_ALPHA));
  }
  return evidence;
}
