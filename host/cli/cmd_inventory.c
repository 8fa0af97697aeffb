/* trammel inventory: the workloads and services that translations are made for. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/cluster_options.h"
#include "host/cli/cmds.h"
#include "host/cli/inventory_input.h"
#include "host/cli/text_table.h"
#include "sdk/base/strbuf.h"

#define PB(name) Trammel__Adapter__V1__##name

struct arguments {
  struct smi_inputs inputs;
  struct inventory_input inventory;
  struct cluster_options cluster;
  int format;
};
enum { FORMAT_TEXT, FORMAT_YAML, FORMAT_JSON };

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "text, yaml or json (default: text)", 0},
    {0},
};

static void check_source(const struct argp_state *state, const struct arguments *arguments) {
  bool cluster = cluster_options_given(&arguments->cluster);
  if (arguments->inputs.count == 0 && !cluster)
    argp_error(state, "nothing to read: name a file or a directory, - for standard input, or a cluster with "
                      "--kubeconfig or --context");
  if (arguments->inputs.count > 0 && cluster)
    argp_error(state, "an inventory is read from files or from a cluster: leave out -f, or --kubeconfig and --context");
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  static const char *const formats[] = {"text", "yaml", "json", NULL};
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->inputs;
    state->child_inputs[1] = &arguments->inventory;
    state->child_inputs[2] = &arguments->cluster;
    return 0;
  case ARGP_KEY_END:
    check_source(state, arguments);
    return 0;
  case 'o':
    arguments->format = command_format(state, argument, formats);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&smi_inputs_argp, 0, NULL, 0},
                                             {&inventory_input_argp, 0, NULL, 0},
                                             {&cluster_options_argp, 0, "Cluster:", 1},
                                             {0}};
const struct argp cmd_inventory_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc =
        "Shows the workloads and services that `trammel translate` finds in Kubernetes manifests, in a file of "
        "`trammel inventory -o yaml`, or on a cluster (--kubeconfig, --context).\v"
        "Read are pod templates, Pods, Services and ServiceAccounts, also in Lists; other kinds are passed over. Of a "
        "cluster all namespaces are read, or the one that --namespace names.\n\n"
        "Exits 0, 2 when an input cannot be read or has errors, or 3 when the cluster does not answer or does not "
        "allow it.",
};

static void add_ports(struct text_table *table, const PB(Workload) * workload) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (size_t i = 0; i < workload->n_ports; i++)
    strbuf_printf(&text, "%s%u/%s", i ? " " : "", workload->ports[i]->port,
                  inventory_protocol_name(workload->ports[i]->protocol));
  table->failed |= strbuf_failed(&text);
  text_table_add(table, strbuf_text(&text));
}

static void add_labels(struct text_table *table, const PB(Workload) * workload) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (size_t i = 0; i < workload->n_labels; i++)
    strbuf_printf(&text, "%s%s=%s", i ? "," : "", workload->labels[i]->name, workload->labels[i]->value);
  table->failed |= strbuf_failed(&text);
  text_table_add(table, strbuf_text(&text));
}

static int print_workloads(const PB(Inventory) * inventory) {
  static const char *const head[] = {"NAMESPACE", "WORKLOAD", "SERVICEACCOUNT", "PORTS", "LABELS"};
  _cleanup_text_table_ struct text_table table = {.columns = ARRAY_COUNT(head)};
  for (size_t i = 0; i < ARRAY_COUNT(head); i++)
    text_table_add(&table, head[i]);
  for (size_t i = 0; i < inventory->n_workloads; i++) {
    const PB(Workload) *workload = inventory->workloads[i];
    text_table_add(&table, workload->namespace_);
    text_table_add(&table, workload->name);
    text_table_add(&table, workload->service_account);
    add_ports(&table, workload);
    add_labels(&table, workload);
  }
  return text_table_print(&table, stdout);
}

/* "web:80>8080/http": name, port, the workloads' port when it is another one, protocol. */
static void add_service_ports(struct text_table *table, const PB(Service) * service) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (size_t i = 0; i < service->n_ports; i++) {
    const PB(ServicePort) *port = service->ports[i];
    strbuf_printf(&text, "%s%s%s%u", i ? " " : "", port->name, *port->name ? ":" : "", port->port);
    if (port->target_port != port->port)
      strbuf_printf(&text, ">%u", port->target_port);
    strbuf_printf(&text, "/%s", inventory_protocol_name(port->protocol));
  }
  table->failed |= strbuf_failed(&text);
  text_table_add(table, strbuf_text(&text));
}

