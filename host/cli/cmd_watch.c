/* trammel watch: keeps the SMI resources of a cluster translated. */
#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/changes.h"
#include "host/cli/cmds.h"
#include "host/cli/interrupt.h"
#include "host/cli/logging.h"
#include "host/cli/translating.h"
#include "host/watch/metrics.h"
#include "host/watch/watch.h"
#include "sdk/smi/text.h"

/* Threads that mostly wait share their memory: one arena for each would keep what it had at its busiest. */
#define ARENAS 2

struct arguments {
  struct mesh_options mesh;
  struct inventory_input inventory;
  struct list deny_by_default;
  char address[INET6_ADDRSTRLEN]; /* of metrics; "": none */
  uint16_t port;
  bool alone; /* no leader election */
  const char *lease, *lease_namespace;
  bool json;
};

/* What a watch works with. */
struct working {
  const struct arguments *arguments;
  struct cluster *cluster;
  struct registry *registry;
  const struct adapter_entry *entry;
  struct instance *instance;
  struct diagnostics *told;
  struct counters counters;
  struct metrics *metrics;
  struct changes changes;
  pthread_mutex_t lock; /* of what is printed */
};

enum { KEY_DENY = 0x900, KEY_METRICS, KEY_ALONE, KEY_LEASE, KEY_LEASE_NAMESPACE };

static const struct argp_option option_table[] = {
    {"to", 't', "MESH", 0, "the mesh or adapter to translate for; `trammel adapter list` lists them", 0},
    {"deny-by-default", KEY_DENY, "NS", 0,
     "workloads of this namespace take only what TrafficTargets allow; may be repeated", 0},
    {"metrics", KEY_METRICS, "[ADDRESS:]PORT", 0,
     "serve /metrics, /healthz and /readyz over HTTP there (default address: 127.0.0.1; port 0: one that is free)", 0},
    {"no-leader-election", KEY_ALONE, 0, 0, "work at once: no other watch for this mesh runs on the cluster", 0},
    {"lease", KEY_LEASE, "NAME", 0, "the Lease of the leader election (default: trammel-watch-ADAPTER)", 0},
    {"lease-namespace", KEY_LEASE_NAMESPACE, "NS", 0, "where it is (default: the namespace of the context or pod)", 0},
    {"output", 'o', "FORMAT", 0, "text, or json: an object on a line of its own (default: text)", 0},
    {0},
};

/* "PORT", "ADDRESS:PORT", "[ADDRESS]:PORT". */
static bool read_address(const char *text, struct arguments *arguments) {
  const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
  size_t length = colon ? (size_t)(colon - text) : 0;
  struct in6_addr parsed;
  unsigned long number;
  if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
    text++;
    length -= 2;
  }
  if (length >= sizeof(arguments->address) || !*port || strspn(port, "0123456789") != strlen(port) || strlen(port) > 5)
    return false;
  number = strtoul(port, NULL, 10);
  (void)snprintf(arguments->address, sizeof(arguments->address), "%.*s", colon ? (int)length : 9,
                 colon ? text : "127.0.0.1");
  arguments->port = (uint16_t)number;
  return number <= UINT16_MAX && (inet_pton(AF_INET, arguments->address, &parsed) == 1 ||
                                  inet_pton(AF_INET6, arguments->address, &parsed) == 1);
}

/* `what` is "namespace" or the like. */
static const char *checked(const struct argp_state *state, const char *what, enum text_rule rule, const char *text) {
  const char *expected = text_expected(rule, text, strlen(text));
  if (expected)
    argp_error(state, "'%s' is no %s: expected %s", text, what, expected);
  return text;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    arguments->mesh.name_option = "to";
    state->child_inputs[0] = &arguments->inventory;
    state->child_inputs[1] = &arguments->mesh.cluster;
    state->child_inputs[2] = &arguments->mesh;
    return 0;
  case 't':
    arguments->mesh.mesh = argument;
    return 0;
  case KEY_DENY:
    return -list_add(&arguments->deny_by_default, checked(state, "namespace", TEXT_LABEL, argument));
  case KEY_METRICS:
    if (!read_address(argument, arguments))
      argp_error(state, "--metrics wants a port, or an IP address and a port, not '%s'", argument);
    return 0;
  case KEY_ALONE:
    arguments->alone = true;
    return 0;
  case KEY_LEASE:
    arguments->lease = checked(state, "name of a Lease", TEXT_SUBDOMAIN, argument);
    return 0;
  case KEY_LEASE_NAMESPACE:
    arguments->lease_namespace = checked(state, "namespace", TEXT_LABEL, argument);
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_END:
    if (!arguments->mesh.mesh && !arguments->mesh.remote)
      argp_error(state, "say which mesh to translate for: --to MESH; `trammel adapter list` lists them");
    if (arguments->alone && (arguments->lease || arguments->lease_namespace))
      argp_error(state, "without a leader election there is no Lease: leave out --no-leader-election, or --lease and "
                        "--lease-namespace");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&inventory_input_argp, 0, NULL, 0},
                                             {&cluster_options_argp, 0, "Cluster:", 1},
                                             {&adapter_choice_argp, 0, "Adapter:", 2},
                                             {0}};
