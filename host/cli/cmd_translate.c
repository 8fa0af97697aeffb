/* trammel translate: what resources of SMI are in a mesh's own API, and what of them it cannot say. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/instance.h"
#include "host/cli/cmds.h"
#include "host/cli/coverage.h"
#include "host/cli/inventory_input.h"
#include "host/cli/logging.h"
#include "host/cli/mesh_options.h"
#include "host/cli/native_text.h"
#include "sdk/adapter/smi_wire.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/smi/text.h"

#define PB(name) Trammel__Adapter__V1__##name

/* One translation; 100,000 TrafficTargets take some seconds. */
#define TRANSLATION_TIMEOUT_NS (600 * INT64_C(1000000000))

struct arguments {
  struct smi_inputs inputs;
  struct inventory_input inventory;
  struct mesh_options mesh;
  const char *inventory_file;
  const char *coverage_file;
  struct list deny_by_default;
  bool allow_unsupported;
  int format;
};
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
     "leave out what the mesh cannot do, and write the rest; what is left out is denied", 0},
    {"coverage", KEY_COVERAGE, "FILE", 0, "write how exactly each rule is carried over, as JSON, to this file", 0},
    {"output", 'o', "FORMAT", 0, "yaml or json (default: yaml)", 0},
    {0},
};

static int add_namespace(const struct argp_state *state, struct arguments *arguments, const char *text) {
  const char *expected = text_expected(TEXT_LABEL, text, strlen(text));
  if (expected)
    argp_error(state, "'%s' is no namespace: expected %s", text, expected);
  return -list_add(&arguments->deny_by_default, text);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  static const char *const formats[] = {"yaml", "json", NULL};
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->inputs;
    state->child_inputs[1] = &arguments->inventory;
    state->child_inputs[2] = &arguments->mesh;
    return 0;
  case 't':
    arguments->mesh.mesh = argument;
    return 0;
  case KEY_INVENTORY:
    arguments->inventory_file = argument;
    return 0;
  case KEY_DENY:
    return add_namespace(state, arguments, argument);
  case KEY_ALLOW:
    arguments->allow_unsupported = true;
    return 0;
  case KEY_COVERAGE:
    arguments->coverage_file = argument;
    return 0;
  case 'o':
    arguments->format = command_format(state, argument, formats);
    return 0;
  case ARGP_KEY_END:
    if (!arguments->mesh.mesh && !arguments->mesh.remote)
      argp_error(state, "say which mesh to translate for: --to MESH; `trammel adapter list` lists them");
    return ARGP_ERR_UNKNOWN;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {
    {&smi_inputs_argp, 0, NULL, 0}, {&inventory_input_argp, 0, NULL, 0}, {&adapter_choice_argp, 0, "Adapter:", 1}, {0}};
const struct argp cmd_translate_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc =
        "Writes what SMI resources are in a mesh's own API, on standard output, ready for kubectl. What the mesh "
        "cannot say is told, with its reason, and never made wider.\v"
        "The workloads and services that rules are about come from the same files: Deployments, Pods, Services and the "
        "like. No cluster is asked.\n\n"
        "Diagnostics and a table that says how exactly each rule is carried over go to standard error. Exits 0 when "
        "everything was written, 1 when the mesh cannot do something (nothing is written then, unless "
        "--allow-unsupported is given), 2 when the input cannot be read or has errors, 3 when the adapter gave no "
        "answer.",
};

/* What a translation is made of, and what came of it. */
struct session {
  struct arguments arguments;
  struct smi_input input;
  struct inventory_found found;
  struct registry *registry;
  const struct adapter_entry *entry;
  struct instance *instance;
  struct diagnostics *told; /* by the adapter */
  PB(TranslateResponse) * response;
  bool complete; /* nothing is unsupported */
};

static void session_finish(struct session *session) {
  if (session->response)
    protobuf_c_message_free_unpacked(&session->response->base, NULL);
  instance_destroy(session->instance);
  registry_destroy(session->registry);
  diagnostics_destroy(session->told);
  smi_input_finish(&session->input);
  smi_inputs_finish(&session->arguments.inputs);
  mesh_options_finish(&session->arguments.mesh);
  list_finish(&session->arguments.deny_by_default);
}

