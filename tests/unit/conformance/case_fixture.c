#include "tests/unit/conformance/case_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/strbuf.h"

const char case_text[] = "id: access/http/example\n"                                                         /* 1 */
                         "title: An example\n"                                                               /* 2 */
                         "requirements: [ACC-01, ACC-03]\n"                                                  /* 3 */
                         "why: Because.\n"                                                                   /* 4 */
                         "topology: small\n"                                                                 /* 5 */
                         "deny_by_default: [main]\n"                                                         /* 6 */
                         "resources:\n"                                                                      /* 7 */
                         "  - apiVersion: specs.smi-spec.io/v1alpha4\n"                                      /* 8 */
                         "    kind: HTTPRouteGroup\n"                                                        /* 9 */
                         "    metadata: {name: routes, namespace: \"${main}\"}\n"                            /* 10 */
                         "    spec: {matches: [{name: any, pathRegex: /, methods: [GET]}]}\n"                /* 11 */
                         "  - apiVersion: access.smi-spec.io/v1alpha3\n"                                     /* 12 */
                         "    kind: TrafficTarget\n"                                                         /* 13 */
                         "    metadata: {name: allow, namespace: \"${main}\"}\n"                             /* 14 */
                         "    spec:\n"                                                                       /* 15 */
                         "      destination: {kind: ServiceAccount, name: server, namespace: \"${main}\"}\n" /* 16 */
                         "      rules: [{kind: HTTPRouteGroup, name: routes}]\n"                             /* 17 */
                         "      sources: [{kind: ServiceAccount, name: client, namespace: \"${other}\"}]\n"  /* 18 */
                         "steps:\n"                                                                          /* 19 */
                         "  - checks:\n"                                                                     /* 20 */
                         "      - {from: other/client, to: server, port: 80, http: {}, expect: allowed}\n"   /* 21 */
                         "      - {from: stranger, to: server, port: 80, http: {path: /x, headers: {a: b}}, "
                         "expect: denied, requirement: ACC-03}\n"                                     /* 22 */
                         "  - delete: [TrafficTarget/allow]\n"                                        /* 23 */
                         "    apply: [HTTPRouteGroup/routes]\n"                                       /* 24 */
                         "    checks:\n"                                                              /* 25 */
                         "      - {from: stranger, to: server, port: 70, tcp: {}, expect: allowed}\n" /* 26 */
                         "      - {from: stranger, to: server, port: 80, http: {}, expect: {split: {server: 2}}}\n";

static const char topology_text[] =
    "workloads:\n"
    "  - {name: client, namespace: other}\n"
    "  - {name: stranger}\n"
    "  - {name: server, ports: [{port: 8080}, {port: 70, protocol: tcp}, {port: 53, protocol: udp}]}\n"
    "services:\n"
    "  - name: server\n"
    "    workloads: [server]\n"
    "    ports: [{port: 80, target_port: 8080}, {port: 70, protocol: tcp}, {port: 53, protocol: udp}]\n";

char *case_text_with(const char *from, const char *to) {
  struct strbuf text = STRBUF_INIT;
  const char *at = strstr(case_text, from);
  assert_non_null(at);
  strbuf_append(&text, case_text, (size_t)(at - case_text));
  strbuf_puts(&text, to);
  strbuf_puts(&text, at + strlen(from));
  char *result = strbuf_steal(&text);
  assert_non_null(result);
  return result;
}

static const struct node *read_document(struct case_fixture *fixture, const char *text) {
  struct document_list documents;
  assert_int_equal(document_read(fixture->arena, "case.yaml", text, strlen(text), DOCUMENT_YAML,
                                 &document_limits_default, fixture->diagnostics, &documents),
                   0);
  assert_int_equal(documents.count, 1);
  return documents.roots[0];
}

struct case_fixture case_fixture_read(const char *text) {
  struct case_fixture fixture = {.arena = arena_create(0), .diagnostics = diagnostics_create()};
  assert_non_null(fixture.arena);
  assert_non_null(fixture.diagnostics);
  struct topology *topology = arena_new(fixture.arena, struct topology);
  assert_non_null(topology);
  assert_int_equal(
      topology_read(fixture.arena, "small", read_document(&fixture, topology_text), fixture.diagnostics, topology), 0);
  const struct topology *known = topology;
  struct topology_table topologies = {.topologies = &known, .count = 1};
  fixture.result =
      case_read(fixture.arena, &topologies, read_document(&fixture, text), fixture.diagnostics, &fixture.test);
  return fixture;
}

void case_fixture_finish(struct case_fixture *fixture) {
  diagnostics_destroy(fixture->diagnostics);
  arena_destroy(fixture->arena);
}
