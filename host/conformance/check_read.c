#include <errno.h>
#include <string.h>
#include <strings.h>

#include "host/conformance/case_read.h"

#define METHOD_DEFAULT "GET"
#define PATH_DEFAULT "/"

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", NULL};

/* "server" or "other/server" as "alias/name", and its parts. */
struct reference {
  const char *text;
  const char *ns;
  const char *name;
};

static bool read_reference(struct fields *fields, const struct node *map, const char *key,
                           const struct topology *topology, struct reference *ret_reference) {
  const char *text = fields_string(fields, map, key, 128, NULL);
  if (!text)
    return false;
  const char *slash = strchr(text, '/');
  const char *ns = TOPOLOGY_NAMESPACE_DEFAULT;
  if (slash)
    ns = fields_checked(fields, arena_strndup(fields->arena, text, (size_t)(slash - text)));
  const char *name = slash ? slash + 1 : text;
  if (!ns)
    return false;
  if (!topology_has_namespace(topology, ns)) {
    fields_complain(fields, node_get(map, key), CASE_UNKNOWN_NAMESPACE, NULL,
                    "the topology \"%s\" has no namespace \"%s\"", topology->name, ns);
    return false;
  }
  const char *full = fields_checked(fields, arena_printf(fields->arena, "%s/%s", ns, name));
  *ret_reference = (struct reference){.text = full, .ns = ns, .name = name};
  return full != NULL;
}

static void check_port(struct fields *fields, const struct node *map, const struct check *check,
                       const struct topology_port *ports, size_t count) {
  if (check->port == 0 || topology_port_find(ports, count, check->port, check->protocol))
    return;
  fields_complain(fields, node_get(map, "port"), CASE_UNKNOWN_PORT, NULL, "the %s %s has no %s port %u",
                  check->direct ? "workload" : "service", check->to, protocol_name(check->protocol),
                  (unsigned)check->port);
}

static void read_ends(struct fields *fields, const struct node *map, const struct topology *topology,
                      struct check *check) {
  struct reference from;
  struct reference to;
  check->port = fields_port(fields, map, "port", 0);
  if (read_reference(fields, map, "from", topology, &from)) {
    check->from = from.text;
    if (!topology_workload_find(topology, from.ns, from.name))
      fields_complain(fields, node_get(map, "from"), CASE_UNKNOWN_WORKLOAD, NULL,
                      "the topology \"%s\" has no workload \"%s\"", topology->name, from.text);
  }
  if (!read_reference(fields, map, "to", topology, &to))
    return;
  check->to = to.text;
  const struct topology_workload *workload = topology_workload_find(topology, to.ns, to.name);
  const struct topology_service *service = topology_service_find(topology, to.ns, to.name);
  if (check->direct && workload)
    check_port(fields, map, check, workload->ports, workload->port_count);
  else if (check->direct)
    fields_complain(fields, node_get(map, "to"), CASE_UNKNOWN_WORKLOAD, NULL,
                    "the topology \"%s\" has no workload \"%s\" (via: direct goes to a workload)", topology->name,
                    to.text);
  else if (service)
    check_port(fields, map, check, service->ports, service->port_count);
  else
    fields_complain(fields, node_get(map, "to"), CASE_UNKNOWN_SERVICE, NULL,
                    "the topology \"%s\" has no service \"%s\"", topology->name, to.text);
}

/* Headers that the workload's client sets itself, or that say how a message is framed. */
static bool header_is_reserved(const char *name) {
  static const char *const reserved[] = {"host",    "content-length", "transfer-encoding", "connection", "te",
                                         "trailer", "upgrade",        "keep-alive",        "expect",     NULL};
  for (size_t i = 0; reserved[i]; i++)
    if (strcasecmp(name, reserved[i]) == 0)
      return true;
  return strncasecmp(name, "x-trammel-", strlen("x-trammel-")) == 0;
}

static bool header_name_is_valid(const char *name) {
  size_t length = strlen(name);
  return length > 0 && length <= 128 &&
         strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == length;
}

static bool is_printable(const char *text, size_t length, char least) {
  for (size_t i = 0; i < length; i++)
    if (text[i] < least || text[i] > '~')
      return false;
  return true;
}

