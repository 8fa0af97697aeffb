#include "host/cli/translating.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/command.h"
#include "host/cli/coverage.h"
#include "host/engine/served_versions.h"
#include "sdk/adapter/codec.h"
#include "sdk/adapter/smi_wire.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/smi/text.h"

#define PB(name) Trammel__Adapter__V1__##name

/* One translation; 100,000 TrafficTargets take some seconds. */
#define TRANSLATION_TIMEOUT_NS (600 * INT64_C(1000000000))

enum { KEY_INVENTORY = 0x500, KEY_DENY, KEY_ALLOW, KEY_COVERAGE };

static const struct argp_option option_table[] = {
    {"to", 't', "MESH", 0, "the mesh or adapter to translate for; `trammel adapter list` lists them", 0},
    {"inventory", KEY_INVENTORY, "FILE", 0,
     "take workloads and services from this file or directory, and not from those of -f: Kubernetes manifests, or what "
     "`trammel inventory -o yaml` wrote",
     0},
    {"deny-by-default", KEY_DENY, "NS", 0,
     "workloads of this namespace take only what TrafficTargets allow; may be repeated", 0},
    {"allow-unsupported", KEY_ALLOW, 0, 0,
     "leave out what the mesh cannot do, and go on with the rest; what is left out is denied", 0},
    {"coverage", KEY_COVERAGE, "FILE", 0, "write how exactly each rule is carried over, as JSON, to this file", 0},
    {0},
};

static int add_namespace(const struct argp_state *state, struct translating *translating, const char *text) {
  const char *expected = text_expected(TEXT_LABEL, text, strlen(text));
  if (expected)
    argp_error(state, "'%s' is no namespace: expected %s", text, expected);
  return -list_add(&translating->deny_by_default, text);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct translating *translating = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    translating->mesh.name_option = "to";
    state->child_inputs[0] = &translating->inputs;
    state->child_inputs[1] = &translating->inventory;
    state->child_inputs[2] = &translating->mesh.cluster;
    state->child_inputs[3] = &translating->mesh;
    return 0;
  case 't':
    translating->mesh.mesh = argument;
    return 0;
  case KEY_INVENTORY:
    translating->inventory_file = argument;
    return 0;
  case KEY_DENY:
    return add_namespace(state, translating, argument);
  case KEY_ALLOW:
    translating->allow_unsupported = true;
    return 0;
  case KEY_COVERAGE:
    translating->coverage_file = argument;
    return 0;
  case ARGP_KEY_END:
    if (!translating->mesh.mesh && !translating->mesh.remote)
      argp_error(state, "say which mesh to translate for: --to MESH; `trammel adapter list` lists them");
    return ARGP_ERR_UNKNOWN;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&smi_inputs_argp, 0, NULL, 0},
                                             {&inventory_input_argp, 0, NULL, 0},
                                             {&cluster_options_argp, 0, "Cluster:", 1},
                                             {&adapter_choice_argp, 0, "Adapter:", 2},
                                             {0}};
const struct argp translating_argp = {.options = option_table, .parser = parse, .children = children};

void translating_finish(struct translating *translating) {
  if (translating->response)
    protobuf_c_message_free_unpacked(&translating->response->base, NULL);
  instance_destroy(translating->instance);
  registry_destroy(translating->registry);
  cluster_close(translating->cluster);
  diagnostics_destroy(translating->told);
  smi_input_finish(&translating->input);
  smi_inputs_finish(&translating->inputs);
  mesh_options_finish(&translating->mesh);
  list_finish(&translating->deny_by_default);
}

/* ---- what goes in */

static int note_empty_inventory(const struct translating *translating) {
  const struct diagnostic diagnostic = {
      .severity = SEVERITY_WARNING,
      .code = "INV-0017",
      .summary = "the input has neither workloads nor services: rules about them have nothing to hold on to",
      .remedy = "name the manifests of what runs in the mesh as well, or an inventory with --inventory, or its cluster "
                "with --kubeconfig or --context"};
  const PB(Inventory) *inventory = translating->found.message;
  return inventory->n_workloads + inventory->n_services > 0
             ? 0
             : diagnostics_add(translating->input.diagnostics, &diagnostic);
}

/* -EINVAL: it is in the diagnostics; with an error, the cluster did not say who there is. */
static int read_input(struct translating *translating, struct error **err) {
  const struct inventory_origin origin = {.file = translating->inventory_file,
                                          .cluster = translating->cluster,
                                          .namespaces = translating->deny_by_default.items,
                                          .namespace_count = translating->deny_by_default.count};
  int r = inventory_input_read_smi(&translating->inventory, &translating->inputs, &origin, &translating->input,
                                   &translating->found, err);
  if (r < 0)
    return r;
  if (translating->input.unreadable || translating->input.resources == 0 ||
      diagnostics_have_error(translating->input.diagnostics))
    return -EINVAL;
  return note_empty_inventory(translating);
}

