/* trammel mesh metrics: what a mesh has counted of the traffic of a resource, or of its edges. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/cli/cmds.h"
#include "host/cli/interrupt.h"
#include "host/cli/logging.h"
#include "host/cli/mesh_options.h"
#include "host/cli/packages.h"
#include "host/cli/traffic_metrics.h"
#include "sdk/smi/text.h"

#define PB(name) Trammel__Adapter__V1__##name
#define SHOWN_MAX 200 /* bytes of an answer that is an error */

struct arguments {
  struct mesh_options mesh;
  const char *ns;   /* the word's parts */
  const char *kind; /* a heap string shares them */
  const char *name;
  char *word;
  bool edges;
  bool json;
};

enum { KEY_EDGES = 0x740 };

static const struct argp_option option_table[] = {
    {"edges", KEY_EDGES, 0, 0, "the traffic with each resource at the other end, and not all of it together", 0},
    PACKAGES_OPTION_OUTPUT,
    {0},
};

/* A kind as SMI writes it; NULL: none that has metrics. */
static const char *kind_of(const char *text) {
  static const char *const known[][2] = {{"pod", "Pod"},           {"deployment", "Deployment"},
                                         {"deploy", "Deployment"}, {"service", "Service"},
                                         {"svc", "Service"},       {"trafficsplit", "TrafficSplit"}};
  for (size_t i = 0; i < ARRAY_COUNT(known); i++)
    if (strcasecmp(known[i][0], text) == 0)
      return known[i][1];
  return NULL;
}

/* NAMESPACE is the namespace itself; NAMESPACE/KIND all of a kind in it. */
static error_t take_word(struct arguments *arguments, const struct argp_state *state, const char *text) {
  if (arguments->word)
    argp_error(state, "one resource at a time, and not '%s' as well", text);
  arguments->word = strdup(text);
  if (!arguments->word)
    return ENOMEM;
  char *kind = strchr(arguments->word, '/'), *name = kind ? strchr(kind + 1, '/') : NULL;
  if (kind)
    *kind++ = '\0';
  if (name)
    *name++ = '\0';
  arguments->ns = kind ? arguments->word : "";
  arguments->kind = kind ? kind_of(kind) : "Namespace";
  arguments->name = kind ? (name ? name : "") : arguments->word;
  const char *expected = text_expected(TEXT_LABEL, arguments->word, strlen(arguments->word));
  if (expected)
    argp_error(state, "'%s': no namespace: expected %s", text, expected);
  if (!arguments->kind)
    argp_error(state, "'%s': the KIND is pod, deployment, service or trafficsplit", text);
  if (name && text_expected(TEXT_SUBDOMAIN, name, strlen(name)))
    argp_error(state, "'%s': no name: expected %s", text, text_expected(TEXT_SUBDOMAIN, name, strlen(name)));
  return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->mesh;
    return 0;
  case KEY_EDGES:
    arguments->edges = true;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    return take_word(arguments, state, argument);
  case ARGP_KEY_END:
    if (!arguments->word)
      argp_error(state, "say of what: NAMESPACE, NAMESPACE/KIND or NAMESPACE/KIND/NAME");
    if (!arguments->mesh.mesh && !arguments->mesh.remote)
      argp_error(state, "say of which mesh: --mesh NAME; `trammel mesh list` lists them");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&mesh_options_argp, 0, NULL, 1}, {0}};
const struct argp cmd_mesh_metrics_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .args_doc = "NAMESPACE[/KIND[/NAME]]",
    .doc =
        "Shows what a mesh has counted of the traffic that a resource received: requests that succeeded and that "
        "failed, and latencies of responses. KIND is pod, deployment, service or trafficsplit; a namespace alone is "
        "the namespace.\v"
        "An adapter that reads them from the Prometheus that scrapes the mesh's proxies has to be told where that is: "
        "--endpoint prometheus=URL. What it cannot tell it says with the reason; -o json is SMI's "
        "TrafficMetricsList.\n\n"
        "Exits 0, 1 when nothing was counted, 2 for usage and what the mesh's metrics do not tell, 3 when they "
        "could not be read.",
};

/* ---- asking */

static bool can_tell(const struct adapter_entry *entry) {
  for (size_t i = 0; i < entry->description->n_methods; i++)
    if (strcmp(entry->description->methods[i], "Metrics") == 0)
      return true;
  return false;
}