static void read_headers(struct fields *fields, const struct node *http, struct check *check) {
  const struct node *map = fields_get(fields, http, "headers", NODE_MAP, false);
  size_t count = fields_count(fields, map, "headers", CASE_HEADERS_MAX);
  struct check_header *headers = fields_checked(fields, arena_array(fields->arena, count, sizeof(*headers)));
  for (size_t i = 0; headers && i < count; i++) {
    const struct entry *entry = &map->entries[i];
    const char *value = entry->value->text ? entry->value->text : "";
    if (!header_name_is_valid(entry->key) || header_is_reserved(entry->key))
      fields_complain(fields, entry->value, FIELD_VALUE, NULL, "a check cannot send the header \"%s\"", entry->key);
    else if (!entry->value->text || entry->value->length > CASE_PATH_MAX || !is_printable(value, strlen(value), ' '))
      fields_complain(fields, entry->value, FIELD_VALUE, NULL,
                      "the header \"%s\" must be text of at most %d printable ASCII characters", entry->key,
                      CASE_PATH_MAX);
    headers[i].name = fields_checked(fields, arena_strdup(fields->arena, entry->key));
    headers[i].value = fields_checked(fields, arena_strdup(fields->arena, value));
  }
  check->headers = headers;
  check->header_count = headers ? count : 0;
}

static void read_http(struct fields *fields, const struct node *http, struct check *check) {
  static const char *const known[] = {"method", "path", "headers", "version", NULL};
  static const char *const versions[] = {"http/1.1", "h2c", NULL};
  if (!fields_known(fields, http, "http", known))
    return;
  const struct node *method = node_get(http, "method");
  int word = method ? fields_word(fields, method, "\"method\"", methods) : 0;
  check->method = word < 0 ? METHOD_DEFAULT : methods[word];
  const char *path = fields_string(fields, http, "path", CASE_PATH_MAX, PATH_DEFAULT);
  if (path && (path[0] != '/' || !is_printable(path, strlen(path), '!')))
    fields_complain(fields, node_get(http, "path"), FIELD_VALUE, NULL,
                    "\"path\" is \"%s\"; it must start with / and hold printable ASCII characters without spaces",
                    path);
  check->path = path ? path : PATH_DEFAULT;
  const struct node *version = node_get(http, "version");
  check->h2c = version && fields_word(fields, version, "\"version\"", versions) == 1;
  read_headers(fields, http, check);
}

/* What is sent: http, tcp or udp. */
static void read_protocol(struct fields *fields, const struct node *map, struct check *check) {
  static const char *const nothing[] = {"(nothing)", NULL};
  const struct node *calls[] = {node_get(map, "http"), node_get(map, "tcp"), node_get(map, "udp")};
  size_t given = 0;
  for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
    if (!calls[i])
      continue;
    given++;
    check->protocol = (enum protocol)(PROTOCOL_HTTP + i);
    if (check->protocol == PROTOCOL_HTTP)
      read_http(fields, calls[i], check);
    else
      (void)fields_known(fields, calls[i], protocol_name(check->protocol), nothing);
  }
  if (given == 1)
    return;
  fields_complain(fields, map, given == 0 ? FIELD_MISSING : CASE_CHECK_SENSELESS, NULL,
                  "a check sends one of http, tcp and udp; this one has %zu of them", given);
  check->protocol = PROTOCOL_HTTP;
}

static void read_share(struct fields *fields, const struct entry *entry, const struct topology *topology,
                       struct check_share *ret_share) {
  const struct node *weight = entry->value;
  if (!topology_workload_find(topology, TOPOLOGY_NAMESPACE_DEFAULT, entry->key))
    fields_complain(fields, weight, CASE_UNKNOWN_WORKLOAD, "Shares are those of workloads in the namespace \"main\".",
                    "the topology \"%s\" has no workload \"main/%s\"", topology->name, entry->key);
  if (weight->kind != NODE_INTEGER || weight->integer < 0 || weight->integer > CASE_WEIGHT_MAX)
    fields_complain(fields, weight, FIELD_VALUE, NULL, "the share of \"%s\" must be a whole number from 0 to %d",
                    entry->key, CASE_WEIGHT_MAX);
  else
    ret_share->weight = (uint32_t)weight->integer;
  ret_share->workload = fields_checked(fields, arena_strdup(fields->arena, entry->key));
}

