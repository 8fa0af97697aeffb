/* The methods of the contract and what Describe says. */
#include <stdio.h>
#include <string.h>

#include "sdk/adapter/internal.h"

#define OFFERED(name)                                                                                                  \
  static bool has_##name(const struct adapter_class *class) {                                                          \
    return class->name;                                                                                                \
  }
OFFERED(translate)
OFFERED(detect)
OFFERED(enroll)
OFFERED(plan)
OFFERED(metrics)
OFFERED(invoke)

const struct method methods[] = {
    {"Translate", &trammel__adapter__v1__translate_request__descriptor, has_translate, run_translate},
    {"Detect", &trammel__adapter__v1__detect_request__descriptor, has_detect, run_detect},
    {"Enroll", &trammel__adapter__v1__enroll_request__descriptor, has_enroll, run_enroll},
    {"Plan", &trammel__adapter__v1__plan_request__descriptor, has_plan, run_plan},
    {"Metrics", &trammel__adapter__v1__metrics_request__descriptor, has_metrics, run_metrics},
    {"Invoke", &trammel__adapter__v1__invoke_request__descriptor, has_invoke, run_invoke},
    {0},
};

static char **texts(struct call *call, const char *const *list, size_t *ret_count) {
  struct pointers copies = {0};
  for (; list && *list; list++)
    pointers_add(call, &copies, call_text(call, *list));
  *ret_count = copies.count;
  return (char **)copies.items;
}

static ProtobufCBinaryData bytes(struct call *call, const char *text) {
  char *copy = call_text(call, text);
  return (ProtobufCBinaryData){.len = strlen(copy), .data = (uint8_t *)copy};
}

void smi_support_to_wire(struct call *call, const struct smi_support *support, size_t count, size_t *ret_count,
                         PB(SmiSupport) * **ret_messages) {
  static const PB(Support) levels[] = {
      [SMI_UNSUPPORTED] = PB_VALUE(SUPPORT__SUPPORT_UNSUPPORTED),
      [SMI_TRANSLATED] = PB_VALUE(SUPPORT__SUPPORT_TRANSLATED),
      [SMI_NATIVE] = PB_VALUE(SUPPORT__SUPPORT_NATIVE),
  };
  struct pointers list = {0};
  for (size_t i = 0; i < count; i++) {
    PB(SmiSupport) *message = call_new(call, PB(SmiSupport));
    if (!message)
      break;
    *message = (PB(SmiSupport))PB_INIT(SMI_SUPPORT);
    char version[16];
    (void)snprintf(version, sizeof version, "v1alpha%u", support[i].version.alpha);
    message->group = call_text(call, smi_group_name(support[i].version.group));
    message->version = call_text(call, version);
    message->support = levels[support[i].level];
    message->limits = texts(call, support[i].limits, &message->n_limits);
    pointers_add(call, &list, message);
  }
  *ret_count = list.count;
  *ret_messages = (PB(SmiSupport) **)list.items;
}

static PB(Endpoint) * endpoint_message(struct call *call, const struct endpoint_need *need) {
  PB(Endpoint) *message = call_new(call, PB(Endpoint));
  if (!message)
    return NULL;
  *message = (PB(Endpoint))PB_INIT(ENDPOINT);
  message->name = call_text(call, need->name);
  message->purpose = call_text(call, need->purpose);
  struct pointers permissions = {0};
  for (size_t i = 0; i < need->permission_count; i++) {
    PB(Permission) *permission = call_new(call, PB(Permission));
    if (!permission)
      return NULL;
    *permission = (PB(Permission))PB_INIT(PERMISSION);
    permission->method = call_text(call, need->permissions[i].method);
    permission->path_prefix = call_text(call, need->permissions[i].path_prefix);
    pointers_add(call, &permissions, permission);
  }
  message->n_permissions = permissions.count;
  message->permissions = (PB(Permission) **)permissions.items;
  return message;
}

static void describe_kinds(struct call *call, const struct adapter_description *from, PB(DescribeResponse) * to) {
  struct pointers kinds = {0};
  for (size_t i = 0; i < from->kind_count; i++) {
    PB(KubernetesKind) *message = call_new(call, PB(KubernetesKind));
    if (!message)
      break;
    *message = (PB(KubernetesKind))PB_INIT(KUBERNETES_KIND);
    message->api_version = call_text(call, from->kinds[i].api_version);
    message->kind = call_text(call, from->kinds[i].kind);
    pointers_add(call, &kinds, message);
  }
  to->n_kubernetes_kinds = kinds.count;
  to->kubernetes_kinds = (PB(KubernetesKind) **)kinds.items;
}