static int open_cluster(struct translating *translating, struct error **err) {
  if (!translating->needs_cluster && !cluster_options_given(&translating->mesh.cluster))
    return 0;
  return cluster_open(&translating->mesh.cluster, &translating->cluster, err);
}

static bool can_translate(const struct adapter_entry *entry) {
  for (size_t i = 0; i < entry->description->n_methods; i++)
    if (strcmp(entry->description->methods[i], "Translate") == 0)
      return true;
  return false;
}

/* The adapter, and the configuration that fits it. */
static int choose_adapter(const struct mesh_options *options, struct diagnostics *told, struct registry **ret_registry,
                          const struct adapter_entry **ret_entry, json_t **ret_config, struct error **err) {
  int r = mesh_options_find(options, ret_registry, ret_entry, err);
  if (r == 0 && !can_translate(*ret_entry))
    r = error_set(err, EINVAL, "adapter %s translates nothing; `trammel adapter show %s` says what it does",
                  (*ret_entry)->id, (*ret_entry)->id);
  return r == 0 ? mesh_options_config(options, *ret_entry, told, ret_config, err) : r;
}

int translating_open_adapter(const struct mesh_options *options, struct cluster *cluster, struct diagnostics *told,
                             struct registry **ret_registry, const struct adapter_entry **ret_entry,
                             struct instance **ret_instance, struct error **err) {
  json_t *config = NULL;
  int r = choose_adapter(options, told, ret_registry, ret_entry, &config, err);
  if (r == 0 && cluster)
    r = served_versions_choose(cluster, (*ret_entry)->description, NULL, config, err);
  if (r == 0)
    r = instance_create(*ret_entry, config, NULL, told, ret_instance, err);
  json_decref(config);
  return r;
}

/* ---- the translation */

/* The request on its way. The message that it is packed from is as large as itself several times over, and goes before
 * the adapter needs its own room. */
static int pack_request(const struct translating *translating, bool allow_unsupported, uint8_t **ret_data,
                        size_t *ret_length, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  PB(TranslateOptions) options = TRAMMEL__ADAPTER__V1__TRANSLATE_OPTIONS__INIT;
  PB(TranslateRequest) request = TRAMMEL__ADAPTER__V1__TRANSLATE_REQUEST__INIT;
  options.n_deny_by_default = translating->deny_by_default.count;
  options.deny_by_default = (char **)translating->deny_by_default.items; /* only packed */
  options.allow_unsupported = allow_unsupported;
  request.smi = arena ? smi_to_wire(arena, &translating->input.set) : NULL;
  request.inventory = translating->found.message;
  request.options = &options;
  return request.smi ? message_pack(&request.base, ret_data, ret_length, err) : error_set(err, ENOMEM, "out of memory");
}

static int call(struct translating *translating, bool allow_unsupported, struct diagnostics *told,
                PB(TranslateResponse) * *ret_response, struct error **err) {
  const struct call_options how = {.deadline_ns = clock_monotonic_ns() + TRANSLATION_TIMEOUT_NS, .diagnostics = told};
  _cleanup_free_ uint8_t *request = NULL;
  size_t length = 0;
  ProtobufCMessage *response = NULL;
  int r = pack_request(translating, allow_unsupported, &request, &length, err);
  if (r < 0)
    return r;
  r = instance_call_packed(translating->instance, "Translate", request, length,
                           &trammel__adapter__v1__translate_response__descriptor, &how, &response, err);
  if (r == 0)
    *ret_response = (PB(TranslateResponse) *)(void *)response;
  return r == -ENOMEM ? -EIO : r; /* also what the adapter says when its answer is too large */
}

/* -ENOTSUP when the mesh cannot do something: `response` then has the coverage, and what it can do, all the same. */
static int translate(struct translating *translating, struct error **err) {
  int r = call(translating, translating->allow_unsupported, translating->told, &translating->response, err);
  if (r == 0)
    translating->complete = coverage_count(translating->response).unsupported == 0;
  if (r != -ENOTSUP || translating->allow_unsupported)
    return r;
  _cleanup_error_ struct error *why = NULL;
  int again = call(translating, true, NULL, &translating->response, &why);
  return again < 0 ? error_set(err, -again, "%s", error_message(why)) : -ENOTSUP;
}

/* ---- what comes out */