/* What a mesh that serves SMI's metrics itself answered. */
static int check_served(const PB(MetricsResponse) * response, struct error **err) {
  char shown[SHOWN_MAX + 1];
  size_t length = 0;
  if (response->status == 0 || response->status == 200)
    return 0;
  for (; length < response->document.len && length < SHOWN_MAX; length++)
    shown[length] = isprint(response->document.data[length]) ? (char)response->document.data[length] : ' ';
  shown[length] = '\0';
  return error_set(err, EPROTO, "the mesh's metrics API answered %u: %s", response->status, shown);
}

static int make_engine(const struct arguments *arguments, const struct adapter_entry *entry, struct engine **ret_engine,
                       struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *told = diagnostics_create();
  json_auto_t *config = NULL;
  int r = told ? mesh_options_check_endpoints(&arguments->mesh, entry, err)
               : error_set(err, ENOMEM, "out of memory for diagnostics");
  if (r == 0 && !can_tell(entry))
    r = error_set(err, EINVAL, "adapter %s tells no metrics; `trammel mesh list` says which do", entry->id);
  if (r == 0)
    r = mesh_options_config(&arguments->mesh, entry, told, &config, err);
  diagnostics_print(told, stderr);
  if (r == 0)
    r = engine_create(entry, config, NULL, interrupt_flag(), NULL, ret_engine, err);
  return r < 0 ? r : mesh_options_address(&arguments->mesh, *ret_engine, err);
}

static char *borrowed(const char *text) {
  return (char *)(uintptr_t)text; /* only packed */
}

static int ask(const struct arguments *arguments, const struct adapter_entry *entry, const PB(MetricsRequest) * request,
               PB(MetricsResponse) * *ret_response, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *told = diagnostics_create();
  struct engine *engine = NULL;
  int r = told ? make_engine(arguments, entry, &engine, err) : error_set(err, ENOMEM, "out of memory for diagnostics");
  if (r == 0)
    r = engine_metrics(engine, request, told, ret_response, err);
  if (r == 0) { /* otherwise the error has what they say */
    diagnostics_print(told, stderr);
    r = check_served(*ret_response, err);
  }
  engine_destroy(engine);
  return r;
}

static int print(const struct arguments *arguments, const PB(MetricsRequest) * request,
                 PB(MetricsResponse) * response) {
  traffic_metrics_sort(response);
  int failed = 0;
  if (arguments->json)
    failed = packages_print_json(traffic_metrics_json(request, response));
  else if (response->n_items > 0)
    failed = traffic_metrics_print(response, stdout);
  if (failed || fflush(stdout) != 0 || ferror(stdout))
    return EXIT_INTERNAL;
  if (response->n_items > 0)
    return EXIT_ALL_PASSED;
  (void)fputs("trammel: nothing was counted for it: is it in the mesh, and are its proxies scraped?\n", stderr);
  return EXIT_SOMETHING_FAILED;
}

static int exit_code_of_error(int r) {
  return r == -ENOMEM                                    ? EXIT_INTERNAL
         : r == -EINVAL || r == -ENOENT || r == -ENOTSUP ? EXIT_USAGE
                                                         : EXIT_COULD_NOT_TEST;
}

int cmd_mesh_metrics(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  struct registry *registry = NULL;
  const struct adapter_entry *entry = NULL;
  PB(MetricsResponse) *response = NULL;
  command_parse(&cmd_mesh_metrics_argp, argc, argv, &arguments);
  logging_start(false);
  interrupt_catch();
  PB(ResourceRef) resource = TRAMMEL__ADAPTER__V1__RESOURCE_REF__INIT;
  PB(MetricsRequest) request = TRAMMEL__ADAPTER__V1__METRICS_REQUEST__INIT;
  resource.kind = borrowed(arguments.kind);
  resource.namespace_ = borrowed(arguments.ns);
  resource.name = borrowed(arguments.name);
  request.resource = &resource;
  request.edges = arguments.edges;
  int r = mesh_options_find(&arguments.mesh, &registry, &entry, &err);
  if (r == 0)
    r = ask(&arguments, entry, &request, &response, &err);
  int code = r == 0 ? print(&arguments, &request, response) : exit_code_of_error(r);
  if (err)
    (void)fprintf(stderr, "trammel: %s\n", error_message(err));
  if (response)
    trammel__adapter__v1__metrics_response__free_unpacked(response, NULL);
  registry_destroy(registry);
  mesh_options_finish(&arguments.mesh);
  free(arguments.word);
  return code;
}
