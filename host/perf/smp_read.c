#include <string.h>
#include <strings.h>

#include "host/load/defaults.h"
#include "host/perf/profile_fields.h"
#include "host/perf/profile_split.h"
#include "host/perf/smp.h"
#include "smp/service_mesh.pb-c.h"

/* PerformanceTestConfig.Client.Protocol. */
enum smp_protocol { SMP_HTTP = 1, SMP_TCP, SMP_UDP, SMP_GRPC };
static const char *protocol_name(int protocol) {
  static const char *const names[] = {"INVALID", "HTTP", "TCP", "UDP", "GRPC"};
  return protocol >= 0 && protocol < (int)ARRAY_COUNT(names) ? names[protocol] : NULL;
}

const char *smp_mesh_name(int type) {
  const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(&smp__service_mesh__type__descriptor, type);
  return value ? value->name : NULL;
}

bool smp_is_test(const struct node *root) {
  return node_get(root, "test") != NULL;
}

/* ---- values */

/* A string that may be empty, as protobuf's are; NULL when it is, or absent. */
static const char *string(struct fields *fields, const struct node *map, const char *key) {
  const struct node *value = fields_get(fields, map, key, NODE_STRING, false);
  return value && value->length > 0 ? profile_text(fields, map, key) : NULL;
}

/* By number or by name, in either case; 0 when absent, -1 after a complaint. Names are numbered from 0 on, without a
 * gap, and NULL is behind the last one. */
static int enumeration(struct fields *fields, const struct node *map, const char *key, const char *(*name_of)(int)) {
  const struct node *value = node_get(map, key);
  int count = 0;
  if (!value)
    return 0;
  for (; name_of(count); count++)
    if (value->kind == NODE_STRING && strcasecmp(value->text, name_of(count)) == 0)
      return count;
  if (value->kind == NODE_INTEGER && value->integer >= 0 && value->integer < count)
    return (int)value->integer;
  _cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
  for (int i = 0; i < count; i++)
    strbuf_printf(&names, "%s%s", i > 0 ? ", " : "", name_of(i));
  fields_complain(fields, value, FIELD_VALUE, NULL, "\"%s\" must be one of %s, or its number from 0 to %d", key,
                  strbuf_text(&names), count - 1);
  return -1;
}

static struct smp_labels labels(struct fields *fields, const struct node *map, const char *key) {
  const struct node *given = fields_get(fields, map, key, NODE_MAP, false);
  size_t count = fields_count(fields, given, key, SMP_LABELS_MAX);
  struct smp_label *list = fields_checked(fields, arena_array(fields->arena, count, sizeof(*list)));
  struct smp_labels found = {.list = list};
  for (size_t i = 0; list && i < count; i++) {
    const struct node *value = profile_scalar(fields, given, given->entries[i].key);
    if (value)
      list[found.count++] = (struct smp_label){given->entries[i].key, value->text};
  }
  return found;
}

/* ---- clients */

static void refuse(struct fields *fields, const struct node *map, const char *key, const char *reason) {
  fields_complain(fields, node_get(map, key), FIELD_VALUE, NULL, "\"%s\" can't be honoured: %s", key, reason);
}

static void note_generator(struct fields *fields, const struct node *client) {
  const char *name = string(fields, client, "load_generator");
  if (!name || strcmp(name, "trammel") == 0)
    return;
  const struct diagnostic note = {.severity = SEVERITY_WARNING,
                                  .code = "PROFILE-0006",
                                  .pointer = node_pointer(fields->arena, node_get(client, "load_generator")),
                                  .position = node_get(client, "load_generator")->position};
  if (diagnostics_addf(fields->diagnostics, &note, "the load is made by Trammel's own engine, not by \"%.64s\"", name) <
      0)
    fields->no_memory = true;
}

/* Of gRPC the format names no method: the health of the whole server is asked for. */
static int read_protocol(struct fields *fields, const struct node *client, struct target_options *target) {
  int protocol = enumeration(fields, client, "protocol", protocol_name);
  if (protocol == 0)
    fields_complain(fields, node_get(client, "protocol") ? node_get(client, "protocol") : client, FIELD_MISSING,
                    "Give \"protocol: HTTP\", or 1.", "a client has a protocol, and INVALID (0) is none");
  if (protocol == SMP_GRPC)
    target->grpc_health = "";
  if (protocol == SMP_GRPC && string(fields, client, "body"))
    refuse(fields, client, "body", "over GRPC the health of the server is asked for, which has no body");
  return protocol;
}

