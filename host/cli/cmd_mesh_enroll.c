/* trammel mesh enroll: namespaces and workloads join a mesh, or leave it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "host/cli/changes.h"
#include "host/cli/cmds.h"
#include "host/cli/duration.h"
#include "host/cli/enrolled_pods.h"
#include "host/cli/enrolling.h"
#include "host/cli/interrupt.h"
#include "host/cli/logging.h"
#include "host/cli/mesh_options.h"
#include "host/cli/packages.h"
#include "sdk/base/clock.h"
#include "sdk/smi/text.h"

#define PB(name) Trammel__Adapter__V1__##name

struct arguments {
  struct mesh_options mesh;
  struct list words; /* NAMESPACE or NAMESPACE/KIND/NAME */
  bool leave;
  bool restart;
  bool dry_run;
  bool json;
  int64_t wait_ns; /* 0: not */
};

enum { KEY_UNDO = 0x720, KEY_RESTART, KEY_DRY_RUN, KEY_WAIT };

static const struct argp_option option_table[] = {
    {"mesh", 'm', "NAME", 0, "the mesh or adapter; `trammel mesh list` lists them", 0},
    {"undo", KEY_UNDO, 0, 0, "have them leave the mesh again: take back what enroll wrote, and nothing else", 0},
    {"restart", KEY_RESTART, 0, 0,
     "of namespaces: have pods made anew that have no sidecar; others get one when they are made anew", 0},
    {"wait", KEY_WAIT, "DURATION", 0,
     "how long to wait until all pods are ready and have a sidecar, or with --undo none (default: not at all)", 0},
    {"dry-run", KEY_DRY_RUN, 0, 0, "only say what would be done; the cluster checks it and keeps nothing", 0},
    PACKAGES_OPTION_OUTPUT,
    {0},
};

/* The kind of a workload as people write it; NULL: none. */
static const char *kind_of(const char *text, size_t length) {
  static const char *const known[][2] = {{"deployment", "Deployment"},   {"deploy", "Deployment"},
                                         {"statefulset", "StatefulSet"}, {"sts", "StatefulSet"},
                                         {"daemonset", "DaemonSet"},     {"ds", "DaemonSet"}};
  for (size_t i = 0; i < ARRAY_COUNT(known); i++)
    if (strlen(known[i][0]) == length && strncasecmp(known[i][0], text, length) == 0)
      return known[i][1];
  return NULL;
}

/* The name of the workload that a word is about; NULL: it is about a namespace, or says no kind that is known. */
static const char *name_of(const char *word, const char **ret_kind) {
  const char *kind = strchr(word, '/'), *name = kind ? strchr(kind + 1, '/') : NULL;
  *ret_kind = name ? kind_of(kind + 1, (size_t)(name - kind - 1)) : NULL;
  return *ret_kind ? name + 1 : NULL;
}

