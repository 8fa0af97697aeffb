/* What the broken adapters share: a right one, of which each breaks one thing. Written against the bare ABI, because
 * the SDK would not let them. BROKEN_ID is defined before the include. */
#ifndef TRAMMEL_TESTS_BROKEN_ADAPTERS_BROKEN_H
#define TRAMMEL_TESTS_BROKEN_ADAPTERS_BROKEN_H

#include <elf.h>
#include <stdlib.h>

#include "trammel/abi.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#ifdef __clang__
#define BROKEN_NOTE_ATTRIBUTES __attribute__((section(".note.trammel"), aligned(4), used, no_sanitize("address")))
#else
#define BROKEN_NOTE_ATTRIBUTES __attribute__((section(".note.trammel"), aligned(4), used))
#endif

#define BROKEN_NOTE(major, minor)                                                                                      \
  static const struct {                                                                                                \
    Elf64_Nhdr head;                                                                                                   \
    char owner[sizeof TRAMMEL_NOTE_OWNER];                                                                             \
    trammel_note note;                                                                                                 \
  } broken_note BROKEN_NOTE_ATTRIBUTES = {                                                                             \
      {sizeof TRAMMEL_NOTE_OWNER, sizeof(trammel_note), TRAMMEL_NOTE_TYPE},                                            \
      TRAMMEL_NOTE_OWNER,                                                                                              \
      {major, minor, BROKEN_ID, "1.0.0", "broken"},                                                                    \
  }

static const trammel_op_api *broken_op;

static inline int broken_create(const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op) {
  (void)config;
  (void)op;
  static char instance;
  broken_op = host->get(host, TRAMMEL_OP_SERVICE);
  *ret = (trammel_instance *)(void *)&instance;
  return TRAMMEL_OK;
}

/* A description without fault. */
static inline Trammel__Adapter__V1__DescribeResponse broken_description(void) {
  static char id[] = BROKEN_ID, version[] = "1.0.0", mesh[] = "broken", name[] = "Broken";
  Trammel__Adapter__V1__DescribeResponse description = TRAMMEL__ADAPTER__V1__DESCRIBE_RESPONSE__INIT;
  description.adapter_id = id;
  description.adapter_version = version;
  description.mesh_type = mesh;
  description.mesh_name = name;
  return description;
}

static inline int broken_answer(trammel_op *op, const Trammel__Adapter__V1__DescribeResponse *description) {
  size_t length = trammel__adapter__v1__describe_response__get_packed_size(description);
  uint8_t *data = malloc(length);
  if (!data)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  trammel__adapter__v1__describe_response__pack(description, data);
  broken_op->emit(op, (trammel_str){(const char *)data, length});
  free(data);
  return TRAMMEL_OK;
}

static inline int broken_call(trammel_instance *instance, trammel_str method, trammel_str request, trammel_op *op) {
  (void)instance;
  (void)method;
  (void)request;
  Trammel__Adapter__V1__DescribeResponse description = broken_description();
  return broken_answer(op, &description);
}

static inline const void *broken_get(trammel_instance *instance, const char *extension_id) {
  (void)instance;
  (void)extension_id;
  return NULL;
}

static inline void broken_destroy(trammel_instance *instance) {
  (void)instance;
}

#define BROKEN_TABLE                                                                                                   \
  {                                                                                                                    \
    .head = {sizeof(trammel_adapter), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},                                        \
    .id = {BROKEN_ID, sizeof BROKEN_ID - 1}, .version = {"1.0.0", 5}, .create = broken_create, .call = broken_call,    \
    .get = broken_get, .destroy = broken_destroy,                                                                      \
  }

/* The entry point; the statements change `table`. */
#define BROKEN_ENTRY(...)                                                                                              \
  const trammel_adapter *trammel_adapter_entry_v1(const trammel_head *host) {                                          \
    (void)host;                                                                                                        \
    static trammel_adapter table = BROKEN_TABLE;                                                                       \
    __VA_ARGS__                                                                                                        \
    return &table;                                                                                                     \
  }

/* A Describe of one's own: `op` and the right `description` are at hand. */
#define BROKEN_DESCRIBE(...)                                                                                           \
  static int describe(trammel_instance *instance, trammel_str method, trammel_str request, trammel_op *op) {           \
    (void)instance;                                                                                                    \
    (void)method;                                                                                                      \
    (void)request;                                                                                                     \
    Trammel__Adapter__V1__DescribeResponse description = broken_description();                                         \
    __VA_ARGS__                                                                                                        \
  }                                                                                                                    \
  BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);                                                                                   \
  BROKEN_ENTRY(table.call = describe;)

#endif
