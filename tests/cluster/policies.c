#include "tests/cluster/policies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define POLICIES "/apis/security.istio.io/v1/namespaces/%s/authorizationpolicies"

struct policies *policies_create(struct api_server *server) {
  static unsigned number;
  struct policies *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  f->server = server;
  (void)snprintf(f->ns, sizeof(f->ns), "apply-%u-%d", ++number, (int)getpid());
  assert_true(asprintf(&f->path, POLICIES, f->ns) > 0);
  api_namespace_create(server, f->ns);
  return f;
}

void policies_destroy(struct policies *f) {
  free(f->path);
  free(f);
}

static struct api_answer ask(const struct policies *f, const char *method, const char *path, const char *type,
                             const json_t *body) {
  struct api_answer answer;
  api_server_send(f->server, &(struct api_request){.method = method, .path = path, .content_type = type, .body = body},
                  &answer);
  return answer;
}

/* "<base>/<name>": a heap string. */
static char *below(const char *base, const char *name) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/%s", base, name) > 0);
  return path;
}

json_t *policy(const struct policies *f, const char *name) {
  _cleanup_free_ char *path = below(f->path, name);
  struct api_answer answer = ask(f, "GET", path, NULL, NULL);
  assert_true(answer.status == 200 || answer.status == 404);
  json_t *object = answer.status == 200 ? json_incref(answer.body) : NULL;
  api_answer_finish(&answer);
  return object;
}

bool has_policy(const struct policies *f, const char *name) {
  json_auto_t *object = policy(f, name);
  return object;
}

size_t count_policies(const struct policies *f) {
  struct api_answer answer = ask(f, "GET", f->path, NULL, NULL);
  assert_int_equal(answer.status, 200);
  size_t count = json_array_size(json_object_get(answer.body, "items"));
  api_answer_finish(&answer);
  return count;
}

void put_policy(const struct policies *f, const char *name, const char *manager, const char *label, const char *sources,
                json_t *spec) {
  _cleanup_free_ char *path = below(f->path, name), *query = NULL;
  json_auto_t *body =
      json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s?}, s:{s:s?}}, s:o}", "apiVersion", "security.istio.io/v1", "kind",
                "AuthorizationPolicy", "metadata", "name", name, "namespace", f->ns, "labels",
                "app.kubernetes.io/managed-by", label, "annotations", "trammel.dev/sources", sources, "spec", spec);
  json_t *metadata = json_object_get(body, "metadata");
  if (!label)
    (void)json_object_del(metadata, "labels");
  if (!sources)
    (void)json_object_del(metadata, "annotations");
  assert_true(asprintf(&query, "%s?force=true&fieldManager=%s", path, manager) > 0);
  struct api_answer answer = ask(f, "PATCH", query, "application/apply-patch+yaml", body);
  if (answer.status != 200 && answer.status != 201)
    fail_msg("%s: %s", name, api_answer_message(&answer));
  api_answer_finish(&answer);
}

const char accounts[] = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: api, namespace: @}}\n---\n"
                        "{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: @}}\n---\n";
const char workloads[] =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: @}\n"
    "spec:\n  selector: {matchLabels: {app: api}}\n"
    "  template: {metadata: {labels: {app: api}}, spec: {serviceAccountName: api, containers: [{name: app, image: x, "
    "ports: [{name: http, containerPort: 8080}]}]}}\n---\n"
    "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: web, namespace: @}\n"
    "spec:\n  schedule: '0 0 * * *'\n  jobTemplate: {spec: {template: {metadata: {labels: {app: web}}, spec: "
    "{restartPolicy: Never, serviceAccountName: web, containers: [{name: app, image: x}]}}}}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: @}\n"
    "spec: {selector: {app: api}, ports: [{name: http, protocol: TCP, port: 80, targetPort: 8080}]}\n---\n";
const char target[] =
    "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t, namespace: @}\n"
    "spec:\n  destination: {kind: ServiceAccount, name: api}\n  sources: [{kind: ServiceAccount, name: web}]\n"
    "  rules: [{kind: HTTPRouteGroup, name: g}]\n---\n"
    "apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g, namespace: @}\n"
    "spec: {matches: [{name: read, pathRegex: '/items', methods: [GET]}]}\n---\n";
const char udp_target[] =
    "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t, namespace: @}\n"
    "spec:\n  destination: {kind: ServiceAccount, name: api}\n  sources: [{kind: ServiceAccount, name: web}]\n"
    "  rules: [{kind: UDPRoute, name: u}]\n---\n"
    "apiVersion: specs.smi-spec.io/v1alpha4\nkind: UDPRoute\nmetadata: {name: u, namespace: @}\n"
    "spec: {matches: {ports: [53]}}\n---\n";

char *input(const struct policies *f, bool changed) {
  _cleanup_free_ char *all = NULL;
  assert_true(asprintf(&all, "%s%s%s", accounts, workloads, target) > 0);
  char *text = with_ns(all, f->ns);
  char *get = strstr(text, "[GET]");
  assert_non_null(get);
  for (size_t i = 0; changed && i < strlen("PUT"); i++)
    get[1 + i] = "PUT"[i];
  return text;
}

char *input_of(const struct policies *f, const char *policy_text) {
  _cleanup_free_ char *all = NULL;
  assert_true(asprintf(&all, "%s%s%s", accounts, workloads, policy_text) > 0);
  return with_ns(all, f->ns);
}