static void check_word(const struct argp_state *state, const char *word) {
  const char *kind = NULL, *name = name_of(word, &kind);
  size_t length = strcspn(word, "/");
  const char *expected = text_expected(TEXT_LABEL, word, length);
  if (expected)
    argp_error(state, "'%s': no namespace: expected %s", word, expected);
  else if (word[length] && !name)
    argp_error(state,
               "'%s': expected NAMESPACE, or NAMESPACE/KIND/NAME with the KIND deployment, statefulset or daemonset",
               word);
  else if (name && text_expected(TEXT_SUBDOMAIN, name, strlen(name)))
    argp_error(state, "'%s': no name of a workload: expected %s", word,
               text_expected(TEXT_SUBDOMAIN, name, strlen(name)));
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->mesh.cluster;
    state->child_inputs[1] = &arguments->mesh;
    return 0;
  case 'm':
    arguments->mesh.mesh = argument;
    return 0;
  case KEY_UNDO:
    arguments->leave = true;
    return 0;
  case KEY_RESTART:
    arguments->restart = true;
    return 0;
  case KEY_DRY_RUN:
    arguments->dry_run = true;
    return 0;
  case KEY_WAIT:
    arguments->wait_ns = duration_parse(state, "--wait", argument, true);
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    check_word(state, argument);
    return -list_add(&arguments->words, argument);
  case ARGP_KEY_END:
    if (arguments->words.count == 0)
      argp_error(state, "say who: NAMESPACE or NAMESPACE/KIND/NAME");
    if (!arguments->mesh.mesh && !arguments->mesh.remote)
      argp_error(state, "say which mesh to join: --mesh NAME; `trammel mesh list` lists them");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {
    {&cluster_options_argp, 0, "Cluster:", 1}, {&adapter_choice_argp, 0, "Adapter:", 2}, {0}};
const struct argp cmd_mesh_enroll_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .args_doc = "NAMESPACE|NAMESPACE/KIND/NAME...",
    .doc = "Has namespaces, or single workloads (KIND is deployment, statefulset or daemonset), join a mesh on the "
           "cluster of the kubeconfig, as the adapter says how; then counts the pods that have a sidecar.\v"
           "What is written is the field manager trammel-enroll/ADAPTER's, by server-side apply without force: a field "
           "that another manager has set otherwise is left as it is, and told. It stays until --undo takes it back; "
           "doing either again changes nothing.\n\n"
           "Exits 0 when all is done, 1 when something was refused or pods are not as they should be at the end of "
           "--wait, 2 for usage and what the adapter cannot do, 3 when the cluster did not answer or allow it, or the "
           "command was interrupted.",
};

/* ---- what the adapter says */

static bool can_enroll(const struct adapter_entry *entry) {
  for (size_t i = 0; i < entry->description->n_methods; i++)
    if (strcmp(entry->description->methods[i], "Enroll") == 0)
      return true;
  return false;
}

static int ask(struct instance *instance, PB(EnrollScope) scope, struct diagnostics *told,
               PB(EnrollResponse) * *ret_response, struct error **err) {
  const struct call_options how = {.diagnostics = told};
  PB(EnrollRequest) request = TRAMMEL__ADAPTER__V1__ENROLL_REQUEST__INIT;
  ProtobufCMessage *response = NULL;
  request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES;
  request.scope = scope;
  int r = instance_call(instance, "Enroll", &request.base, &trammel__adapter__v1__enroll_response__descriptor, &how,
                        &response, err);
  if (r < 0)
    return r;
  *ret_response = (PB(EnrollResponse) *)(void *)response;
  if ((*ret_response)->scope == scope)
    return 0;
  return error_set(err, ENOTSUP, "adapter %s enrolls the workloads of labs only", instance_entry(instance)->id);
}

struct answers {
  PB(EnrollResponse) * of_namespaces, *of_workloads;
};

static void answers_finish(struct answers *answers) {
  PB(EnrollResponse) *const both[] = {answers->of_namespaces, answers->of_workloads};
  for (size_t i = 0; i < ARRAY_COUNT(both); i++)
    if (both[i])
      trammel__adapter__v1__enroll_response__free_unpacked(both[i], NULL);
}

/* Whether any word is about a single workload, or about a namespace: a mesh may take one and not the other. */
static bool words_name(const struct list *words, bool workloads) {
  const char *kind = NULL;
  for (size_t i = 0; i < words->count; i++)
    if ((name_of(words->items[i], &kind) != NULL) == workloads)
      return true;
  return false;
}

/* The names are the same in both. */
static struct injection_marks marks_of(const struct answers *answers) {
  const PB(EnrollResponse) *told = answers->of_namespaces ? answers->of_namespaces : answers->of_workloads;
  return told ? (struct injection_marks){told->sidecars, told->n_sidecars} : (struct injection_marks){0};
}

