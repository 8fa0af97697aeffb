#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <http_parser.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "plugins/reference/mesh/control.h"
#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/mesh.h"
#include "sdk/base/descriptors.h"
#include "sdk/base/error.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "Usage: trammel-refmesh --control ADDRESS:PORT [options]\n"
    "A small, complete service mesh on loopback addresses, for testing what tests meshes.\n"
    "\n"
    "  --control ADDRESS:PORT  where the control API listens; a loopback address (127.x.y.z), unless one of the next\n"
    "                          two is given\n"
    "  --control-plane         have no proxies: each workload has a sidecar, at its inbound address\n"
    "  --sidecar ADDRESS       have the proxies of the workloads whose inbound address this is, for a control plane\n"
    "  --fault NAME            be wrong in this way; may be given more than once\n"
    "  --trust-domain NAME     of the identities it issues (trammel.test)\n"
    "  --list-faults           print the faults, one per line: name, requirement, what it does\n"
    "  -o, --output json       print that list as JSON\n"
    "      --help              print this\n"
    "      --version           print the version\n"
    "\n"
    "Prints \"ready\" once it listens, runs in the foreground, and ends on SIGTERM or SIGINT.\n";

struct options {
  char address[INET_ADDRSTRLEN];
  unsigned short port;
  bool control, loopback, list_faults, json;
  const char *trust_domain;
  struct fault_set faults;
  enum mesh_role role;
  struct in_addr sidecar;
};

static int usage_error(const char *text, const char *value) {
  fprintf(stderr, "trammel-refmesh: %s%s%s%s\nTry --help.\n", text, value ? " \"" : "", value ? value : "",
          value ? "\"" : "");
  return EXIT_USAGE;
}

static bool parse_control(const char *text, struct options *options) {
  const char *colon = strrchr(text, ':');
  struct in_addr address;
  if (!colon || (size_t)(colon - text) >= sizeof options->address)
    return false;
  memcpy(options->address, text, (size_t)(colon - text));
  options->address[colon - text] = '\0';
  char *end;
  errno = 0;
  unsigned long port = strtoul(colon + 1, &end, 10);
  if (errno || *end || colon[1] < '0' || colon[1] > '9' || port == 0 || port > UINT16_MAX ||
      inet_pton(AF_INET, options->address, &address) != 1)
    return false;
  options->loopback = ntohl(address.s_addr) >> 24 == 127;
  options->port = (unsigned short)port;
  options->control = true;
  return true;
}

/* A SPIFFE trust domain: lower case letters, digits, '.', '-' and '_' (SPIFFE-ID, 2.1). */
static bool is_trust_domain(const char *text) {
  size_t length = strlen(text);
  return length > 0 && length <= 128 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == length;
}

static int parse_fault(const char *name, struct options *options) {
  _cleanup_error_ struct error *err = NULL;
  return fault_set_add(&options->faults, name, &err) < 0 ? usage_error(error_message(err), NULL) : -1;
}

static int parse_sidecar(const char *text, struct options *options) {
  if (inet_pton(AF_INET, text, &options->sidecar) != 1)
    return usage_error("--sidecar takes an IPv4 address, found", text);
  options->role = MESH_SIDECAR;
  return -1;
}

/* A whole mesh is for this machine alone. */
static int check_control(const struct options *options) {
  if (!options->control)
    return usage_error("--control ADDRESS:PORT is needed", NULL);
  if (options->role == MESH_WHOLE && !options->loopback)
    return usage_error("--control takes a loopback address without --control-plane and --sidecar, found",
                       options->address);
  return -1;
}

enum {
  OPTION_CONTROL = 256,
  OPTION_CONTROL_PLANE,
  OPTION_SIDECAR,
  OPTION_FAULT,
  OPTION_TRUST_DOMAIN,
  OPTION_LIST_FAULTS,
  OPTION_HELP,
  OPTION_VERSION
};