/* Its scheme says what is spoken, and has to be that of the protocol. */
static void check_scheme(struct fields *fields, const struct node *url, int protocol) {
  static const char *const schemes[][2] = {
      [SMP_HTTP] = {"http://", "https://"},
      [SMP_TCP] = {"tcp://", "tcp://"},
      [SMP_UDP] = {"udp://", "udp://"},
      [SMP_GRPC] = {"http://", "https://"},
  };
  if (protocol < SMP_HTTP || url->kind != NODE_STRING)
    return;
  for (size_t i = 0; i < 2; i++)
    if (strncasecmp(url->text, schemes[protocol][i], strlen(schemes[protocol][i])) == 0)
      return;
  fields_complain(fields, url, FIELD_VALUE, NULL, "a URL of protocol %s begins with %s", protocol_name(protocol),
                  schemes[protocol][0]);
}

/* What of a client has no place in a load of this machine. */
static void check_client(struct fields *fields, const struct node *client) {
  const char *certificate = string(fields, client, "ssl_certificate");
  note_generator(fields, client);
  if (profile_boolean(fields, client, "internal"))
    refuse(fields, client, "internal", "the load comes from this machine, not from inside of the mesh");
  if (string(fields, client, "additional_options"))
    refuse(fields, client, "additional_options", "they are options of another load generator");
  if (certificate && strncmp(certificate, "-----BEGIN", strlen("-----BEGIN")) == 0)
    refuse(fields, client, "ssl_certificate", "it is read from a file: give its path");
}

/* protobuf's zero is "not given": of connections the default, of rps as fast as answers come. */
static struct load_options client_load(struct fields *fields, const struct node *client, int64_t duration_ns) {
  struct load_options load = load_options_default();
  unsigned connections = profile_whole(fields, client, "connections", 0, LOAD_CONNECTIONS_MAX, 0);
  unsigned rps = profile_whole(fields, client, "rps", 0, (int64_t)SCHEDULE_RATE_MAX, 0);
  load.threads = 0;
  load.connections = connections > 0 ? connections : load.connections;
  load.schedule.kind = rps > 0 ? SCHEDULE_CONSTANT : SCHEDULE_CLOSED;
  load.schedule.rate = rps;
  load.schedule.duration_ns = duration_ns;
  return load;
}

static void read_request(struct fields *fields, const struct node *client, struct target_options *target) {
  const char **headers = fields_checked(fields, arena_array(fields->arena, TARGET_HEADERS_MAX, sizeof(*headers)));
  const char *type = string(fields, client, "content_type");
  if (!headers)
    return;
  profile_headers(fields, client, target, headers);
  profile_cookies(fields, client, target, headers);
  if (type)
    profile_add_header(fields, target, headers, arena_printf(fields->arena, "Content-Type: %s", type),
                       node_get(client, "content_type"));
  target->headers = headers;
  target->body = string(fields, client, "body");
  target->body_length = target->body ? strlen(target->body) : 0;
  target->tls.trust_file = string(fields, client, "ssl_certificate");
}

/* A load for each URL. */
static void read_urls(struct fields *fields, const struct node *client, size_t number, int protocol,
                      const struct target_options *target, struct profile *profile, struct profile_load *loads) {
  const struct node *urls = node_get(client, "endpoint_urls");
  for (size_t i = 0; i < urls->count; i++) {
    const struct node *url = urls->items[i];
    struct profile_load *load = &loads[i];
    *load = (struct profile_load){.weight = 1,
                                  .line = url->position.line,
                                  .client = (unsigned)number,
                                  .generator = string(fields, client, "load_generator")};
    load->name =
        fields_checked(fields, urls->count > 1 ? arena_printf(fields->arena, "client %zu, URL %zu", number + 1, i + 1)
                                               : arena_printf(fields->arena, "client %zu", number + 1));
    load->target = *target;
    load->target.url = url->text;
    if (url->kind != NODE_STRING || url->length == 0 || url->length > TARGET_URL_MAX)
      fields_complain(fields, url, FIELD_VALUE, NULL, "a URL is a text of 1 to %d bytes", TARGET_URL_MAX);
    check_scheme(fields, url, protocol);
  }
  profile->load_count += urls->count;
}

static void add_to_whole(struct load_options *whole, const struct load_options *load, bool first) {
  if (first) {
    *whole = *load;
    return;
  }
  whole->connections += load->connections;
  whole->schedule.rate += load->schedule.rate;
}