static int ask_what_is_named(const struct arguments *arguments, const struct adapter_entry *entry,
                             struct answers *answers, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *told = diagnostics_create();
  struct instance *instance = NULL;
  json_auto_t *config = NULL;
  int r = told ? 0 : error_set(err, ENOMEM, "out of memory for diagnostics");
  if (r == 0 && !can_enroll(entry))
    r = error_set(err, EINVAL, "adapter %s enrolls nothing; `trammel mesh list` says which do", entry->id);
  if (r == 0)
    r = mesh_options_config(&arguments->mesh, entry, told, &config, err);
  if (r == 0)
    r = instance_create(entry, config, NULL, told, &instance, err);
  if (r == 0 && words_name(&arguments->words, false))
    r = ask(instance, TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_NAMESPACE, told, &answers->of_namespaces, err);
  if (r == 0 && words_name(&arguments->words, true))
    r = ask(instance, TRAMMEL__ADAPTER__V1__ENROLL_SCOPE__ENROLL_SCOPE_WORKLOAD, told, &answers->of_workloads, err);
  diagnostics_print(told, stderr);
  instance_destroy(instance);
  return r;
}

/* ---- what is done */

struct telling {
  const struct arguments *arguments;
  json_t *objects;
};

static void tell(void *ctx, enum enrolling_outcome outcome, const struct cluster_place *place, const char *why) {
  const struct telling *telling = ctx;
  if (telling->arguments->json) {
    (void)json_array_append_new(telling->objects, json_pack("{s:s, s:s, s:s?, s:s, s:s?}", "outcome",
                                                            enrolling_outcome_name(outcome), "kind", place->kind,
                                                            "namespace", place->ns, "name", place->name, "why", why));
    return;
  }
  printf("%-9s  ", enrolling_outcome_name(outcome));
  changes_print_place(place, stdout);
  if (telling->arguments->dry_run)
    (void)fputs(" (dry run)", stdout);
  if (why) {
    (void)fputs(": ", stdout);
    changes_print_safe(why, stdout);
  }
  putchar('\n');
}

static int enroll_word(struct enrolling *enrolling, const char *word, struct error **err) {
  struct cluster_place place = {.api_version = "apps/v1"};
  _cleanup_free_ char *ns = strndup(word, strcspn(word, "/"));
  place.name = name_of(word, &place.kind);
  place.ns = ns;
  if (!ns)
    return error_set(err, ENOMEM, "out of memory for a name");
  return place.name ? enrolling_workload(enrolling, &place, err) : enrolling_namespace(enrolling, ns, err);
}

static int enroll_all(const struct arguments *arguments, struct enrolling *enrolling, struct error **err) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < arguments->words.count; i++)
    r = interrupt_came()
            ? error_set(err, ECANCELED, "interrupted; what was done stays, and the same command does the rest")
            : enroll_word(enrolling, arguments->words.items[i], err);
  return r;
}

static int look(const struct arguments *arguments, const struct enrolling *enrolling, json_t **ret_looks,
                struct error **err) {
  const bool waits = arguments->wait_ns > 0 && !arguments->dry_run;
  const struct enrolled_pods pods = {.cluster = enrolling->membership.cluster,
                                     .workloads = enrolling->workloads,
                                     .marks = enrolling->marks,
                                     .leave = arguments->leave,
                                     .deadline_ns = waits ? clock_in_ns(arguments->wait_ns) : 0,
                                     .cancel = interrupt_flag()};
  return enrolled_pods_look(&pods, ret_looks, err);
}

static json_t *counts_json(const struct enrolling *enrolling) {
  json_t *counts = json_object();
  for (int i = 0; i < ENROLLING_OUTCOMES; i++)
    (void)json_object_set_new(counts,
                              i == ENROLLING_NOT_DONE ? "notDone" : enrolling_outcome_name((enum enrolling_outcome)i),
                              json_integer((json_int_t)enrolling->counts[i]));
  return counts;
}