/* The program's exit code when it is to end now, else -1. */
static int parse_option(int option, struct options *options) {
  switch (option) {
  case OPTION_CONTROL:
    return parse_control(optarg, options)
               ? -1
               : usage_error("--control takes an address and a port (127.0.0.1:15000), found", optarg);
  case OPTION_CONTROL_PLANE:
    options->role = MESH_CONTROL;
    return -1;
  case OPTION_SIDECAR:
    return parse_sidecar(optarg, options);
  case OPTION_FAULT:
    return parse_fault(optarg, options);
  case OPTION_TRUST_DOMAIN:
    options->trust_domain = optarg;
    return is_trust_domain(optarg) ? -1 : usage_error("a trust domain is expected (trammel.test), found", optarg);
  case OPTION_LIST_FAULTS:
    options->list_faults = true;
    return -1;
  case 'o':
    options->json = strcmp(optarg, "json") == 0;
    return options->json ? -1 : usage_error("-o takes json, found", optarg);
  case OPTION_HELP:
    fputs(usage, stdout);
    return EXIT_OK;
  case OPTION_VERSION:
    printf("trammel-refmesh %s\n", TRAMMEL_VERSION);
    return EXIT_OK;
  default:
    fputs("Try --help.\n", stderr);
    return EXIT_USAGE;
  }
}

static int parse_options(int argc, char **argv, struct options *options) {
  static const struct option known[] = {
      {"control", required_argument, NULL, OPTION_CONTROL},
      {"control-plane", no_argument, NULL, OPTION_CONTROL_PLANE},
      {"sidecar", required_argument, NULL, OPTION_SIDECAR},
      {"fault", required_argument, NULL, OPTION_FAULT},
      {"trust-domain", required_argument, NULL, OPTION_TRUST_DOMAIN},
      {"list-faults", no_argument, NULL, OPTION_LIST_FAULTS},
      {"output", required_argument, NULL, 'o'},
      {"help", no_argument, NULL, OPTION_HELP},
      {"version", no_argument, NULL, OPTION_VERSION},
      {0},
  };
  int option;
  while ((option = getopt_long(argc, argv, "o:", known, NULL)) != -1) {
    int code = parse_option(option, options);
    if (code >= 0)
      return code;
  }
  if (optind < argc)
    return usage_error("no argument is expected, found", argv[optind]);
  if (options->list_faults) {
    fault_list(stdout, options->json);
    return EXIT_OK;
  }
  return check_control(options);
}

static void on_signal(evutil_socket_t number, short what, void *base) {
  (void)number;
  (void)what;
  event_base_loopbreak(base);
}

static int serve(struct mesh *mesh) {
  struct event *term = evsignal_new(mesh->base, SIGTERM, on_signal, mesh->base);
  struct event *interrupt = evsignal_new(mesh->base, SIGINT, on_signal, mesh->base);
  int code = EXIT_FAILED;
  if (term && interrupt && event_add(term, NULL) == 0 && event_add(interrupt, NULL) == 0) {
    puts("ready");
    fflush(stdout);
    code = event_base_dispatch(mesh->base) < 0 ? EXIT_FAILED : EXIT_OK;
  }
  if (term)
    event_free(term);
  if (interrupt)
    event_free(interrupt);
  return code;
}

static int run(const struct options *options) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_(mesh_destroy_p) struct mesh *mesh = NULL;
  _cleanup_(control_destroy_p) struct control *control = NULL;
  int r = mesh_create(options->faults, options->trust_domain, &mesh, &err);
  if (r == 0) {
    mesh->role = options->role;
    mesh->address = options->sidecar;
    r = control_create(mesh, options->address, options->port, &control, &err);
  }
  if (r < 0) {
    fprintf(stderr, "trammel-refmesh: %s\n", error_message(err));
    return EXIT_FAILED;
  }
  return serve(mesh);
}

int main(int argc, char **argv) {
  struct options options = {.trust_domain = "trammel.test"};
  int code = parse_options(argc, argv, &options);
  if (code >= 0)
    return code;
  signal(SIGPIPE, SIG_IGN);
  http_parser_set_max_header_size(LIMIT_HEAD_BYTES);
  descriptors_raise_limit(); /* a workload has some 20 sockets, a request up to three */
  code = run(&options);
  libevent_global_shutdown();
  return code;
}
