#include "host/conformance/judge_counted.h"

#include <errno.h>
#include <string.h>

#include "host/conformance/judge_text.h"
#include "sdk/base/strbuf.h"

/* The header in which the known sample app names the caller; its servers count it. */
#define CALLER_HEADER "ServiceName"

/* What was counted. */
struct tally {
  unsigned calls;
  unsigned succeeded;
  unsigned failed; /* with an answer: a call without one counts as neither, as in the sample app */
  unsigned *received;
};

static int no_memory(struct error **err) {
  return error_set(err, ENOMEM, "judging a check: no memory");
}

bool counted_step(const struct step *step) {
  for (size_t i = 0; i < step->check_count; i++)
    if (step->checks[i].kind != CHECK_COUNTED)
      return false;
  return true;
}

static bool is_success(const struct call_outcome *call) {
  return call->end == CALL_ANSWERED && call->status >= 200 && call->status < 400;
}

/* ---- counting */

/* The control client of a workload in namespace main. */
static int server_client(struct prober *prober, const char *workload, struct workload_client **ret_client,
                         struct error **err) {
  char key[256];
  (void)snprintf(key, sizeof(key), "%s/%s", TOPOLOGY_NAMESPACE_DEFAULT, workload);
  *ret_client = placement_workload(prober->placement, key);
  return *ret_client ? 0 : error_set(err, ENOENT, "the lab has no workload %s", key);
}

static int clear_counters(struct prober *prober, const struct counted *counted, struct error **err) {
  struct workload_client *client;
  int r = 0;
  for (size_t i = 0; r == 0 && i < counted->server_count; i++) {
    r = server_client(prober, counted->servers[i].workload, &client, err);
    if (r == 0)
      r = workload_counters_clear(client, err);
  }
  return r;
}

static int read_counters(struct prober *prober, const struct counted *counted, struct tally *tally,
                         struct error **err) {
  struct workload_client *client;
  int r = 0;
  for (size_t i = 0; r == 0 && i < counted->server_count; i++) {
    r = server_client(prober, counted->servers[i].workload, &client, err);
    if (r == 0)
      r = workload_requests_counted(client, &tally->received[i], err);
  }
  return r;
}

/* The check with the caller's name added to its headers. */
static int name_caller(const struct check *check, struct arena *arena, struct check *ret_check, struct error **err) {
  struct check_header *headers = arena_array(arena, check->header_count + 1, sizeof(*headers));
  if (!headers)
    return no_memory(err);
  const char *slash = strchr(check->from, '/');
  headers[0] = (struct check_header){.name = CALLER_HEADER, .value = slash ? slash + 1 : check->from};
  for (size_t i = 0; i < check->header_count; i++)
    headers[i + 1] = check->headers[i];
  *ret_check = *check;
  ret_check->headers = headers;
  ret_check->header_count = check->header_count + 1;
  return 0;
}

/* A number for each server that is looked at; NULL without memory. */
static unsigned *tally_room(const struct counted *counted, struct arena *arena) {
  return arena_array(arena, counted->server_count + 1, sizeof(unsigned));
}

static int count(struct prober *prober, const struct check *check, struct arena *arena, struct probe *ret_probe,
                 struct tally *tally, struct error **err) {
  const struct counted *counted = check->counted;
  struct check named;
  tally->calls = (unsigned)check_request_count(check);
  int r = name_caller(check, arena, &named, err);
  if (r == 0)
    r = clear_counters(prober, counted, err);
  if (r == 0)
    r = probe_call(prober, &named, tally->calls, CALL_TIMEOUT_MS, ret_probe, err);
  if (r < 0)
    return r;
  for (unsigned i = 0; i < ret_probe->count; i++) {
    bool success = is_success(&ret_probe->calls[i]);
    tally->succeeded += success;
    tally->failed += !success && ret_probe->calls[i].end == CALL_ANSWERED;
  }
  return read_counters(prober, counted, tally, err);
}

static bool number_holds(int wanted, unsigned number) {
  return wanted == COUNTED_ANY || (unsigned)wanted == number;
}

static bool tally_holds(const struct counted *counted, const struct tally *tally) {
  bool holds = number_holds(counted->succeeded, tally->succeeded) && number_holds(counted->failed, tally->failed);
  for (size_t i = 0; i < counted->server_count; i++) {
    const struct counted_server *server = &counted->servers[i];
    holds &= tally->received[i] >= (unsigned)server->least;
    holds &= server->most == COUNTED_ANY || tally->received[i] <= (unsigned)server->most;
  }
  return holds && (!counted->ordered || tally->received[counted->more] > tally->received[counted->less]);
}

