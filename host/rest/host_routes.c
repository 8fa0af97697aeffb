/* The host itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/rest/route.h"
#include "host/rpc/methods.h"
#include "sdk/base/strbuf.h"

#define MESHES_MAX 64 /* that /metrics tells of */

struct answer serve_adapters(struct request *request) {
  _cleanup_error_ struct error *err = NULL;
  json_t *list = NULL;
  int r = adapters_list(request->host, &list, &err);
  return r < 0 ? answer_error(r, err) : answer_json(200, json_pack("{s:o}", "adapters", list));
}

struct answer serve_live(struct request *request) {
  (void)request;
  return answer_json(200, json_pack("{s:s}", "status", "live"));
}

struct answer serve_ready(struct request *request) {
  return atomic_load(&request->host->stopping) ? answer_problem(503, "the host is stopping")
                                               : answer_json(200, json_pack("{s:s}", "status", "ready"));
}

extern const unsigned char openapi[];
extern const size_t openapi_length;

struct answer serve_description(struct request *request) {
  (void)request;
  char *copy = malloc(openapi_length);
  if (copy)
    (void)memcpy(copy, openapi, openapi_length);
  return answer_data("application/json", copy, openapi_length);
}

/* ---- /metrics: Prometheus' text format 0.0.4 */

static void put_family(struct strbuf *text, const char *name, const char *help) {
  strbuf_printf(text, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void put_states(struct strbuf *text, const struct run_view *views, size_t count) {
  size_t counts[RUN_INTERRUPTED + 1] = {0};
  for (size_t i = 0; i < count; i++)
    counts[views[i].state]++;
  put_family(text, "trammel_runs", "The latest 1000 runs that are kept, by state.");
  for (enum run_state state = RUN_QUEUED; state <= RUN_INTERRUPTED; state++)
    strbuf_printf(text, "trammel_runs{state=\"%s\"} %zu\n", run_state_name(state), counts[state]);
}

/* The latest run of each mesh that ended by itself. */
struct latest {
  const struct run_view *views[MESHES_MAX];
  size_t count;
};

static void note(struct latest *latest, const struct run_view *view) {
  for (size_t i = 0; i < latest->count; i++)
    if (strcmp(latest->views[i]->mesh, view->mesh) == 0)
      return;
  if (latest->count < MESHES_MAX)
    latest->views[latest->count++] = view;
}

static void put_label(struct strbuf *text, const char *value) {
  for (; *value != '\0'; value++) {
    if (*value == '\\' || *value == '"')
      strbuf_putc(text, '\\');
    if (*value == '\n')
      strbuf_puts(text, "\\n");
    else
      strbuf_putc(text, *value);
  }
}

static double end_of(const struct run_view *view) {
  return (double)view->ended_ms / 1000;
}

static double failed_of(const struct run_view *view) {
  return view->failed;
}

static double exit_code_of(const struct run_view *view) {
  return view->exit_code;
}

static void put_latest(struct strbuf *text, const struct latest *latest) {
  static const struct {
    const char *name, *help;
    double (*value)(const struct run_view *view);
  } families[] = {
      {"trammel_mesh_run_end_timestamp_seconds", "When the latest run of a mesh ended.", end_of},
      {"trammel_mesh_cases_failed", "Cases that failed in it.", failed_of},
      {"trammel_mesh_run_exit_code", "How it ended: 0 conformant, 1 not, 3 it could not be told.", exit_code_of}};
  for (size_t i = 0; i < ARRAY_COUNT(families); i++) {
    put_family(text, families[i].name, families[i].help);
    for (size_t j = 0; j < latest->count; j++) {
      strbuf_printf(text, "%s{mesh=\"", families[i].name);
      put_label(text, latest->views[j]->mesh);
      strbuf_printf(text, "\"} %.3f\n", families[i].value(latest->views[j]));
    }
  }
}

struct answer serve_metrics(struct request *request) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  struct run_view *views = NULL;
  struct latest latest = {.count = 0};
  _cleanup_error_ struct error *err = NULL;
  size_t count = 0;
  int r = runs_list(request->host->runs, NULL, NULL, 0, &views, &count, &err);
  if (r < 0)
    return answer_error(r, err);
  for (size_t i = 0; i < count; i++)
    if (views[i].state == RUN_ENDED)
      note(&latest, &views[i]);
  put_family(&text, "trammel_build_info", "The version of the host.");
  strbuf_printf(&text, "trammel_build_info{version=\"%s\"} 1\n", TRAMMEL_VERSION);
  put_states(&text, views, count);
  put_latest(&text, &latest);
  runs_list_free(views, count);
  size_t length = text.length;
  return answer_data("text/plain; version=0.0.4; charset=utf-8", strbuf_steal(&text), length);
}