/* ---- what goes in */

static int note_empty_inventory(const struct session *session) {
  const struct diagnostic diagnostic = {
      .severity = SEVERITY_WARNING,
      .code = "INV-0017",
      .summary = "the input has neither workloads nor services: rules about them have nothing to hold on to",
      .remedy = "name the manifests of what runs in the mesh as well, or an inventory with --inventory"};
  const PB(Inventory) *inventory = session->found.message;
  return inventory->n_workloads + inventory->n_services > 0 ? 0
                                                            : diagnostics_add(session->input.diagnostics, &diagnostic);
}

/* -EINVAL: it is in the diagnostics. */
static int read_input(struct session *session) {
  const struct arguments *arguments = &session->arguments;
  int r = inventory_input_read_smi(&arguments->inventory, &arguments->inputs, arguments->inventory_file,
                                   &session->input, &session->found);
  if (r < 0)
    return r;
  if (session->input.unreadable || session->input.resources == 0 || diagnostics_have_error(session->input.diagnostics))
    return -EINVAL;
  return note_empty_inventory(session);
}

static bool can_translate(const struct adapter_entry *entry) {
  for (size_t i = 0; i < entry->description->n_methods; i++)
    if (strcmp(entry->description->methods[i], "Translate") == 0)
      return true;
  return false;
}

static int open_adapter(struct session *session, struct error **err) {
  json_t *config = NULL;
  int r = mesh_options_find(&session->arguments.mesh, &session->registry, &session->entry, err);
  if (r == 0 && !can_translate(session->entry))
    r = error_set(err, EINVAL, "adapter %s translates nothing; `trammel adapter show %s` says what it does",
                  session->entry->id, session->entry->id);
  if (r == 0)
    r = mesh_options_config(&session->arguments.mesh, session->entry, session->told, &config, err);
  if (r == 0)
    r = instance_create(session->entry, config, NULL, session->told, &session->instance, err);
  json_decref(config);
  return r;
}

/* ---- the translation */

static int call(struct session *session, PB(SmiSet) * smi, bool allow_unsupported, struct diagnostics *told,
                PB(TranslateResponse) * *ret_response, struct error **err) {
  PB(TranslateOptions) options = TRAMMEL__ADAPTER__V1__TRANSLATE_OPTIONS__INIT;
  PB(TranslateRequest) request = TRAMMEL__ADAPTER__V1__TRANSLATE_REQUEST__INIT;
  const struct call_options how = {.deadline_ns = clock_monotonic_ns() + TRANSLATION_TIMEOUT_NS, .diagnostics = told};
  ProtobufCMessage *response = NULL;
  options.n_deny_by_default = session->arguments.deny_by_default.count;
  options.deny_by_default = (char **)session->arguments.deny_by_default.items; /* only packed */
  options.allow_unsupported = allow_unsupported;
  request.smi = smi;
  request.inventory = session->found.message;
  request.options = &options;
  int r = instance_call(session->instance, "Translate", &request.base,
                        &trammel__adapter__v1__translate_response__descriptor, &how, &response, err);
  if (r == 0)
    *ret_response = (PB(TranslateResponse) *)(void *)response;
  return r == -ENOMEM ? -EIO : r; /* also what the adapter says when its answer is too large */
}

/* -ENOTSUP when the mesh cannot do something: `response` then has the coverage, and what it can do, all the same. */
static int translate(struct session *session, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  PB(SmiSet) *smi = arena ? smi_to_wire(arena, &session->input.set) : NULL;
  if (!smi)
    return error_set(err, ENOMEM, "out of memory");
  int r = call(session, smi, session->arguments.allow_unsupported, session->told, &session->response, err);
  if (r == 0)
    session->complete = coverage_count(session->response).unsupported == 0;
  if (r != -ENOTSUP || session->arguments.allow_unsupported)
    return r;
  _cleanup_error_ struct error *why = NULL;
  int again = call(session, smi, true, NULL, &session->response, &why);
  return again < 0 ? error_set(err, -again, "%s", error_message(why)) : -ENOTSUP;
}

