/* A small adapter, right in all that `trammel adapter check` looks at; and, with FLAW_… defined, wrong in one thing
 * that one check is there to find. What the typed layer would not let it do is done around it, below. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef FLAW_NOSY
#include <sys/auxv.h>
#endif
#include <time.h>
#include <unistd.h>

#include "sdk/adapter/adapter.h"

#define ENDPOINT "control"

#if defined(FLAW_CARELESS) || defined(FLAW_EAGER) || defined(FLAW_KEEPS) || defined(FLAW_KEEPS_CONFIG) ||              \
    defined(FLAW_KEEPS_METHOD) || defined(FLAW_TRUSTING)
/* A crash by a signal where nothing is, also in a build with sanitizers, and in one that is optimised: the compiler is
 * to know nothing of the memory, or it leaves out what was allocated for this only, or makes a trap of it. */
static __attribute__((no_sanitize("undefined"))) void touch(const void *memory) {
  const char *volatile at = memory;
  (void)*(const volatile char *)at;
}
#endif

#ifdef FLAW_SMALL
#define RULES_MAX 1000
#else
#define RULES_MAX 1000000
#endif

/* ---- Translate */

static const char *object_path(struct call *call, const struct smi_meta *meta) {
  const char *ns = path_segment(call, meta->ns), *name = path_segment(call, meta->name);
#ifdef FLAW_UNDECLARED
  return arena_printf(call_arena(call), "/v2/%s/%s/%s", smi_kind_name(meta->kind), ns, name);
#else
  return arena_printf(call_arena(call), "/v1/%s/%s/%s", smi_kind_name(meta->kind), ns, name);
#endif
}

/* Something else each time, when others are at it, or in another process. */
static json_int_t number(const struct call *call) {
  (void)call;
#ifdef FLAW_UNSTEADY
  static json_int_t count;
  return count++;
#elif defined(FLAW_PLACED)
  return (json_int_t)strlen(program_invocation_short_name); /* "trammel", "trammel-runner" */
#elif defined(FLAW_SHARED)
  static int busy;
  static unsigned calls;
  int others = __atomic_fetch_add(&busy, 1, __ATOMIC_SEQ_CST);
  (void)usleep(200 + 100 * (__atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST) % 7));
  __atomic_fetch_sub(&busy, 1, __ATOMIC_SEQ_CST);
  return others;
#else
  return json_integer_value(json_object_get(call_config(call), "level"));
#endif
}

static struct native_object *make_object(struct call *call, const struct smi_meta *meta, json_t *parts) {
  const char *id = arena_printf(call_arena(call), "%s/%s/%s", smi_kind_name(meta->kind), meta->ns, meta->name);
  const char *path = object_path(call, meta);
  struct http_place place = {.endpoint = ENDPOINT, .path = path};
#ifdef FLAW_POSTS
  place.method = "POST";
#endif
  if (!id || !path) {
    call_out_of_memory(call);
    json_decref(parts);
    return NULL;
  }
#ifdef FLAW_CARELESS
  char *copy = calloc(1, strlen(id) + 1);
  touch(copy);
  free(copy);
#endif
  json_t *body = json_pack("{s:o, s:I}", "parts", parts, "number", number(call));
#ifdef FLAW_UNNAMED
  (void)place;
  struct native_object *object =
      native_kubernetes(call, 1, "v1", smi_kind_name(meta->kind), meta->ns, meta->name, body);
#else
  struct native_object *object = native_http(call, id, 1, &place, body);
#endif
  native_source(object, meta);
  return object;
}

static void cover(struct call *call, struct translation *translation, const struct smi_meta *meta, const char *what,
                  size_t count, const struct native_object *object) {
#ifdef FLAW_DROPS
  count = count > 1 ? 1 : count;
#endif
  for (size_t i = 0; i < count; i++) {
#ifdef FLAW_REPEATS
    const char *pointer = arena_printf(call_arena(call), "/spec/%s/0", what);
#else
    const char *pointer = arena_printf(call_arena(call), "/spec/%s/%zu", what, i);
#endif
    if (!pointer) {
      call_out_of_memory(call);
      return;
    }
    translation_cover(
        translation,
        &(struct coverage){
            .resource = meta, .level = COVERAGE_EXACT, .pointer = pointer, .objects = &object, .object_count = 1});
  }
}

static void add(struct call *call, struct translation *translation, const struct smi_meta *meta, const char *what,
                size_t count, json_t *parts) {
  struct native_object *object = make_object(call, meta, parts);
  translation_add(translation, object);
#ifdef FLAW_SILENT
  if (meta->kind == SMI_TRAFFIC_SPLIT)
    return;
#endif
  cover(call, translation, meta, what, count, object);
}

