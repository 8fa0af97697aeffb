/* What a vendor writes against: a table of functions over SMI in hub form, an inventory and builders. No protobuf, no
 * sockets, no threads.
 *
 *   static int translate(struct call *call, const struct translate_request *request, struct translation *translation) {
 * … } static const struct adapter_class mymesh = {.description = {…}, .translate = translate}; ADAPTER_DEFINE(mymesh,
 * "mymesh", "1.0.0", "mymesh")
 *
 * A function left out answers UNIMPLEMENTED, and Describe doesn't list it. Functions are pure but for what they ask of
 * the host through the call: the same request gives the same bytes. They run one at a time unless the description says
 * reentrant. */
#ifndef TRAMMEL_SDK_ADAPTER_ADAPTER_H
#define TRAMMEL_SDK_ADAPTER_ADAPTER_H

#include <elf.h>

#include "sdk/adapter/call.h"
#include "sdk/adapter/inventory.h"
#include "sdk/adapter/native.h"
#include "sdk/adapter/translation.h"
#include "trammel/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

enum smi_support_level {
  SMI_UNSUPPORTED = 1,
  SMI_TRANSLATED, /* the adapter turns it into the mesh's own API */
  SMI_NATIVE,     /* the mesh reads SMI itself */
};

struct smi_support {
  struct smi_version version;
  enum smi_support_level level;
  const char *const *limits; /* what it cannot do, one sentence each; NULL-terminated, or NULL */
};

/* The rows of an adapter that turns all versions into its mesh's own API, with the same limits for each version of a
 * group; those of `draft` are for access v1alpha4, which is a draft. */
#define SMI_ALL_TRANSLATED(access, draft, specs, split)                                                                \
  {{SMI_ACCESS, 1}, SMI_TRANSLATED, (access)}, {{SMI_ACCESS, 2}, SMI_TRANSLATED, (access)},                            \
      {{SMI_ACCESS, 3}, SMI_TRANSLATED, (access)}, {{SMI_ACCESS, 4}, SMI_TRANSLATED, (draft)},                         \
      {{SMI_SPECS, 1}, SMI_TRANSLATED, (specs)}, {{SMI_SPECS, 2}, SMI_TRANSLATED, (specs)},                            \
      {{SMI_SPECS, 3}, SMI_TRANSLATED, (specs)}, {{SMI_SPECS, 4}, SMI_TRANSLATED, (specs)},                            \
      {{SMI_SPLIT, 1}, SMI_TRANSLATED, (split)}, {{SMI_SPLIT, 2}, SMI_TRANSLATED, (split)},                            \
      {{SMI_SPLIT, 3}, SMI_TRANSLATED, (split)}, {                                                                     \
    {SMI_SPLIT, 4}, SMI_TRANSLATED, (split)                                                                            \
  }

struct endpoint_permission {
  const char *method; /* "GET"; "*": any */
  const char *path_prefix;
};

struct endpoint_need {
  const char *name; /* "kubernetes", "consul": lower case letters, digits and '-' */
  const char *purpose;
  const struct endpoint_permission *permissions;
  size_t permission_count;
};

/* A program of others that it may have started. The operator says where it is. */
struct program_need {
  const char *name; /* lower case letters, digits and '-' */
  const char *purpose;
};

/* A kind of Kubernetes object that it may make. */
struct kubernetes_kind {
  const char *api_version; /* "example.com/v1" */
  const char *kind;
};

/* An option whose values are versions of an API, in its schema's enum the preferred first. When it is left open and
 * there is a cluster, the host takes the first for which all `kinds` of `group` are served. */
struct version_option {
  const char *option;
  const char *group;        /* "example.com" */
  const char *const *kinds; /* NULL-terminated */
};

struct operation {
  const char *name;
  const char *summary;
  const char *argument_schema; /* JSON Schema; NULL: no argument */
};

struct adapter_description {
  const char *mesh_name;            /* for people: "Istio" */
  const char *summary;              /* one line */
  const char *const *mesh_versions; /* supported, as ranges for people; NULL-terminated */
  const struct smi_support *smi;
  size_t smi_count;
  const char
      *config_schema; /* JSON Schema of the configuration, in the subset of sdk/base/schema.h; NULL: no configuration */
  const struct endpoint_need *endpoints;
  size_t endpoint_count;
  const struct kubernetes_kind *kinds; /* of all that native_kubernetes() makes: the host takes no others */
  size_t kind_count;
  const struct program_need *programs;
  size_t program_count;
  const struct version_option *version_options;
  size_t version_option_count;
  /* Domains of labels and annotations on its objects that tell the mesh something, beyond the groups of their APIs and
   * the domains that these are in; NULL-terminated, or NULL */
  const char *const *control_domains;
  const struct operation *operations;
  size_t operation_count;
  bool reentrant; /* the functions may run at the same time */
  bool embedded;  /* the mesh comes with the adapter: plan(INSTALL) in a process lab needs nothing from the operator */
};