static json_t *all_diagnostics(const struct translating *translating) {
  _cleanup_diagnostics_ struct diagnostics *all = diagnostics_create();
  if (!all || diagnostics_append(all, translating->input.diagnostics) < 0 ||
      diagnostics_append(all, translating->told) < 0)
    return NULL;
  return diagnostics_to_json(all);
}

static json_t *coverage_document(const struct translating *translating) {
  const PB(DescribeResponse) *described = translating->entry->description;
  struct coverage_counts counts = coverage_count(translating->response);
  json_t *rows = coverage_to_json(translating->response, &translating->input.set);
  json_t *diagnostics = all_diagnostics(translating);
  return json_pack("{s:{s:s, s:s, s:s}, s:b, s:{s:I, s:I, s:I, s:I}, s:o, s:o}", "adapter", "id", described->adapter_id,
                   "version", described->adapter_version, "mesh", described->mesh_name, "complete",
                   translating->complete, "summary", "exact", (json_int_t)counts.exact, "approximated",
                   (json_int_t)counts.approximated, "unsupported", (json_int_t)counts.unsupported, "objects",
                   (json_int_t)translating->response->n_objects, "coverage", rows, "diagnostics", diagnostics);
}

static int write_coverage(const struct translating *translating, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *document = coverage_document(translating);
  int r = document ? json_write(document, &text) : -ENOMEM;
  json_decref(document);
  if (r < 0 || strbuf_failed(&text))
    return error_set(err, ENOMEM, "out of memory for the coverage");
  return file_replace(translating->coverage_file, 0666, strbuf_text(&text), text.length, err);
}

int translating_exit_code(int r) {
  switch (r) {
  case -ENOTSUP:
    return EXIT_SOMETHING_FAILED;
  case -EINVAL:
  case -ENOENT:
  case -EMSGSIZE:
    return EXIT_USAGE;
  case -ENOMEM:
    return EXIT_INTERNAL;
  default:
    return EXIT_COULD_NOT_TEST;
  }
}

/* What is unsupported and allowed to be is left out, and the rest is there. The exit code. */
static int judge(struct translating *translating, int translated, struct error **err) {
  diagnostics_print(translating->told, stderr);
  if (coverage_print(translating->response, stderr) < 0)
    return EXIT_INTERNAL;
  if (translating->coverage_file && write_coverage(translating, err) < 0)
    return EXIT_INTERNAL;
  if (translated == -ENOTSUP)
    (void)error_set(err, ENOTSUP,
                    "%s cannot do all of it (%zu unsupported), and nothing was %s; --allow-unsupported %s the rest",
                    translating->entry->description->mesh_name, coverage_count(translating->response).unsupported,
                    translating->done, translating->does);
  if (translated < 0)
    return translating_exit_code(translated);
  error_free(take(*err));
  return EXIT_ALL_PASSED;
}

/* The exit code, EXIT_ALL_PASSED when there is something to translate. */
static int prepare(struct translating *translating, struct error **err) {
  int r = smi_input_init(&translating->input);
  translating->told = diagnostics_create();
  if (r == 0 && translating->told)
    r = open_cluster(translating, err);
  else
    r = -ENOMEM;
  if (r < 0 && r != -ENOMEM)
    return EXIT_USAGE;
  if (r == 0)
    r = read_input(translating, err);
  if (r == -ENOMEM)
    (void)error_set(err, ENOMEM, "out of memory");
  diagnostics_print(translating->input.diagnostics, stderr);
  if (r == 0)
    return EXIT_ALL_PASSED;
  return r == -ENOMEM ? EXIT_INTERNAL : *err ? EXIT_COULD_NOT_TEST : EXIT_USAGE;
}

/* What else is wrong with the command line when the input is of no use. */
static void tell_of_adapter(struct translating *translating, struct error **err) {
  json_auto_t *config = NULL;
  (void)choose_adapter(&translating->mesh, translating->told, &translating->registry, &translating->entry, &config,
                       err);
  diagnostics_print(translating->told, stderr);
}

int translating_run(struct translating *translating, struct error **err) {
  if (translating->coverage_file && file_replace_try(translating->coverage_file, err) < 0)
    return EXIT_USAGE;
  int code = prepare(translating, err);
  if (code == EXIT_USAGE && !*err)
    tell_of_adapter(translating, err);
  if (code != EXIT_ALL_PASSED)
    return code;
  int r = translating_open_adapter(&translating->mesh, translating->cluster, translating->told, &translating->registry,
                                   &translating->entry, &translating->instance, err);
  if (r == 0)
    r = translate(translating, err);
  if (translating->response)
    return judge(translating, r, err);
  diagnostics_print(translating->told, stderr);
  return translating_exit_code(r);
}
