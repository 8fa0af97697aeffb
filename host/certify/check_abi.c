/* The rules of the C ABI, as far as a host can see them. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "host/certify/checks.h"
#include "host/certify/methods.h"
#include "host/certify/strict_host.h"
#include "host/certify/translation.h"

/* ---- abi-tables */

static void judge_head(struct sitting *sitting) {
  const trammel_adapter *table = sitting->table;
  if (table->head.flags != 0)
    sitting_fail(sitting, "the flags of the adapter's table are %u; ABI 1 has none", table->head.flags);
  if (table->head.abi_minor > 1000 || table->head.size > 65536)
    sitting_fail(sitting,
                 "the adapter's table says %u bytes and ABI %u.%u; it says sizeof and the version it was built for",
                 table->head.size, table->head.abi_major, table->head.abi_minor);
}

/* A host that differs from this one in what the ABI leaves open. */
static void try_host(struct sitting *sitting, enum strict_manner manner, const char *about) {
  struct strict_host *host = strict_host_create(sitting, manner);
  trammel_instance *instance = NULL;
  _cleanup_strict_ struct strict_answer answer = {0};
  if (!host)
    return;
  int status = strict_create(host, sitting->subject->config, &instance);
  if (status != TRAMMEL_OK && manner == STRICT_LONGER)
    sitting_fail(sitting, "create fails with %s: read a table's fields as far as its size says, and no further", about);
  if (status != TRAMMEL_OK || sitting_failed(sitting))
    return;
  strict_call(host, instance, "Describe", "", 0, false, &answer);
  if (answer.status != TRAMMEL_OK)
    sitting_fail(sitting, "Describe fails with %s", about);
  sitting->table->destroy(instance);
}

/* op/1 is the one service that nothing works without. */
static void try_without_services(struct sitting *sitting) {
  struct strict_host *host = strict_host_create(sitting, STRICT_EMPTY);
  trammel_instance *instance = NULL;
  if (host && strict_create(host, sitting->subject->config, &instance) == TRAMMEL_OK)
    sitting_warn(sitting, "create returns OK although the host has no " TRAMMEL_OP_SERVICE
                          ", without which no call can be answered");
}

static void try_instances(struct sitting *sitting) {
  struct strict_host *host = strict_host_create(sitting, STRICT_FULL);
  trammel_instance *instances[3] = {NULL};
  if (!host)
    return;
  for (size_t i = 0; i < ARRAY_COUNT(instances); i++)
    if (strict_create(host, sitting->subject->config, &instances[i]) != TRAMMEL_OK) {
      sitting_fail(sitting, "instance number %zu cannot be made while others are there", i + 1);
      return;
    }
  if (sitting->table->get(instances[0], "no.such.extension/1"))
    sitting_fail(sitting, "get() gives something for an extension that there is not; it gives NULL");
  sitting->table->destroy(instances[1]); /* in no particular order */
  sitting->table->destroy(instances[0]);
  _cleanup_strict_ struct strict_answer answer = {0};
  strict_call(host, instances[2], "Describe", "", 0, false, &answer);
  if (answer.status != TRAMMEL_OK)
    sitting_fail(sitting, "an instance fails once others are destroyed");
  sitting->table->destroy(instances[2]);
  sitting->table->destroy(NULL);
}

void check_abi_tables(struct sitting *sitting) {
  judge_head(sitting);
  struct strict_host *host = strict_host_create(sitting, STRICT_FULL);
  trammel_instance *instance = NULL;
  if (host && strict_create(host, "[\"no object\"]", &instance) == TRAMMEL_OK)
    sitting->table->destroy(instance); /* a finding of the check `config` */
  if (host && strict_create(host, "", &instance) == TRAMMEL_OK)
    sitting->table->destroy(instance);
  else
    sitting_fail(sitting, "create fails without a configuration, so that nobody can ask for Describe");
  if (!sitting_failed(sitting))
    try_host(sitting, STRICT_LONGER, "a host of a later minor version, whose tables are longer");
  if (!sitting_failed(sitting))
    try_host(sitting, STRICT_BARE, "a host that has no log and no HTTP service");
  if (!sitting_failed(sitting))
    try_without_services(sitting);
  if (!sitting_failed(sitting))
    try_instances(sitting);
  sitting_done(sitting);
}

/* ---- abi-calls */

/* One call on a thread of its own: a host may have several. */
struct threaded {
  struct strict_host *host;
  trammel_instance *instance;
  const struct sample *sample;
};

static void *call_on_thread(void *arg) {
  struct threaded *threaded = arg;
  const struct sample *sample = threaded->sample;
  _cleanup_strict_ struct strict_answer answer = {0};
  strict_call(threaded->host, threaded->instance, sample->type->name, sample->data, sample->length,
              sample->type->streaming, &answer);
  strict_answer_finish(&answer);
  if (!sample->length)
    return NULL;
  strict_call(threaded->host, threaded->instance, sample->type->name, sample->data, sample->length - 1,
              sample->type->streaming, &answer);
  return NULL;
}

void check_abi_calls(struct sitting *sitting) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct strict_host *host = strict_host_create(sitting, STRICT_FULL);
  struct sample *samples = NULL;
  size_t count = 0;
  trammel_instance *instance = NULL;
  if (!host || samples_make(sitting, arena, &samples, &count) < 0)
    return;
  if (strict_create(host, sitting->subject->config, &instance) != TRAMMEL_OK) {
    sitting_fail(sitting, "create fails with a configuration that fits");
    return;
  }
  for (size_t i = 0; i < count && !sitting_failed(sitting); i++) {
    pthread_t thread;
    struct threaded threaded = {.host = host, .instance = instance, .sample = &samples[i]};
    if (pthread_create(&thread, NULL, call_on_thread, &threaded) != 0)
      sitting_lacks(sitting, "thread");
    else
      (void)pthread_join(thread, NULL);
  }
  strict_host_linger();
  sitting->table->destroy(instance);
  strict_host_linger();
  sitting_done(sitting);
}