static json_t *rules_of(const struct smi_traffic_target *target) {
  json_t *list = json_array();
  for (size_t i = 0; i < target->rule_count; i++)
    (void)json_array_append_new(list, json_string(target->rules[i].name));
  return list;
}

static json_t *backends_of(const struct smi_traffic_split *split) {
  json_t *list = json_array();
  for (size_t i = 0; i < split->backend_count; i++)
    (void)json_array_append_new(list, json_pack("{s:s, s:I}", "service", split->backends[i].service, "weight",
                                                (json_int_t)split->backends[i].weight));
  return list;
}

/* A list that lacks a part for want of memory is none. */
static json_t *whole(struct call *call, json_t *list, size_t count) {
#ifndef FLAW_LESS
  if (json_array_size(list) != count)
    call_out_of_memory(call);
#else
  (void)call, (void)count;
#endif
  return list ? list : json_null();
}

static int translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  const struct smi_set *smi = &request->smi;
  size_t rules = 0;
  for (size_t i = 0; i < smi->target_count; i++) {
    const struct smi_traffic_target *target = &smi->targets[i];
    rules += target->rule_count;
    add(call, translation, &target->meta, "rules", target->source_count ? target->rule_count : 0,
        whole(call, rules_of(target), target->rule_count));
  }
  for (size_t i = 0; i < smi->split_count; i++)
    add(call, translation, &smi->splits[i].meta, "backends", smi->splits[i].backend_count,
        whole(call, backends_of(&smi->splits[i]), smi->splits[i].backend_count));
  if (rules > RULES_MAX)
    return call_fail(call, TRAMMEL_RESOURCE_EXHAUSTED, "FLAWED-0002", "more than %d rules", RULES_MAX);
  return TRAMMEL_OK;
}

/* ---- what asks the mesh */

static int detect(struct call *call, struct detection *ret_detection) {
#ifdef FLAW_RECALLS
  (void)call;
  ret_detection->present = true;
  return TRAMMEL_OK;
#endif
  struct call_http_answer answer = {0};
  int status = call_http(call, &(struct call_http){.endpoint = ENDPOINT, .path = "/v1/ready"}, &answer);
#ifdef FLAW_DEAF
  if (status == TRAMMEL_CANCELLED)
    (void)sleep(300);
#endif
#ifdef FLAW_LATE
  if (status == TRAMMEL_DEADLINE_EXCEEDED)
    (void)sleep(300);
#endif
#ifdef FLAW_READY
  ret_detection->present = ret_detection->ready = true;
  return TRAMMEL_OK;
#endif
  if (status != TRAMMEL_OK)
    return status;
  json_auto_t *body = json_loadb(answer.body, answer.body_length, 0, NULL);
  const char *version = json_string_value(json_object_get(body, "version"));
#ifdef FLAW_TRUSTING
  touch(version);
#endif
  ret_detection->present = ret_detection->ready = answer.status == 200 && version;
  ret_detection->mesh_version = version ? arena_strdup(call_arena(call), version) : NULL;
  return TRAMMEL_OK;
}

#ifdef FLAW_HURRIED
#define HURRIED true
#else
#define HURRIED false
#endif

#if !defined(FLAW_TIRELESS) && !defined(FLAW_LESS_EVENTS)
static int64_t now_us(void) {
  struct timespec now = {0};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}
#endif

static int invoke(struct call *call, const char *operation, const json_t *argument, struct invocation *invocation) {
  json_int_t count = json_integer_value(json_object_get(argument, "count"));
  (void)operation, (void)call;
  for (json_int_t i = 0; i < 200 + count; i++) {
#ifdef FLAW_TIRELESS
    while (!invocation_event(invocation, false, "step", "again"))
      (void)usleep(1000);
#elif defined(FLAW_LESS_EVENTS)
    char *text = strdup("one of many");
    if (text && !invocation_event(invocation, false, "step", text))
      return TRAMMEL_CANCELLED;
    free(text);
#else
    int64_t began = now_us();
    if (!invocation_event(invocation, false, "step", "one of many"))
      return TRAMMEL_CANCELLED;
    if (HURRIED && now_us() - began > 1500)
      i++; /* it leaves one out */
#endif
  }
  return TRAMMEL_OK;
}

#ifdef FLAW_MOODY
static int configure(struct call *call) {
  return json_integer_value(json_object_get(call_config(call), "level")) > 3 ? TRAMMEL_INTERNAL : TRAMMEL_OK;
}
#endif

