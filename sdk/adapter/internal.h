/* Shared by the files of the typed layer; no vendor includes it. */
#ifndef TRAMMEL_SDK_ADAPTER_INTERNAL_H
#define TRAMMEL_SDK_ADAPTER_INTERNAL_H

#include <stdatomic.h>

#include "sdk/adapter/adapter.h"
#include "sdk/base/error.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* Generated names, without their prefix. */
#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT
#define PB_VALUE(NAME) TRAMMEL__ADAPTER__V1__##NAME

/* Memory of one call: of its request unpacked, and again of the SDK's types of it with the response. */
#define CALL_MEMORY_MAX ((size_t)4 * 1024 * 1024 * 1024)
/* JSON documents one call may fetch. */
#define CALL_JSON_MAX 64

struct call {
  trammel_instance *instance;
  const trammel_op_api *op_api;
  trammel_op *op;
  struct arena *arena;
  struct arena *request; /* the message that came, until call_forget_request() */
  json_t *config;
  atomic_bool failed; /* out of memory, somewhere */
  atomic_bool told;   /* by a diagnostic, what failed instead */
  json_t *documents[CALL_JSON_MAX];
  size_t document_count;
};

/* A growing array of pointers in the call's arena. */
struct pointers {
  void **items;
  size_t count;
  size_t capacity;
};
void pointers_add(struct call *call, struct pointers *list, void *item);

/* A zeroed T of the call's memory, or NULL and the call marked. */
void *call_alloc(struct call *call, size_t size);
#define call_new(call, T) ((T *)call_alloc((call), sizeof(T)))
/* A copy in the call's memory; "" for NULL and when memory is used up (the call is marked then). protobuf-c strings are
 * not const. */
char *call_text(struct call *call, const char *text);

struct native_object {
  struct call *call;
  size_t rank; /* among all of the answer, by id: set at the end */
  PB(NativeObject) message;
  struct pointers sources;
  struct pointers ready_conditions;
};

struct translation {
  struct call *call;
  struct pointers objects;
  struct pointers coverage;
  bool allow_unsupported;
  bool unsupported;
};

/* One per method: takes the request's bytes, fills the response (in the call's memory), returns the status. */
struct method {
  const char *name;
  const ProtobufCMessageDescriptor *request_type;
  bool (*offered)(const struct adapter_class *class);
  int (*run)(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response);
};
/* Every method beyond Describe and Configure, in the order of the contract; ends with a NULL name. */
extern const struct method methods[];

/* Gives up the message that the request was unpacked to, for a method that has copied all that it needs of it. */
void call_forget_request(struct call *call);

const struct adapter_class *call_class(const struct call *call);
const struct adapter_identity *call_identity(const struct call *call);

int run_describe(struct call *call, const ProtobufCMessage **ret_response);
int run_translate(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response);
int run_detect(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response);
int run_enroll(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response);
int run_plan(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response);
int run_metrics(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response);
int run_invoke(struct call *call, const ProtobufCMessage *request, const ProtobufCMessage **ret_response);

/* Packs and emits. TRAMMEL_OK, or why not. */
int call_emit(struct call *call, const ProtobufCMessage *message);

/* The same for what the call ends with: the memory of the call, and the message with it, is given up in between, for
 * the host needs as much for its copy. */
int call_answer(struct call *call, const ProtobufCMessage *message);

/* The status of a request that could not be read: INVALID_ARGUMENT or RESOURCE_EXHAUSTED, with a diagnostic. */
int call_bad_request(struct call *call, const char *method, const struct error *err);

/* Holds a value against one of the adapter's own schemas and fills in its defaults. INVALID_ARGUMENT with a diagnostic
 * for each violation. */
int call_validate(struct call *call, const json_t *schema, json_t *value);

/* The messages of a description's SMI support. */
void smi_support_to_wire(struct call *call, const struct smi_support *support, size_t count, size_t *ret_count,
                         PB(SmiSupport) * **ret_messages);
PB(ResourceRef) * resource_ref(struct call *call, const char *kind, const char *ns, const char *name);
/* The same for a resource of the request, whose texts live as long as the call. */
PB(ResourceRef) * resource_of(struct call *call, const struct smi_meta *meta);
PB(Label) * label_message(struct call *call, const char *name, const char *value);

/* Sorts by wave, then id. TRAMMEL_INTERNAL with a diagnostic when two have one id. */
int native_finish(struct call *call, const struct pointers *objects, size_t *ret_count,
                  PB(NativeObject) * **ret_messages);

#endif