/* Takes the references. */
static int print(const struct arguments *arguments, const struct enrolling *enrolling, json_t *objects, json_t *looks) {
  if (arguments->json)
    return packages_print_json(json_pack("{s:s, s:b, s:b, s:o, s:o, s:o}", "adapter", enrolling->membership.adapter,
                                         "dryRun", arguments->dry_run, "undo", arguments->leave, "objects", objects,
                                         "workloads", looks, "summary", counts_json(enrolling)));
  enrolled_pods_print(looks, stdout);
  size_t unsettled = enrolled_pods_unsettled(looks);
  if (unsettled > 0 && !arguments->dry_run)
    fprintf(stderr, "trammel: %zu %s pods that are not as they should be yet%s\n", unsettled,
            unsettled == 1 ? "workload has" : "workloads have",
            arguments->restart || arguments->leave || arguments->wait_ns > 0
                ? ""
                : "; pods get a sidecar when they are made anew: --restart has that done, --wait waits for it");
  json_decref(objects);
  json_decref(looks);
  return fflush(stdout) != 0 || ferror(stdout) ? EXIT_INTERNAL : 0;
}

static int exit_code_of(const struct arguments *arguments, int r, const struct enrolling *enrolling,
                        const json_t *looks) {
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_COULD_NOT_TEST;
  if (enrolling->counts[ENROLLING_REFUSED] > 0)
    return EXIT_SOMETHING_FAILED;
  if (enrolling->counts[ENROLLING_FAILED] > 0)
    return EXIT_COULD_NOT_TEST;
  return arguments->wait_ns > 0 && !arguments->dry_run && enrolled_pods_unsettled(looks) > 0 ? EXIT_SOMETHING_FAILED
                                                                                             : EXIT_ALL_PASSED;
}

static int enroll(const struct arguments *arguments, const struct adapter_entry *entry, const struct answers *answers,
                  struct cluster *cluster, struct error **err) {
  json_auto_t *workloads = json_array();
  struct telling telling = {.arguments = arguments, .objects = json_array()};
  struct enrolling enrolling = {.membership = {.cluster = cluster,
                                               .adapter = entry->id,
                                               .dry_run = arguments->dry_run,
                                               .cancel = interrupt_flag()},
                                .of_namespaces = answers->of_namespaces,
                                .of_workloads = answers->of_workloads,
                                .marks = marks_of(answers),
                                .leave = arguments->leave,
                                .restart = arguments->restart,
                                .told = tell,
                                .ctx = &telling,
                                .workloads = workloads};
  json_t *looks = NULL;
  (void)setvbuf(stdout, NULL, _IOLBF, 0); /* a line as soon as it is done, also into a pipe */
  interrupt_catch();
  int r = enroll_all(arguments, &enrolling, err);
  if (r == 0)
    r = look(arguments, &enrolling, &looks, err);
  int code = exit_code_of(arguments, r, &enrolling, looks);
  int printed = print(arguments, &enrolling, telling.objects, looks ? looks : json_array());
  return printed ? EXIT_INTERNAL : code;
}

static int exit_code_of_error(int r) {
  return r == -ENOMEM                                    ? EXIT_INTERNAL
         : r == -EINVAL || r == -ENOENT || r == -ENOTSUP ? EXIT_USAGE
                                                         : EXIT_COULD_NOT_TEST;
}

int cmd_mesh_enroll(int argc, char **argv) {
  struct arguments arguments = {.mesh = {.name_option = "mesh"}};
  _cleanup_error_ struct error *err = NULL;
  struct answers answers = {0};
  struct cluster *cluster = NULL;
  struct registry *registry = NULL;
  const struct adapter_entry *entry = NULL;
  command_parse(&cmd_mesh_enroll_argp, argc, argv, &arguments);
  logging_start(false);
  int r = mesh_options_find(&arguments.mesh, &registry, &entry, &err);
  if (r == 0)
    r = ask_what_is_named(&arguments, entry, &answers, &err);
  int code = r == 0 ? EXIT_ALL_PASSED : exit_code_of_error(r);
  if (r == 0 && cluster_open(&arguments.mesh.cluster, &cluster, &err) < 0)
    code = EXIT_USAGE;
  if (code == EXIT_ALL_PASSED)
    code = enroll(&arguments, entry, &answers, cluster, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  answers_finish(&answers);
  cluster_close(cluster);
  registry_destroy(registry);
  mesh_options_finish(&arguments.mesh);
  list_finish(&arguments.words);
  return code;
}