static void add_members(struct text_table *table, const PB(Service) * service) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (size_t i = 0; i < service->n_workloads; i++)
    strbuf_printf(&text, "%s%s", i ? "," : "", service->workloads[i]);
  table->failed |= strbuf_failed(&text);
  text_table_add(table, service->n_workloads ? strbuf_text(&text) : "-");
}

static int print_services(const PB(Inventory) * inventory) {
  static const char *const head[] = {"NAMESPACE", "SERVICE", "PORTS", "WORKLOADS"};
  _cleanup_text_table_ struct text_table table = {.columns = ARRAY_COUNT(head)};
  for (size_t i = 0; i < ARRAY_COUNT(head); i++)
    text_table_add(&table, head[i]);
  for (size_t i = 0; i < inventory->n_services; i++) {
    text_table_add(&table, inventory->services[i]->namespace_);
    text_table_add(&table, inventory->services[i]->name);
    add_service_ports(&table, inventory->services[i]);
    add_members(&table, inventory->services[i]);
  }
  return text_table_print(&table, stdout);
}

static int print_text(const struct inventory_found *found) {
  int r = print_workloads(found->message);
  putchar('\n');
  return r < 0 ? r : print_services(found->message);
}

static int print_document(const struct inventory_found *found, bool yaml) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *json = inventory_to_json(found);
  int r = !json ? -ENOMEM : yaml ? yaml_write(json, &text) : json_write(json, &text);
  json_decref(json);
  if (r == 0 && !strbuf_failed(&text))
    (void)fputs(strbuf_text(&text), stdout);
  return r < 0 || strbuf_failed(&text) ? -ENOMEM : 0;
}

static int print(const struct arguments *arguments, const struct inventory_found *found) {
  int r =
      arguments->format == FORMAT_TEXT ? print_text(found) : print_document(found, arguments->format == FORMAT_YAML);
  if (r == 0 && (fflush(stdout) != 0 || ferror(stdout))) {
    fprintf(stderr, "trammel: cannot write the result\n");
    return EXIT_INTERNAL;
  }
  return r;
}

/* 0; -EINVAL, with what is wrong in the diagnostics; with an error, the cluster. */
static int read_inventory(const struct arguments *arguments, struct cluster *cluster, struct smi_input *input,
                          struct inventory_found *found, struct error **err) {
  return cluster ? inventory_input_read_cluster(&arguments->inventory, &arguments->inputs, cluster, input, found, err)
                 : inventory_input_read(&arguments->inventory, &arguments->inputs, input, found);
}

static int run(const struct arguments *arguments, struct smi_input *input, struct error **err) {
  _cleanup_(cluster_close_p) struct cluster *cluster = NULL;
  struct inventory_found found = {0};
  int r = smi_input_init(input);
  if (r == 0 && cluster_options_given(&arguments->cluster)) {
    r = cluster_open(&arguments->cluster, &cluster, err);
    if (r < 0 && r != -ENOMEM)
      return EXIT_USAGE; /* the kubeconfig: nothing was asked yet */
  }
  if (r == 0)
    r = read_inventory(arguments, cluster, input, &found, err);
  diagnostics_print(input->diagnostics, stderr);
  if (r == 0 && !diagnostics_have_error(input->diagnostics))
    r = print(arguments, &found);
  else if (r != -ENOMEM)
    return *err ? EXIT_COULD_NOT_TEST : EXIT_USAGE;
  if (r == -ENOMEM)
    (void)error_set(err, ENOMEM, "out of memory");
  return r == -ENOMEM ? EXIT_INTERNAL : r;
}

int cmd_inventory(int argc, char **argv) {
  struct arguments arguments = {.inputs.optional = true};
  struct smi_input input = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_inventory_argp, argc, argv, &arguments);
  int code = run(&arguments, &input, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  smi_input_finish(&input);
  smi_inputs_finish(&arguments.inputs);
  return code;
}