static void read_split(struct fields *fields, const struct node *expect, const struct topology *topology,
                       struct check *check) {
  static const char *const known[] = {"split", "tolerance", NULL};
  static const char *const tolerances[] = {"zero", NULL};
  if (!fields_known(fields, expect, "\"expect\"", known))
    return;
  const struct node *tolerance = node_get(expect, "tolerance");
  check->kind = CHECK_SPLIT;
  check->shares_judged = !tolerance;
  if (tolerance)
    (void)fields_word(fields, tolerance, "\"tolerance\"", tolerances);
  const struct node *map = fields_get(fields, expect, "split", NODE_MAP, true);
  size_t count = fields_count(fields, map, "shares", CASE_SHARES_MAX);
  struct check_share *shares = fields_checked(fields, arena_array(fields->arena, count, sizeof(*shares)));
  uint64_t sum = 0;
  for (size_t i = 0; shares && i < count; i++) {
    read_share(fields, &map->entries[i], topology, &shares[i]);
    sum += shares[i].weight;
  }
  if (map && sum == 0)
    fields_complain(fields, map, FIELD_VALUE, "To expect that nothing arrives, use expect: denied.",
                    "no workload of this split has a share above 0");
  check->shares = shares;
  check->share_count = shares ? count : 0;
}

static void read_counted(struct fields *fields, const struct node *expect, const struct topology *topology,
                         struct check *check) {
  static const char *const known[] = {"counted", NULL};
  if (!fields_known(fields, expect, "\"expect\"", known))
    return;
  check->kind = CHECK_COUNTED;
  check->counted = counted_read(fields, node_get(expect, "counted"), topology);
}

static void read_expectation(struct fields *fields, const struct node *map, const struct topology *topology,
                             struct check *check) {
  static const char *const words[] = {"allowed", "denied", "unbroken", "cut", NULL};
  static const enum check_kind kinds[] = {CHECK_ALLOWED, CHECK_DENIED, CHECK_UNBROKEN, CHECK_CUT};
  const struct node *expect = node_get(map, "expect");
  check->kind = CHECK_ALLOWED;
  if (!expect)
    fields_complain(fields, map, FIELD_MISSING, NULL, "the field \"expect\" is missing");
  else if (expect->kind == NODE_MAP && node_get(expect, "metrics"))
    metrics_check_read(fields, expect, topology, check);
  else if (node_get(expect, "counted"))
    read_counted(fields, expect, topology, check);
  else if (expect->kind == NODE_MAP)
    read_split(fields, expect, topology, check);
  else {
    int word = fields_word(fields, expect, "\"expect\"", words);
    check->kind = word < 0 ? CHECK_ALLOWED : kinds[word];
  }
}

static void read_way(struct fields *fields, const struct node *map, struct check *check) {
  static const char *const ways[] = {"direct", NULL};
  static const char *const connections[] = {"kept", "fresh", "one", NULL}; /* in the order of check_connections */
  const struct node *via = node_get(map, "via");
  const struct node *connection = node_get(map, "connections");
  const struct node *keep = node_get(map, "keep");
  check->direct = via && fields_word(fields, via, "\"via\"", ways) == 0;
  int word = connection ? fields_word(fields, connection, "\"connections\"", connections) : -1;
  check->connections = word < 0 ? CONNECTIONS_KEPT : (enum check_connections)word;
  if (keep)
    check->keep = fields_label(fields, map, "keep", NULL);
}

static void read_repeat(struct fields *fields, const struct node *map, struct check *check) {
  const struct node *repeat = node_get(map, "repeat");
  check->repeat = check->kind == CHECK_SPLIT ? 0 : 1;
  if (!repeat)
    return;
  if (repeat->kind != NODE_INTEGER || repeat->integer < 1 || repeat->integer > CASE_REPEAT_MAX)
    fields_complain(fields, repeat, FIELD_VALUE, NULL, "\"repeat\" must be a whole number from 1 to %d",
                    CASE_REPEAT_MAX);
  else
    check->repeat = (unsigned)repeat->integer;
}

