/* The oracle of the adapters' property tests, on worlds written by hand: each fact of docs/smi.md that it rests on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/smi_property/oracle.h"

#define LIST(field, type, ...)                                                                                         \
  .field##s = (const type[]){__VA_ARGS__}, .field##_count = sizeof((const type[]){__VA_ARGS__}) / sizeof(type)
#define RULE(kind_, name_)                                                                                             \
  { .kind = (kind_), .name = (name_) }

#define META(kind_, name_)                                                                                             \
  { .kind = (kind_), .ns = "main", .name = (name_) }
#define ACCOUNT(name_)                                                                                                 \
  { .kind = SMI_SERVICE_ACCOUNT, .ns = "main", .name = (name_) }

static const struct inventory_port ports[] = {
    {.port = 8080, .protocol = PORT_HTTP}, {.port = 9000, .protocol = PORT_TCP}, {.port = 9000, .protocol = PORT_UDP}};
static const struct inventory_workload workloads[] = {
    {.ns = "main", .name = "api-0", .service_account = "api", .ports = ports, .port_count = 3},
    {.ns = "main", .name = "web-0", .service_account = "web", .ports = ports, .port_count = 3},
};
static const char *const api_workloads[] = {"api-0"};
static const struct inventory_port api_ports[] = {{"http", 80, 8080, PORT_HTTP},
                                                  {"trap", 9000, 8080, PORT_HTTP},
                                                  {"raw", 9100, 9000, PORT_TCP},
                                                  {"dns", 53, 9000, PORT_UDP}};
static const struct inventory_port web_ports[] = {{"http", 80, 9080, PORT_HTTP}};
static const struct inventory_service services[] = {
    {.ns = "main", .name = "api", LIST(port, struct inventory_port, {"http", 80, 8081, PORT_HTTP})},
    {.ns = "main",
     .name = "root",
     .ports = api_ports,
     .port_count = 4,
     .workloads = api_workloads,
     .workload_count = 1},
    {.ns = "main", .name = "web", .ports = web_ports, .port_count = 1},
};
static const char *const deny[] = {"main"};

static const struct smi_header header[] = {{"X-User", "adm.*"}};
static const char *const get[] = {"GET"};
static const struct smi_http_match matches[] = {
    {.name = "read", .path_regex = "/api|/v2$", .methods = get, .method_count = 1},
    {.name = "admin", .headers = header, .header_count = 1},
};
static const struct smi_http_route_group groups[] = {
    {.meta = META(SMI_HTTP_ROUTE_GROUP, "g"), .matches = matches, .match_count = 2}};
static const struct smi_port_route port_routes[] = {
    {.meta = META(SMI_TCP_ROUTE, "any")},
    {.meta = META(SMI_TCP_ROUTE, "http"), LIST(port, uint16_t, 80)},
    {.meta = META(SMI_TCP_ROUTE, "raw"), LIST(port, uint16_t, 9000, 9100)},
    {.meta = META(SMI_UDP_ROUTE, "dns"), LIST(port, uint16_t, 53)},
};

static struct world world_with(const struct smi_traffic_target *targets, size_t count) {
  return (struct world){
      .set = {.targets = targets,
              .target_count = count,
              .route_groups = groups,
              .route_group_count = 1,
              .port_routes = port_routes,
              .port_route_count = 4},
      .inventory = {.workloads = workloads, .workload_count = 2, .services = services, .service_count = 3},
      .deny_by_default = deny,
      .deny_count = 1};
}

static const struct smi_subject web[] = {ACCOUNT("web")};

/* One target of api, from web, with these rules. */
#define WORLD(...)                                                                                                     \
  world_with(&(const struct smi_traffic_target){.meta = META(SMI_TRAFFIC_TARGET, "t"),                                 \
                                                .destination = ACCOUNT("api"),                                         \
                                                .sources = web,                                                        \
                                                .source_count = 1,                                                     \
                                                LIST(rule, struct smi_rule, __VA_ARGS__)},                             \
             1)

static struct request http(const char *method, const char *path) {
  return (struct request){.source_ns = "main",
                          .source_account = "web",
                          .destination = &workloads[0],
                          .port = 8080,
                          .protocol = PORT_HTTP,
                          .http = {.method = method, .path = path}};
}

static struct request raw(uint16_t port, enum port_protocol protocol) {
  struct request request = http(NULL, NULL);
  request.port = port;
  request.protocol = protocol;
  return request;
}

static bool allows(const struct world *world, struct request request) {
  return smi_allows(world, &request);
}

static void nothing_is_allowed_by_default(void **state) {
  (void)state;
  struct world world = world_with(NULL, 0);
  assert_false(allows(&world, http("GET", "/api")));
  world.deny_count = 0;
  assert_true(allows(&world, http("GET", "/api")));
}

static void sources_and_destinations_are_accounts(void **state) {
  (void)state;
  const struct world world = WORLD(RULE(SMI_HTTP_ROUTE_GROUP, "g"));
  struct request request = http("GET", "/api");
  assert_true(allows(&world, request));
  request.source_account = "db";
  assert_false(allows(&world, request));
  request.source_account = "web";
  request.source_ns = "other";
  assert_false(allows(&world, request));
  request.source_ns = "main";
  request.destination = &workloads[1];
  assert_false(allows(&world, request));
}

static void a_match_is_path_and_method_and_headers(void **state) {
  (void)state;
  const struct world world = WORLD(RULE(SMI_HTTP_ROUTE_GROUP, "g"));
  assert_true(allows(&world, http("GET", "/api/x")));
  assert_true(allows(&world, http("GET", "/v2")));
  assert_false(allows(&world, http("GET", "/v2/x")));
  assert_false(allows(&world, http("GET", "/x/api"))); /* every alternative is anchored */
  assert_false(allows(&world, http("POST", "/api")));
  struct request request = http("POST", "/x");
  request.http.headers = (const struct request_header[]){{"x-user", "admin"}};
  request.http.header_count = 1;
  assert_true(allows(&world, request));
  request.http.headers = (const struct request_header[]){{"x-user", "xadmin"}};
  assert_false(allows(&world, request));
}

