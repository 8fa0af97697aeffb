#include "host/certify/methods.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/certify/schema_value.h"
#include "host/certify/translation.h"
#include "sdk/adapter/codec.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

#define TYPES(lower)                                                                                                   \
  &trammel__adapter__v1__##lower##_request__descriptor, &trammel__adapter__v1__##lower##_response__descriptor
const struct method_type method_types[] = {
    {"Describe", TYPES(describe), false, false},
    {"Configure", TYPES(configure), false, false},
    {"Translate", TYPES(translate), false, false},
    {"Detect", TYPES(detect), false, true},
    {"Enroll", TYPES(enroll), false, false},
    {"Plan", TYPES(plan), false, false},
    {"Metrics", TYPES(metrics), false, true},
    {"Invoke", &trammel__adapter__v1__invoke_request__descriptor, &trammel__adapter__v1__invoke_event__descriptor, true,
     true},
    {0},
};

const struct method_type *method_type(const char *name) {
  for (const struct method_type *type = method_types; type->name; type++)
    if (strcmp(type->name, name) == 0)
      return type;
  return NULL;
}

#define SAMPLES_MAX 128

struct making {
  struct sitting *sitting;
  struct arena *arena;
  struct sample *samples;
  size_t count;
  unsigned left_out; /* of which there is no room */
  bool failed;
};

static void add(struct making *making, const char *method, const char *about, const ProtobufCMessage *request) {
  struct sample *sample = &making->samples[making->count];
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  making->left_out += making->count == SAMPLES_MAX;
  if (making->count == SAMPLES_MAX || making->failed)
    return;
  making->failed = message_pack(request, &data, &length, NULL) < 0;
  *sample = (struct sample){.type = method_type(method),
                            .about = about ? arena_strdup(making->arena, about) : method,
                            .data = (uint8_t *)arena_strndup(making->arena, (const char *)data, length),
                            .length = length};
  making->failed |= !sample->data || !sample->about;
  making->count++;
}

static char *text(const char *borrowed) {
  return (char *)(uintptr_t)borrowed;
}

static void add_metrics(struct making *making) {
  static const struct {
    const char *kind, *ns, *name;
    bool edges;
  } asked[] = {{"Pod", "main", "client", false},     {"Deployment", "main", "", true},
               {"Service", "main", "server", false}, {"TrafficSplit", "main", "split", false},
               {"Namespace", "", "main", false},     {"NoSuchKind", "main", "x", false}};
  for (size_t i = 0; i < ARRAY_COUNT(asked); i++) {
    PB(ResourceRef) resource = PB_INIT(RESOURCE_REF);
    PB(MetricsRequest) request = PB_INIT(METRICS_REQUEST);
    char about[64];
    (void)snprintf(about, sizeof about, "Metrics of a %s", asked[i].kind);
    resource.kind = text(asked[i].kind);
    resource.namespace_ = text(asked[i].ns);
    resource.name = text(asked[i].name);
    request.resource = &resource;
    request.edges = asked[i].edges;
    add(making, "Metrics", about, &request.base);
  }
}

static void add_plans(struct making *making) {
  for (int action = TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_INSTALL;
       action <= TRAMMEL__ADAPTER__V1__PLAN_ACTION__PLAN_ACTION_UNINSTALL; action++) {
    PB(PlanRequest) request = PB_INIT(PLAN_REQUEST);
    request.action = (PB(PlanAction))action;
    request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
    request.address = text("127.1.0.1");
    add(making, "Plan", NULL, &request.base);
    request.lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES;
    request.address = text("");
    add(making, "Plan", NULL, &request.base);
  }
}

static void add_operation(struct making *making, const PB(Operation) * operation) {
  ProtobufCBinaryData schema_text = operation->argument_schema;
  json_auto_t *schema = schema_text.len ? json_loadb((const char *)schema_text.data, schema_text.len, 0, NULL) : NULL;
  struct chance chance = {making->sitting->seed};
  json_auto_t *value = schema ? schema_value_required(schema, &chance) : NULL;
  _cleanup_free_ char *argument = value ? json_dumps(value, JSON_COMPACT) : NULL;
  if (schema && !argument) {
    sitting_warn(making->sitting,
                 "Invoke of %.100s is not tried: no argument was found that fits its schema; give properties with a "
                 "pattern a default",
                 operation->name);
    return;
  }
  PB(InvokeRequest) request = PB_INIT(INVOKE_REQUEST);
  char about[128];
  (void)snprintf(about, sizeof about, "Invoke of %.100s", operation->name);
  request.operation = operation->name;
  if (argument)
    request.argument = (ProtobufCBinaryData){.len = strlen(argument), .data = (uint8_t *)argument};
  add(making, "Invoke", about, &request.base);
}

static void add_cases(struct making *making) {
  _cleanup_corpus_ struct corpus corpus = {0};
  if (translation_cases(making->sitting, &corpus) < 0) {
    making->failed = true;
    return;
  }
  if (sitting_offers(making->sitting, "Translate"))
    add(making, "Translate", NULL, &corpus.items[0].request->base);
  PB(EnrollRequest) request = PB_INIT(ENROLL_REQUEST);
  request.inventory = corpus.items[0].request->inventory;
  for (int lab = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
       lab <= TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES && sitting_offers(making->sitting, "Enroll"); lab++) {
    request.lab = (PB(LabKind))lab;
    add(making, "Enroll", NULL, &request.base);
  }
}

int samples_make(struct sitting *sitting, struct arena *arena, struct sample **ret_samples, size_t *ret_count) {
  const PB(DescribeResponse) *d = sitting->subject->entry.description;
  struct making making = {.sitting = sitting,
                          .arena = arena,
                          .samples = arena ? arena_array(arena, SAMPLES_MAX + 1, sizeof(struct sample)) : NULL};
  const PB(DescribeRequest) describe = PB_INIT(DESCRIBE_REQUEST);
  const PB(DetectRequest) detect = PB_INIT(DETECT_REQUEST);
  if (!making.samples) {
    sitting_lacks(sitting, "memory");
    return -ENOMEM;
  }
  add(&making, "Describe", NULL, &describe.base);
  add_cases(&making);
  if (sitting_offers(sitting, "Detect"))
    add(&making, "Detect", NULL, &detect.base);
  if (sitting_offers(sitting, "Plan"))
    add_plans(&making);
  if (sitting_offers(sitting, "Metrics"))
    add_metrics(&making);
  for (size_t i = 0; i < d->n_operations && sitting_offers(sitting, "Invoke"); i++)
    add_operation(&making, d->operations[i]);
  if (making.left_out)
    sitting_warn(sitting, "%u requests are not tried: at most %d are, of all operations and methods together",
                 making.left_out, SAMPLES_MAX);
  if (making.failed)
    sitting_lacks(sitting, "memory");
  *ret_samples = making.samples;
  *ret_count = making.count;
  return making.failed ? -ENOMEM : 0;
}

void samples_thin_out(struct sample *samples, size_t *count) {
  size_t kept = 0;
  for (size_t i = 0; i < *count; i++)
    if (kept == 0 || samples[i].type->streaming || samples[kept - 1].type != samples[i].type)
      samples[kept++] = samples[i];
  *count = kept;
}