/* Fields that say something only together with others. */
static void check_combination(struct fields *fields, const struct node *map, const struct check *check) {
  const struct node *connections = node_get(map, "connections");
  if (connections && check->kind != CHECK_SPLIT)
    fields_complain(fields, connections, CASE_CHECK_SENSELESS, "To keep a connection across checks, use keep.",
                    "\"connections\" is for splits only");
  if (check->kind == CHECK_SPLIT && (check->keep || check->direct))
    fields_complain(fields, map, CASE_CHECK_SENSELESS, NULL, "a split cannot be judged with \"%s\"",
                    check->keep ? "keep" : "via: direct");
  if (check_goes_on(check) && (check->keep || check->direct || node_get(map, "repeat")))
    fields_complain(fields, map, CASE_CHECK_SENSELESS, NULL,
                    "calls that go on during a change have no keep, repeat and via: they go on until it is done");
  bool counted = check->kind == CHECK_COUNTED;
  if ((counted || check->kind == CHECK_METRICS) && check->header_count == CASE_HEADERS_MAX)
    fields_complain(fields, map, FIELD_TOO_MANY, "One is needed by the check itself.",
                    "a check of this kind has at most %d headers", CASE_HEADERS_MAX - 1);
  if (counted && check->protocol != PROTOCOL_HTTP)
    fields_complain(fields, map, CASE_CHECK_SENSELESS, NULL, "only HTTP requests are counted");
  if (counted && check->repeat > COUNTED_REPEAT_MAX)
    fields_complain(fields, node_get(map, "repeat"), FIELD_VALUE, NULL, "counted calls are at most %d",
                    COUNTED_REPEAT_MAX);
  if (node_get(map, "repeat") && !counted && (check->kind == CHECK_SPLIT || check->keep))
    fields_complain(fields, map, CASE_CHECK_SENSELESS, NULL, "\"repeat\" is not for %s",
                    check->keep ? "kept connections: a refusal may end them"
                                : "splits: their requests follow from the shares");
  if (check->keep && check->protocol == PROTOCOL_UDP)
    fields_complain(fields, map, CASE_CHECK_SENSELESS, NULL, "UDP has no connection to keep");
}

static void read_requirement(struct fields *fields, const struct node *map, const struct test_case *test,
                             struct check *check) {
  const char *first = test->requirement_count > 0 ? test->requirements[0] : "";
  check->requirement = first;
  if (!node_get(map, "requirement"))
    return;
  const char *id = fields_string(fields, map, "requirement", 16, NULL);
  if (!id)
    return;
  check->requirement = id;
  if (!requirement_find(id)) {
    fields_complain(fields, node_get(map, "requirement"), CASE_UNKNOWN_REQUIREMENT, NULL,
                    "there is no requirement \"%s\"", id);
    return;
  }
  for (size_t i = 0; i < test->requirement_count; i++)
    if (strcmp(test->requirements[i], id) == 0)
      return;
  fields_complain(fields, node_get(map, "requirement"), CASE_REQUIREMENT_NOT_LISTED,
                  "Add it to the case's \"requirements\", so that the case is found by it.",
                  "the case does not list the requirement %s", id);
}

/* {refused: kind/name} or {reported: kind/name} */
static void read_about_resource(struct fields *fields, const struct node *map, const struct test_case *test,
                                struct check *ret_check) {
  static const char *const refused[] = {"refused", "requirement", NULL};
  static const char *const reported[] = {"reported", "requirement", NULL};
  bool is_refusal = node_get(map, "refused") != NULL;
  const char *key = is_refusal ? "refused" : "reported";
  if (!fields_known(fields, map, "a check about a resource", is_refusal ? refused : reported))
    return;
  struct check check = {.kind = is_refusal ? CHECK_REFUSED : CHECK_REPORTED};
  read_requirement(fields, map, test, &check);
  const char *text = fields_string(fields, map, key, 300, NULL);
  check.resource = resource_name_parse(text ? text : "");
  if (text && !resources_have(is_refusal ? test->invalid : test->resources, &check.resource))
    fields_complain(fields, node_get(map, key), CASE_UNKNOWN_RESOURCE,
                    "Write it as kind/name, as in TrafficTarget/allow.", "the case has no %sresource \"%s\"",
                    is_refusal ? "invalid " : "", text);
  *ret_check = check;
}

void check_read(struct fields *fields, const struct node *map, const struct test_case *test, struct check *ret_check) {
  static const char *const known[] = {"from",   "to",          "port",    "http",   "tcp",
                                      "udp",    "via",         "keep",    "expect", "connections",
                                      "repeat", "requirement", "failing", "answer", NULL};
  if (map->kind == NODE_MAP && (node_get(map, "refused") || node_get(map, "reported"))) {
    read_about_resource(fields, map, test, ret_check);
    return;
  }
  if (!fields_known(fields, map, "a check", known))
    return;
  struct check check = {0};
  read_requirement(fields, map, test, &check);
  read_protocol(fields, map, &check);
  read_way(fields, map, &check);
  read_expectation(fields, map, test->topology, &check);
  read_repeat(fields, map, &check);
  metrics_check_read_answers(fields, map, &check);
  read_ends(fields, map, test->topology, &check);
  check_combination(fields, map, &check);
  *ret_check = check;
}
