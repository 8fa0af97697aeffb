/* An adapter whose own work is next to nothing: Translate answers with bytes that are there already. */
#define BROKEN_ID "bench"
#include <stdlib.h>
#include <string.h>

#include "tests/broken-adapters/broken.h"

struct trammel_instance {
  const trammel_op_api *op;
};

static uint8_t answer[2048];
static size_t answer_length;

/* One object with a body of 1 kB. */
static void prepare_answer(void) {
  static char id[] = "one", body[1001];
  Trammel__Adapter__V1__NativeObject object = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__INIT;
  Trammel__Adapter__V1__NativeObject *objects[] = {&object};
  Trammel__Adapter__V1__TranslateResponse response = TRAMMEL__ADAPTER__V1__TRANSLATE_RESPONSE__INIT;
  memset(body, 'x', sizeof body - 1);
  object.id = id;
  object.body = (ProtobufCBinaryData){.data = (uint8_t *)body, .len = sizeof body - 1};
  response.n_objects = 1;
  response.objects = objects;
  answer_length = trammel__adapter__v1__translate_response__pack(&response, answer);
}

static int create(const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op) {
  (void)config;
  (void)op;
  trammel_instance *instance = malloc(sizeof *instance);
  if (!instance)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  broken_op = instance->op = host->get(host, TRAMMEL_OP_SERVICE);
  prepare_answer();
  *ret = instance;
  return TRAMMEL_OK;
}

static int call(trammel_instance *instance, trammel_str method, trammel_str request, trammel_op *op) {
  if (method.n != strlen("Translate"))
    return broken_call(instance, method, request, op);
  return instance->op->emit(op, (trammel_str){(const char *)answer, answer_length}) == 0 ? TRAMMEL_OK
                                                                                         : TRAMMEL_INTERNAL;
}

static void destroy(trammel_instance *instance) {
  free(instance);
}

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY(table.call = call; table.create = create; table.destroy = destroy;)