const struct argp cmd_watch_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc =
        "Follows the SMI resources, workloads and Services of the cluster of the kubeconfig, translates what a change "
        "touches, and makes the mesh's own objects there what they should be, until it is ended.\v"
        "What a mesh cannot do is left out, which denies it, and told as an Event on the resource. Objects are applied "
        "as the field manager trammel-watch/ADAPTER. What others add to them is undone, unless it comes back each "
        "time; what others have changed is left as it is, and told. What came from resources that are gone is removed, "
        "also when they went while no watch was running. Of several watches one works, and the others stand by.\n\n"
        "Exits 0 when it was ended by SIGINT or SIGTERM, 2 when a configuration does not fit the adapter or its "
        "objects are not for a cluster, 3 when the cluster or the adapter gave no answer at the start, 4 without "
        "memory.",
};

static void on_told(void *ctx, const struct rollout_step *step) {
  struct working *working = ctx;
  (void)pthread_mutex_lock(&working->lock);
  changes_tell(&working->changes, step);
  (void)fflush(stdout);
  (void)pthread_mutex_unlock(&working->lock);
}

static void on_said(void *ctx, const char *text) {
  struct working *working = ctx;
  (void)pthread_mutex_lock(&working->lock);
  fprintf(stderr, "trammel: %s\n", text);
  (void)pthread_mutex_unlock(&working->lock);
}

static int start_metrics(struct working *working, struct error **err) {
  const struct arguments *arguments = working->arguments;
  if (!*arguments->address)
    return 0;
  int r = metrics_start(arguments->address, arguments->port, working->entry->id, &working->counters, &working->metrics,
                        err);
  if (r == 0)
    fprintf(stderr, "trammel: metrics are at %s port %u\n", arguments->address, metrics_port(working->metrics));
  return r;
}

static int watch(struct working *working, struct error **err) {
  const struct arguments *arguments = working->arguments;
  char name[300];
  (void)snprintf(name, sizeof(name), "trammel-watch-%.250s", working->entry->id);
  const struct watch_lease lease = {.ns = arguments->lease_namespace
                                              ? arguments->lease_namespace
                                              : kube_client_namespace(cluster_client(working->cluster)),
                                    .name = arguments->lease ? arguments->lease : name};
  const struct watch_options options = {.cluster = working->cluster,
                                        .description = working->entry->description,
                                        .instance = working->instance,
                                        .deny_by_default = arguments->deny_by_default.items,
                                        .deny_count = arguments->deny_by_default.count,
                                        .default_protocol = arguments->inventory.default_protocol,
                                        .lease = arguments->alone ? NULL : &lease,
                                        .counters = &working->counters,
                                        .cancel = interrupt_flag(),
                                        .told = on_told,
                                        .said = on_said,
                                        .ctx = working};
  return watch_run(&options, err);
}

static int work(struct working *working, struct error **err) {
  const struct mesh_options *mesh = &working->arguments->mesh;
  working->told = diagnostics_create();
  if (!working->told)
    return error_set(err, ENOMEM, "out of memory");
  int r = cluster_open(&mesh->cluster, &working->cluster, err);
  if (r < 0)
    return r == -ENOMEM ? r : -EINVAL; /* of the kubeconfig: nothing was asked yet */
  r = translating_open_adapter(mesh, working->cluster, working->told, &working->registry, &working->entry,
                               &working->instance, err);
  diagnostics_print(working->told, stderr);
  if (r == 0)
    r = start_metrics(working, err);
  if (r < 0)
    return r;
  interrupt_catch();
  return watch(working, err);
}

int cmd_watch(int argc, char **argv) {
  struct arguments arguments = {0};
  struct working working = {.arguments = &arguments, .lock = PTHREAD_MUTEX_INITIALIZER};
  _cleanup_error_ struct error *err = NULL;
  (void)mallopt(M_ARENA_MAX, ARENAS);
  command_parse(&cmd_watch_argp, argc, argv, &arguments);
  logging_start(false);
  working.changes = (struct changes){.removed = "removed", .json = arguments.json, .lines = true};
  int r = work(&working, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  metrics_stop(working.metrics);
  instance_destroy(working.instance);
  registry_destroy(working.registry);
  cluster_close(working.cluster);
  diagnostics_destroy(working.told);
  list_finish(&arguments.deny_by_default);
  mesh_options_finish(&arguments.mesh);
  return r < 0 ? translating_exit_code(r) : EXIT_ALL_PASSED;
}