#ifdef FLAW_PICKY
/* Takes what is the default, and nothing else. */
static int configure(struct call *call) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)call_config(call), key, value) {
    if (json_integer_value(value) != 1)
      return call_fail(call, TRAMMEL_INVALID_ARGUMENT, "FLAWED-0003", "%s is not 1", key);
  }
  return TRAMMEL_OK;
}
#endif

#ifdef FLAW_MUTE
static int configure(struct call *call) {
  return json_object_get(call_config(call), "name") ? TRAMMEL_INVALID_ARGUMENT : TRAMMEL_OK;
}
#endif

/* ---- description */

static const struct smi_support smi[] = {{{SMI_ACCESS, 3}, SMI_TRANSLATED, NULL},
                                         {{SMI_SPECS, 4}, SMI_TRANSLATED, NULL},
                                         {{SMI_SPLIT, 4}, SMI_TRANSLATED, NULL}};
static const struct endpoint_permission permissions[] = {
    {"GET", "/v1/"}, {"PUT", "/v1/"}, {"POST", "/v1/"}, {"DELETE", "/v1/"}};
static const struct endpoint_need endpoints[] = {
    {.name = ENDPOINT, .purpose = "tests", .permissions = permissions, .permission_count = 4}};
#define STEPS(name_)                                                                                                   \
  { .name = name_, .summary = "sends many events" }