static void read_client(struct fields *fields, const struct node *client, size_t number, int64_t duration_ns,
                        struct profile *profile) {
  static const char *const known[] = {
      "internal",     "load_generator", "protocol",        "connections",        "rps", "headers", "cookies", "body",
      "content_type", "endpoint_urls",  "ssl_certificate", "additional_options", NULL};
  struct target_options target = {.streams = 1};
  struct profile_load *loads = &profile->loads[profile->load_count];
  _cleanup_error_ struct error *err = NULL;
  if (!fields_known(fields, client, "a client", known))
    return;
  const struct node *urls = fields_get(fields, client, "endpoint_urls", NODE_LIST, true);
  int protocol = read_protocol(fields, client, &target);
  check_client(fields, client);
  read_request(fields, client, &target);
  struct load_options load = client_load(fields, client, duration_ns);
  if (urls && urls->count == 0)
    fields_complain(fields, urls, FIELD_MISSING, NULL, "\"endpoint_urls\" has no URL in it");
  if (!urls || profile->load_count + urls->count > PROFILE_TARGETS_MAX) {
    if (urls)
      fields_complain(fields, urls, FIELD_TOO_MANY, NULL, "a test has at most %d URLs", PROFILE_TARGETS_MAX);
    return;
  }
  bool first = profile->load_count == 0;
  read_urls(fields, client, number, protocol, &target, profile, loads);
  if (fields_status(fields) == 0 && profile_split(loads, urls->count, &load, &err) < 0)
    fields_complain(fields, client, FIELD_VALUE, NULL, "%s", error_message(err));
  if (!first && (profile->whole.schedule.kind == SCHEDULE_CLOSED) != (load.schedule.kind == SCHEDULE_CLOSED))
    fields_complain(fields, client, FIELD_VALUE, "Give all of them a rate, or none.",
                    "clients with an \"rps\" and clients without can't be measured together");
  add_to_whole(&profile->whole, &load, first);
}

/* ---- the whole */

static void read_mesh(struct fields *fields, const struct node *root, struct smp_facts *facts) {
  static const char *const known[] = {"type", "version", "labels", "annotations", NULL};
  const struct node *mesh = fields_get(fields, root, "mesh", NODE_MAP, false);
  if (!mesh || !fields_known(fields, mesh, "a mesh", known))
    return;
  facts->has_mesh = true;
  facts->mesh_type = enumeration(fields, mesh, "type", smp_mesh_name);
  facts->mesh_version = string(fields, mesh, "version");
  facts->mesh_labels = labels(fields, mesh, "labels");
  facts->mesh_annotations = labels(fields, mesh, "annotations");
}

static void read_clients(struct fields *fields, const struct node *test, int64_t duration_ns, struct profile *profile) {
  const struct node *clients = fields_get(fields, test, "clients", NODE_LIST, true);
  if (!clients)
    return;
  if (clients->count == 0)
    fields_complain(fields, clients, FIELD_MISSING, NULL, "\"clients\" has no client in it");
  size_t count = fields_count(fields, clients, "clients", SMP_CLIENTS_MAX);
  profile->loads = fields_checked(fields, arena_array(fields->arena, PROFILE_TARGETS_MAX, sizeof(*profile->loads)));
  for (size_t i = 0; profile->loads && i < count; i++)
    read_client(fields, clients->items[i], i, duration_ns, profile);
}

static void sum_threads(struct profile *profile) {
  profile->whole.threads = 0;
  for (size_t i = 0; i < profile->load_count; i++)
    profile->whole.threads += profile->loads[i].options.threads;
}

void smp_read_test(struct fields *fields, const struct node *root, struct profile *profile) {
  static const char *const wrapper[] = {"test", "mesh", NULL};
  static const char *const known[] = {"smp_version", "id", "name", "labels", "clients", "duration", NULL};
  const struct node *test = node_get(root, "test");
  struct smp_facts *facts = fields_checked(fields, arena_new(fields->arena, struct smp_facts));
  if (!facts || !fields_known(fields, root, "a performance test", wrapper) ||
      !fields_known(fields, test, "\"test\"", known))
    return;
  profile->smp = facts;
  profile->repetitions = 1;
  profile->name = profile_name(fields, test, NULL);
  facts->version = string(fields, test, "smp_version");
  facts->id = string(fields, test, "id");
  facts->labels = labels(fields, test, "labels");
  if (!node_get(test, "duration"))
    fields_complain(fields, test, FIELD_MISSING, NULL, "the field \"duration\" is missing");
  read_clients(fields, test, profile_duration(fields, test, "duration", false, NS_PER_SECOND), profile);
  read_mesh(fields, root, facts);
  sum_threads(profile);
}