/* ---- what comes out */

static json_t *all_diagnostics(const struct session *session) {
  _cleanup_diagnostics_ struct diagnostics *all = diagnostics_create();
  if (!all || diagnostics_append(all, session->input.diagnostics) < 0 || diagnostics_append(all, session->told) < 0)
    return NULL;
  return diagnostics_to_json(all);
}

static json_t *coverage_document(const struct session *session) {
  const PB(DescribeResponse) *described = session->entry->description;
  struct coverage_counts counts = coverage_count(session->response);
  json_t *rows = coverage_to_json(session->response, &session->input.set);
  json_t *diagnostics = all_diagnostics(session);
  return json_pack("{s:{s:s, s:s, s:s}, s:b, s:{s:I, s:I, s:I, s:I}, s:o, s:o}", "adapter", "id", described->adapter_id,
                   "version", described->adapter_version, "mesh", described->mesh_name, "complete", session->complete,
                   "summary", "exact", (json_int_t)counts.exact, "approximated", (json_int_t)counts.approximated,
                   "unsupported", (json_int_t)counts.unsupported, "objects", (json_int_t)session->response->n_objects,
                   "coverage", rows, "diagnostics", diagnostics);
}

static int write_coverage(const struct session *session, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *document = coverage_document(session);
  int r = document ? json_write(document, &text) : -ENOMEM;
  json_decref(document);
  if (r < 0 || strbuf_failed(&text))
    return error_set(err, ENOMEM, "out of memory for the coverage");
  return file_replace(session->arguments.coverage_file, 0666, strbuf_text(&text), text.length, err);
}

/* All or nothing reaches standard output. */
static int write_objects(const struct session *session, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  int r = native_text(session->response, session->arguments.format == 1 ? NATIVE_JSON : NATIVE_YAML, &text, err);
  if (r < 0)
    return r;
  if (fwrite(strbuf_text(&text), 1, text.length, stdout) < text.length || fflush(stdout) != 0)
    return error_set(err, ENOSPC, "cannot write the result");
  return 0;
}

static int exit_code_of(int r) {
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

/* What is unsupported and allowed to be is not written, and the rest is. The exit code. */
static int give_out(struct session *session, int translated, struct error **err) {
  diagnostics_print(session->told, stderr);
  if (coverage_print(session->response, stderr) < 0)
    return EXIT_INTERNAL;
  if (session->arguments.coverage_file && write_coverage(session, err) < 0)
    return EXIT_INTERNAL;
  if (translated == -ENOTSUP)
    (void)error_set(err, ENOTSUP,
                    "%s cannot do all of it (%zu unsupported), and nothing was written; --allow-unsupported writes the "
                    "rest",
                    session->entry->description->mesh_name, coverage_count(session->response).unsupported);
  if (translated < 0)
    return exit_code_of(translated);
  error_free(take(*err));
  int r = write_objects(session, err);
  return r == 0 ? EXIT_ALL_PASSED : r == -ENOMEM || r == -ENOSPC ? EXIT_INTERNAL : exit_code_of(r);
}

static int run(struct session *session, struct error **err) {
  int r = smi_input_init(&session->input);
  session->told = diagnostics_create();
  if (r == 0)
    r = session->told ? read_input(session) : -ENOMEM;
  if (r == -ENOMEM)
    (void)error_set(err, ENOMEM, "out of memory");
  diagnostics_print(session->input.diagnostics, stderr);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  r = open_adapter(session, err);
  if (r == 0)
    r = translate(session, err);
  if (session->response)
    return give_out(session, r, err);
  diagnostics_print(session->told, stderr);
  return exit_code_of(r);
}

int cmd_translate(int argc, char **argv) {
  struct session session = {.arguments.mesh.name_option = "to"};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_translate_argp, argc, argv, &session.arguments);
  logging_start(false);
  int code = run(&session, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  session_finish(&session);
  return code;
}