static void describe_programs(struct call *call, const struct adapter_description *from, PB(DescribeResponse) * to) {
  struct pointers programs = {0};
  for (size_t i = 0; i < from->program_count; i++) {
    PB(ProgramNeed) *message = call_new(call, PB(ProgramNeed));
    if (!message)
      break;
    *message = (PB(ProgramNeed))PB_INIT(PROGRAM_NEED);
    message->name = call_text(call, from->programs[i].name);
    message->purpose = call_text(call, from->programs[i].purpose);
    pointers_add(call, &programs, message);
  }
  to->n_programs = programs.count;
  to->programs = (PB(ProgramNeed) **)programs.items;
}

static void describe_version_options(struct call *call, const struct adapter_description *from,
                                     PB(DescribeResponse) * to) {
  struct pointers options = {0};
  for (size_t i = 0; i < from->version_option_count; i++) {
    PB(VersionOption) *message = call_new(call, PB(VersionOption));
    if (!message)
      break;
    *message = (PB(VersionOption))PB_INIT(VERSION_OPTION);
    message->option = call_text(call, from->version_options[i].option);
    message->group = call_text(call, from->version_options[i].group);
    message->kinds = texts(call, from->version_options[i].kinds, &message->n_kinds);
    pointers_add(call, &options, message);
  }
  to->n_version_options = options.count;
  to->version_options = (PB(VersionOption) **)options.items;
}

static void describe_needs(struct call *call, const struct adapter_description *from, PB(DescribeResponse) * to) {
  struct pointers endpoints = {0};
  for (size_t i = 0; i < from->endpoint_count; i++) {
    PB(Endpoint) *message = endpoint_message(call, &from->endpoints[i]);
    if (message)
      pointers_add(call, &endpoints, message);
  }
  to->n_endpoints = endpoints.count;
  to->endpoints = (PB(Endpoint) **)endpoints.items;
  describe_kinds(call, from, to);
  describe_programs(call, from, to);
  describe_version_options(call, from, to);
  to->control_domains = texts(call, from->control_domains, &to->n_control_domains);
  struct pointers operations = {0};
  for (size_t i = 0; i < from->operation_count; i++) {
    PB(Operation) *message = call_new(call, PB(Operation));
    if (!message)
      break;
    *message = (PB(Operation))PB_INIT(OPERATION);
    message->name = call_text(call, from->operations[i].name);
    message->summary = call_text(call, from->operations[i].summary);
    message->argument_schema = bytes(call, from->operations[i].argument_schema);
    pointers_add(call, &operations, message);
  }
  to->n_operations = operations.count;
  to->operations = (PB(Operation) **)operations.items;
}

int run_describe(struct call *call, const ProtobufCMessage **ret_response) {
  const struct adapter_description *description = &call_class(call)->description;
  PB(DescribeResponse) *response = call_new(call, PB(DescribeResponse));
  if (!response)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  *response = (PB(DescribeResponse))PB_INIT(DESCRIBE_RESPONSE);
  response->adapter_id = call_text(call, call_identity(call)->id);
  response->adapter_version = call_text(call, call_identity(call)->version);
  response->mesh_type = call_text(call, call_identity(call)->mesh);
  response->mesh_name = call_text(call, description->mesh_name);
  response->summary = call_text(call, description->summary);
  response->mesh_versions = texts(call, description->mesh_versions, &response->n_mesh_versions);
  response->config_schema = bytes(call, description->config_schema);
  response->reentrant = description->reentrant;
  response->embedded = description->embedded;
  smi_support_to_wire(call, description->smi, description->smi_count, &response->n_smi, &response->smi);
  describe_needs(call, description, response);
  struct pointers names = {0};
  for (const struct method *m = methods; m->name; m++)
    if (m->offered(call_class(call)))
      pointers_add(call, &names, call_text(call, m->name));
  response->n_methods = names.count;
  response->methods = (char **)names.items;
  *ret_response = &response->base;
  return atomic_load(&call->failed) ? TRAMMEL_RESOURCE_EXHAUSTED : TRAMMEL_OK;
}