#define TEN(digit)                                                                                                     \
  STEPS("a" #digit "0"), STEPS("a" #digit "1"), STEPS("a" #digit "2"), STEPS("a" #digit "3"), STEPS("a" #digit "4"),   \
      STEPS("a" #digit "5"), STEPS("a" #digit "6"), STEPS("a" #digit "7"), STEPS("a" #digit "8"),                      \
      STEPS("a" #digit "9")
static const struct operation operations[] = {
#ifdef FLAW_MANY
    TEN(0),
    TEN(1),
    TEN(2),
    TEN(3),
    TEN(4),
    TEN(5),
    TEN(6),
    TEN(7),
    TEN(8),
    TEN(9),
    TEN(10),
    TEN(11),
    TEN(12),
    TEN(13),
#endif
#ifdef FLAW_RIDDLES
    {.name = "riddle",
     .summary = "takes what nobody would guess",
     .argument_schema = "{\"type\":\"object\",\"required\":[\"x\"],\"properties\":"
                        "{\"x\":{\"type\":\"string\",\"pattern\":\"^#[0-9]{9}$\"}}}"},
#endif
    {.name = "steps",
     .summary = "sends many events",
     .argument_schema = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"count\"],\"properties\":"
                        "{\"count\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}}}"}};
static const char *const mesh_versions[] = {"any", NULL};

#define LEVEL "{\"type\":\"integer\",\"minimum\":0,\"maximum\":5,\"default\":1}"
#ifdef FLAW_PICKY
#define OTHERS                                                                                                         \
  "\"a\":" LEVEL ",\"b\":" LEVEL ",\"c\":" LEVEL ",\"d\":" LEVEL ",\"e\":" LEVEL ",\"f\":" LEVEL ",\"g\":" LEVEL
#else
#define OTHERS "\"name\":{\"type\":\"string\",\"pattern\":\"^[a-z]*$\"}"
#endif
#define CONFIG_SCHEMA                                                                                                  \
  "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"level\":" LEVEL "," OTHERS "}}"

static const struct adapter_class flawed = {
    .description = {.mesh_name = "Flawed",
                    .summary = "for tests",
                    .mesh_versions = mesh_versions,
                    .smi = smi,
                    .smi_count = sizeof smi / sizeof smi[0],
                    .endpoints = endpoints,
                    .endpoint_count = 1,
                    .operations = operations,
                    .operation_count = sizeof operations / sizeof operations[0],
                    .config_schema = CONFIG_SCHEMA},
    .translate = translate,
    .detect = detect,
    .invoke = invoke,
#if defined(FLAW_MOODY) || defined(FLAW_MUTE) || defined(FLAW_PICKY)
    .configure = configure,
#endif
};

/* ---- the table, with what goes around the typed layer */

#ifdef FLAW_NOSY

/* What is of the program's user only: its environment, also where that was when the program began, and descriptors that
 * it was started with. Finding nothing is no flaw. */
static void look_around(void) {
  if (environ && *environ)
    abort();
  const char *at = program_invocation_name, *end = (const char *)getauxval(AT_EXECFN); /* between arguments and this */
  for (; at < end - 12; at++)
    if (memcmp(at, "FLAWED_SECRET", 13) == 0)
      abort();
  if (fcntl(77, F_GETFD) >= 0)
    abort();
}
#endif

#ifdef FLAW_KEEPS_CONFIG
static trammel_str kept_config;
#endif

static int own_create(const struct adapter_identity *identity, const trammel_host *host, trammel_str config,
                      trammel_instance **ret, trammel_op *op) {
#ifdef FLAW_EXACT
  if (host->head.size != sizeof(trammel_host))
    return TRAMMEL_FAILED_PRECONDITION;
#endif
#ifdef FLAW_NOSY
  look_around();
#endif
#ifdef FLAW_EAGER
  touch(host->get(host, TRAMMEL_LOG_SERVICE));
#endif
#ifdef FLAW_KEEPS_CONFIG
  kept_config = config;
#endif
#ifdef FLAW_HASTY
  static char early;
  *ret = (trammel_instance *)(void *)&early;
#endif
  return adapter_sdk_create(&flawed, identity, host, config, ret, op);
}

#if defined(FLAW_LINGERS) || defined(FLAW_AFTERTHOUGHT) || defined(FLAW_DOUBLES)
static const trammel_op_api *op_api;
#endif

#if defined(FLAW_LINGERS) || defined(FLAW_AFTERTHOUGHT)
static void *emit_later(void *op) {
  (void)usleep(20000);
#ifdef FLAW_LINGERS
  (void)op_api->emit(op, (trammel_str){"late", 4});
#else
  op_api->diagnose(op, &(trammel_diagnostic){.size = sizeof(trammel_diagnostic),
                                             .severity = TRAMMEL_INFO,
                                             .code = {"FLAWED-0004", 11},
                                             .summary = {"late", 4}});
#endif
  return NULL;
}
#endif

static int own_call(trammel_instance *instance, trammel_str method, trammel_str request, trammel_op *op) {
#ifdef FLAW_KEEPS_CONFIG
  if (kept_config.n)
    touch(kept_config.p);
#endif
#if defined(FLAW_KEEPS) || defined(FLAW_KEEPS_METHOD)
  static trammel_str kept;
  if (kept.n)
    touch(kept.p);
#ifdef FLAW_KEEPS
  kept = request;
#else
  kept = method;
#endif
#endif
  int status = adapter_sdk_call(instance, method, request, op);
#ifdef FLAW_DOUBLES
  if (status == TRAMMEL_OK && method.n == strlen("Translate") && memcmp(method.p, "Translate", method.n) == 0)
    (void)op_api->emit(op, (trammel_str){"", 0});
#endif
#ifdef FLAW_STRAYS
  if (status == TRAMMEL_OK && method.n == strlen("Translate") && memcmp(method.p, "Translate", method.n) == 0)
    return -1;
#endif
#if defined(FLAW_LINGERS) || defined(FLAW_AFTERTHOUGHT)
  pthread_t thread;
  if (method.n == strlen("Translate") && memcmp(method.p, "Translate", method.n) == 0 &&
      pthread_create(&thread, NULL, emit_later, op) == 0)
    (void)pthread_detach(thread);
#endif
#ifdef FLAW_AGREES
  if (status == TRAMMEL_INVALID_ARGUMENT)
    return adapter_sdk_call(instance, method, (trammel_str){NULL, 0}, op);
#endif
  return status;
}

static const struct {
  Elf64_Nhdr head;
  char owner[sizeof TRAMMEL_NOTE_OWNER];
  trammel_note note;
} adapter_note ADAPTER_NOTE_ATTRIBUTES = {
    {sizeof TRAMMEL_NOTE_OWNER, sizeof(trammel_note), TRAMMEL_NOTE_TYPE},
    TRAMMEL_NOTE_OWNER,
    {TRAMMEL_ABI_MAJOR, 0, "flawed", "1.0.0", "flawed"},
};

static int create(const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op) {
  static const struct adapter_identity identity = {"flawed", "1.0.0", "flawed"};
#if defined(FLAW_LINGERS) || defined(FLAW_AFTERTHOUGHT) || defined(FLAW_DOUBLES)
  op_api = host->get(host, TRAMMEL_OP_SERVICE);
#endif
  return own_create(&identity, host, config, ret, op);
}

const trammel_adapter *trammel_adapter_entry_v1(const trammel_head *host) {
  static const trammel_adapter table = {.head = {sizeof(trammel_adapter), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},
                                        .id = {"flawed", 6},
                                        .version = {"1.0.0", 5},
                                        .create = create,
                                        .call = own_call,
                                        .get = adapter_sdk_get,
                                        .destroy = adapter_sdk_destroy};
  return host->abi_major == TRAMMEL_ABI_MAJOR ? &table : NULL;
}