/* ---- detect */
struct detection {
  bool present;
  bool ready;
  const char *mesh_version; /* strings live as long as the call; NULL: unknown */
  const char *detail;       /* why it is absent or not ready */
  const struct smi_support *served;
  size_t served_count;
  const char *ns;       /* of its control plane; NULL: it has none */
  const char *evidence; /* what it was told by */
};

/* ---- enroll and plan */
enum lab_kind { LAB_PROCESS = 1, LAB_KUBERNETES };

/* An endpoint that a program talks to itself: told in environment variables, NULL: not. The adapter sees neither. */
struct process_endpoint {
  const char *endpoint;
  const char *url_variable;
  const char *token_file_variable;
};

/* A program the host runs while the lab lives. `program` is the bare name of one of the description's programs, else of
 * one of Trammel's own, which is looked up where these are. */
struct mesh_process {
  const char *name;
  const char *program;
  const char *const *arguments; /* NULL-terminated */
  const char *ready_endpoint;   /* ready when GET `ready_path` there answers 200; NULL: at once */
  const char *ready_path;
  uint32_t ready_timeout_ms;
  const struct process_endpoint *endpoints;
  size_t endpoint_count;
};

/* Who is to join: the workloads of a lab, whose control port stays outside of the mesh; or workloads of a cluster that
 * are there already, of which nothing does: all of a namespace, by its labels and annotations alone, or a single one,
 * by its pods and what its namespace needs even then. Their inventory is empty: the answer holds for any of them. */
enum enroll_scope { ENROLL_LAB, ENROLL_NAMESPACE, ENROLL_WORKLOAD };

struct enroll_request {
  enum lab_kind lab;
  struct inventory inventory;
  enum enroll_scope scope;
};

/* Where a workload's own program connects to reach a service's port through the mesh. */
struct upstream {
  const struct inventory_workload *workload;
  const struct inventory_service *service;
  uint16_t port; /* of the service */
  enum port_protocol protocol;
  const char *address;
  uint16_t listen_port;
  const char *unsupported; /* why the mesh has no way there, in place of the address; NULL: it has */
};

struct enrollment;
void enrollment_register(struct enrollment *enrollment, struct native_object *object);
/* What makes workloads reach each other as without a mesh, on one that denies by default: there until something is to
 * be denied by default. */
void enrollment_plain_network(struct enrollment *enrollment, struct native_object *object);
void enrollment_process(struct enrollment *enrollment, const struct mesh_process *process);
void enrollment_upstream(struct enrollment *enrollment, const struct upstream *upstream);
void enrollment_namespace_label(struct enrollment *enrollment, const char *name, const char *value);
void enrollment_namespace_annotation(struct enrollment *enrollment, const char *name, const char *value);
/* Says that the answer is for that scope; without it, it is for a lab and the host takes it for nothing else. */
void enrollment_for(struct enrollment *enrollment, enum enroll_scope scope);
/* A JSON merge patch for pod templates, in whose lists of containers, initContainers and volumes items of other names
 * are kept; takes the reference. */
void enrollment_pod_overlay(struct enrollment *enrollment, json_t *overlay);
/* The name of a container that the mesh adds to pods and that stays, by which it is told who has joined. Without any,
 * each container counts that a pod's template does not have. */
void enrollment_sidecar(struct enrollment *enrollment, const char *container);
/* Where workloads' programs listen in their pods; everywhere unless said. */
void enrollment_app_address(struct enrollment *enrollment, const char *address);

enum plan_action { PLAN_INSTALL = 1, PLAN_UPGRADE, PLAN_UNINSTALL };

struct plan_request {
  enum plan_action action;
  enum lab_kind lab;
  const char *mesh_version; /* "": the adapter's choice */
  const char *address; /* free for the mesh's control plane: a loopback address; on Kubernetes a namespace's name */
};

struct plan;
/* Adds a step, carried out after the ones before it. */
void plan_process(struct plan *plan, const char *summary, const struct mesh_process *process);
void plan_object(struct plan *plan, const char *summary, struct native_object *object);
/* The address of an endpoint that is known from the last added step on. */
void plan_endpoint(struct plan *plan, const char *endpoint, const char *url);
/* The last added step, an object, is done once GET `path` at the endpoint answers 200. */
void plan_ready(struct plan *plan, const char *endpoint, const char *path, uint32_t timeout_ms);

/* ---- metrics */
struct metrics_resource {
  const char *kind;
  const char *ns;
  const char *name; /* "": all of the kind in the namespace */
};

struct metrics_request {
  struct metrics_resource resource; /* a namespace is a name without a namespace */
  bool edges;
  const struct smi_label *selector; /* only items with all of these labels */
  size_t selector_count;
};

enum edge_direction { EDGE_TO = 1, EDGE_FROM };
enum edge_side { EDGE_CLIENT = 1, EDGE_SERVER };