/* ---- what it says */

static const char *finish(struct arena *arena, const struct strbuf *text) {
  return strbuf_failed(text) ? NULL : arena_strdup(arena, strbuf_text(text));
}

const char *counted_expected(struct arena *arena, const struct check *check) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  const struct counted *counted = check->counted;
  const char *what = check_describe(arena, check);
  unsigned calls = (unsigned)check_request_count(check);
  strbuf_printf(&text, "of %u %s %s", calls, calls == 1 ? "call" : "calls", what ? what : "");
  if (counted->succeeded != COUNTED_ANY)
    strbuf_printf(&text, ", %d succeeded", counted->succeeded);
  if (counted->failed != COUNTED_ANY)
    strbuf_printf(&text, ", %d failed", counted->failed);
  for (size_t i = 0; i < counted->server_count; i++) {
    const struct counted_server *server = &counted->servers[i];
    if (server->most != COUNTED_ANY)
      strbuf_printf(&text, ", %s counted %d", server->workload, server->least);
    else if (server->least > 0)
      strbuf_printf(&text, ", %s counted some", server->workload);
  }
  if (counted->ordered)
    strbuf_printf(&text, ", %s counted more than %s", counted->servers[counted->more].workload,
                  counted->servers[counted->less].workload);
  return finish(arena, &text);
}

static const char *tally_seen(struct arena *arena, const struct counted *counted, const struct tally *tally) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text, "%u succeeded, %u failed", tally->succeeded, tally->failed);
  if (tally->succeeded + tally->failed < tally->calls)
    strbuf_printf(&text, ", %u had no answer", tally->calls - tally->succeeded - tally->failed);
  for (size_t i = 0; i < counted->server_count; i++)
    strbuf_printf(&text, ", %s counted %u", counted->servers[i].workload, tally->received[i]);
  return finish(arena, &text);
}

static json_t *tally_evidence(const struct counted *counted, const struct probe *probe, const struct tally *tally) {
  json_t *received = json_object();
  for (size_t i = 0; received && i < counted->server_count; i++)
    (void)json_object_set_new(received, counted->servers[i].workload, json_integer(tally->received[i]));
  return json_pack("{s:s, s:i, s:i, s:i, s:o}", "id", probe->id, "requests", (int)tally->calls, "succeeded",
                   (int)tally->succeeded, "failed", (int)tally->failed, "received", received);
}

/* ---- entry points */

int judge_counted(struct prober *prober, const struct check *check, struct arena *arena, struct verdict *verdict,
                  struct error **err) {
  struct tally tally = {.received = tally_room(check->counted, arena)};
  if (!tally.received)
    return no_memory(err);
  int r = count(prober, check, arena, &verdict->probe, &tally, err);
  if (r < 0)
    return r;
  verdict->result.held = tally_holds(check->counted, &tally);
  verdict->result.expected = counted_expected(arena, check);
  verdict->result.seen = tally_seen(arena, check->counted, &tally);
  verdict->result.evidence = tally_evidence(check->counted, &verdict->probe, &tally);
  return verdict->result.expected && verdict->result.seen && verdict->result.evidence ? 0 : no_memory(err);
}

int judge_counted_glance(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                         struct error **err) {
  _cleanup_(probe_finish) struct probe probe = {0};
  struct tally tally = {.received = tally_room(check->counted, arena)};
  if (!tally.received)
    return no_memory(err);
  int r = count(prober, check, arena, &probe, &tally, err);
  if (r < 0)
    return r;
  *ret_seen = NULL;
  if (tally_holds(check->counted, &tally))
    return 0;
  *ret_seen = tally_seen(arena, check->counted, &tally);
  return *ret_seen ? 0 : no_memory(err);
}

int judge_counted_control(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                          struct error **err) {
  _cleanup_(probe_finish) struct probe probe = {0};
  struct check plain = *check;
  plain.keep = NULL; /* a kept connection belongs to the steps */
  int r = probe_call(prober, &plain, 1, CALL_TIMEOUT_MS, &probe, err);
  if (r < 0)
    return r;
  *ret_seen = NULL;
  if (is_success(&probe.calls[0]))
    return 0;
  *ret_seen = glance_seen(arena, check, &probe.calls[0]);
  return *ret_seen ? 0 : no_memory(err);
}