static void matches_are_those_named(void **state) {
  (void)state;
  static const char *const admin[] = {"admin"}, *const none[] = {"gone"};
  const struct world named = WORLD({SMI_HTTP_ROUTE_GROUP, "g", admin, 1});
  assert_false(allows(&named, http("GET", "/api")));
  const struct world dangling = WORLD({SMI_HTTP_ROUTE_GROUP, "g", none, 1});
  assert_false(allows(&dangling, http("GET", "/api")));
  const struct world absent = WORLD(RULE(SMI_HTTP_ROUTE_GROUP, "h"));
  assert_false(allows(&absent, http("GET", "/api")));
}

static void ports_are_those_of_services(void **state) {
  (void)state;
  const struct world world = WORLD(RULE(SMI_TCP_ROUTE, "raw"));
  assert_true(allows(&world, raw(9000, PORT_TCP)));  /* by 9100 */
  assert_true(allows(&world, http("GET", "/")));     /* by 9000, which leads to 8080 */
  assert_false(allows(&world, raw(9000, PORT_UDP))); /* TCP only */
  const struct world other = WORLD(RULE(SMI_TCP_ROUTE, "http"));
  assert_false(allows(&other, raw(9000, PORT_TCP)));
  const struct world any = WORLD(RULE(SMI_TCP_ROUTE, "any"));
  assert_true(allows(&any, raw(9000, PORT_TCP)));
  assert_false(allows(&any, raw(9000, PORT_UDP)));
  const struct world udp = WORLD(RULE(SMI_UDP_ROUTE, "dns"));
  assert_true(allows(&udp, raw(9000, PORT_UDP)));
  assert_false(allows(&udp, raw(9000, PORT_TCP)));
}

static void port_and_route_must_both_hold(void **state) {
  (void)state;
  const struct world world = WORLD(RULE(SMI_HTTP_ROUTE_GROUP, "g"), RULE(SMI_TCP_ROUTE, "http"));
  assert_true(allows(&world, http("GET", "/api")));
  assert_false(allows(&world, http("GET", "/x")));
  const struct world elsewhere = WORLD(RULE(SMI_HTTP_ROUTE_GROUP, "g"), RULE(SMI_TCP_ROUTE, "gone"));
  assert_false(allows(&elsewhere, http("GET", "/api")));
  const struct world tcp = WORLD(RULE(SMI_HTTP_ROUTE_GROUP, "g"), RULE(SMI_TCP_ROUTE, "any"));
  assert_false(allows(&tcp, raw(9000, PORT_TCP)));
  const struct world alone = WORLD(RULE(SMI_HTTP_ROUTE_GROUP, "g"));
  assert_false(allows(&alone, raw(9000, PORT_TCP)));
}

static void a_witness_says_what_allowed(void **state) {
  (void)state;
  static const char *const both[] = {"admin", "read"};
  const struct world world = WORLD(RULE(SMI_TCP_ROUTE, "http"), {SMI_HTTP_ROUTE_GROUP, "g", both, 2});
  struct request request = http("GET", "/api");
  struct witnesses witnesses;
  oracle_witnesses(&world, &request, &witnesses);
  assert_int_equal(witnesses.count, 1);
  assert_int_equal(witnesses.items[0].rule, 1);
  assert_int_equal(witnesses.items[0].match, 0);
  assert_int_equal(witnesses.items[0].named, 1);
  assert_int_equal(witnesses.items[0].port_rule, 0);
}

static void shares_are_those_of_backends_with_the_port(void **state) {
  (void)state;
  static const char *const in_group[] = {"g"};
  struct smi_traffic_split split = {
      .meta = META(SMI_TRAFFIC_SPLIT, "s"),
      .service = "root",
      LIST(backend, struct smi_backend, {"api", 3, NULL}, {"web", 1, NULL}, {"gone", 9, NULL})};
  struct world world = world_with(NULL, 0);
  world.set.splits = &split;
  world.set.split_count = 1;
  struct outbound_request request = {
      .service = &services[1], .port = &api_ports[0], .http = {.method = "GET", .path = "/x"}};
  struct shares shares;
  smi_shares(&world, &request, &shares);
  assert_int_equal(shares.count, 2);
  assert_int_equal(shares.sum, 4);
  assert_int_equal(shares.items[0].port, 8081);
  request.port = &api_ports[2]; /* which no backend has */
  smi_shares(&world, &request, &shares);
  assert_ptr_equal(shares.split, &split);
  assert_int_equal(shares.sum, 0);
  request.port = &api_ports[0];
  split.matches = in_group;
  split.match_count = 1;
  smi_shares(&world, &request, &shares);
  assert_null(shares.split);
  assert_string_equal(shares.items[0].service, "root");
  assert_int_equal(shares.items[0].port, 8080);
  request.http.path = "/api";
  smi_shares(&world, &request, &shares);
  assert_int_equal(shares.sum, 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_allowed_by_default),
      cmocka_unit_test(sources_and_destinations_are_accounts),
      cmocka_unit_test(a_match_is_path_and_method_and_headers),
      cmocka_unit_test(matches_are_those_named),
      cmocka_unit_test(ports_are_those_of_services),
      cmocka_unit_test(port_and_route_must_both_hold),
      cmocka_unit_test(a_witness_says_what_allowed),
      cmocka_unit_test(shares_are_those_of_backends_with_the_port),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