struct metrics_backend {
  const char *apex; /* NULL: the resource is no TrafficSplit */
  const char *name;
  uint64_t weight;
};

struct metrics_item {
  struct metrics_resource resource;
  struct metrics_resource peer;  /* edges only */
  enum edge_direction direction; /* edges only: traffic goes from the resource to the peer, or comes from it */
  enum edge_side side;           /* edges only: where it was counted */
  struct metrics_backend backend;
  uint64_t success_count;
  uint64_t failure_count;
  uint64_t p50_ns; /* these: 0 without samples */
  uint64_t p90_ns;
  uint64_t p99_ns;
};

struct metrics;
void metrics_add(struct metrics *metrics, const struct metrics_item *item);
void metrics_window(struct metrics *metrics, uint32_t window_ms); /* 0: since the mesh started */

/* What a mesh that serves SMI metrics itself answered, also when that was an error or could not be read: then without
 * items, and the function returns TRAMMEL_OK. The host judges it. `body` lives as long as the call. */
void metrics_document(struct metrics *metrics, unsigned status, const char *body, size_t length);

/* ---- invoke */
struct invocation;
/* Sends an event at once. False when nobody listens any more: return TRAMMEL_CANCELLED. */
bool invocation_event(struct invocation *invocation, bool error, const char *summary, const char *detail);

struct adapter_class {
  struct adapter_description description;
  /* Refuses a configuration the schema cannot refuse. Optional. */
  int (*configure)(struct call *call);
  int (*translate)(struct call *call, const struct translate_request *request, struct translation *translation);
  int (*detect)(struct call *call, struct detection *ret_detection);
  int (*enroll)(struct call *call, const struct enroll_request *request, struct enrollment *enrollment);
  int (*plan)(struct call *call, const struct plan_request *request, struct plan *plan);
  int (*metrics)(struct call *call, const struct metrics_request *request, struct metrics *metrics);
  /* `argument` keeps to the operation's schema, with defaults filled in; NULL for an operation without one. */
  int (*invoke)(struct call *call, const char *operation, const json_t *argument, struct invocation *invocation);
};

/* Who the adapter is: one place for the ELF note, the C ABI table and Describe. */
struct adapter_identity {
  const char *id;
  const char *version;
  const char *mesh;
};

int adapter_sdk_create(const struct adapter_class *adapter, const struct adapter_identity *identity,
                       const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op);
int adapter_sdk_call(trammel_instance *instance, trammel_str method, trammel_str request, trammel_op *op);
const void *adapter_sdk_get(trammel_instance *instance, const char *extension_id);
void adapter_sdk_destroy(trammel_instance *instance);

/* An instrumenting compiler would pad the note. */
#ifdef __clang__
#define ADAPTER_NOTE_ATTRIBUTES __attribute__((section(".note.trammel"), aligned(4), used, no_sanitize("address")))
#else
#define ADAPTER_NOTE_ATTRIBUTES __attribute__((section(".note.trammel"), aligned(4), used))
#endif

/* The entry point and the ELF note of an adapter whose table of functions is `class_`. Once per shared object; `id_`,
 * `version_` and `mesh_` are string literals. */
#define ADAPTER_DEFINE(class_, id_, version_, mesh_)                                                                   \
  static const struct {                                                                                                \
    Elf64_Nhdr head;                                                                                                   \
    char owner[sizeof TRAMMEL_NOTE_OWNER];                                                                             \
    trammel_note note;                                                                                                 \
  } adapter_note ADAPTER_NOTE_ATTRIBUTES = {                                                                           \
      {sizeof TRAMMEL_NOTE_OWNER, sizeof(trammel_note), TRAMMEL_NOTE_TYPE},                                            \
      TRAMMEL_NOTE_OWNER,                                                                                              \
      {TRAMMEL_ABI_MAJOR, 0, id_, version_, mesh_},                                                                    \
  };                                                                                                                   \
  static const struct adapter_identity adapter_identity = {id_, version_, mesh_};                                      \
  static int adapter_create(const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op) {    \
    return adapter_sdk_create(&(class_), &adapter_identity, host, config, ret, op);                                    \
  }                                                                                                                    \
  const trammel_adapter *trammel_adapter_entry_v1(const trammel_head *host) {                                          \
    static const trammel_adapter table = {                                                                             \
        .head = {sizeof(trammel_adapter), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},                                    \
        .id = {id_, sizeof id_ - 1},                                                                                   \
        .version = {version_, sizeof version_ - 1},                                                                    \
        .create = adapter_create,                                                                                      \
        .call = adapter_sdk_call,                                                                                      \
        .get = adapter_sdk_get,                                                                                        \
        .destroy = adapter_sdk_destroy,                                                                                \
    };                                                                                                                 \
    return host->abi_major == TRAMMEL_ABI_MAJOR ? &table : NULL;                                                       \
  }

#ifdef __cplusplus
}
#endif

#endif
