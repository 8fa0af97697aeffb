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
  if (!arena || !host || samples_make(sitting, arena, &samples, &count) < 0)
    return;
  if (strict_create(host, sitting->subject->config, &instance) != TRAMMEL_OK) {
    sitting_fail(sitting, "create fails with a configuration that fits");
    return;
  }
  for (size_t i = 0; i < count && !sitting_failed(sitting); i++) {
    pthread_t thread;
    struct threaded threaded = {.host = host, .instance = instance, .sample = &samples[i]};
    if (pthread_create(&thread, NULL, call_on_thread, &threaded) == 0)
      (void)pthread_join(thread, NULL);
  }
  strict_host_linger(host);
  sitting->table->destroy(instance);
  strict_host_linger(host);
}

/* ---- threads */

#define CALLS 25

/* Several callers at a time: of one instance that says it is reentrant, or each of its own. */
struct caller {
  pthread_t thread;
  bool started;
  struct guest *guest;
  const struct corpus *corpus;
  bool differs;
};
#define CALLERS 4

static void *translate_often(void *arg) {
  struct caller *caller = arg;
  for (size_t i = 0; i < CALLS && !caller->differs; i++) {
    const struct corpus_item *item = &caller->corpus->items[i % caller->corpus->count];
    _cleanup_answer_ struct guest_answer answer = {0}, again = {0};
    translation_ask(caller->guest, item->name, item->request, &answer);
    translation_ask(caller->guest, item->name, item->request, &again);
    caller->differs =
        answer.length != again.length || (answer.length && memcmp(answer.data, again.data, answer.length) != 0);
    if (answer.result < 0 || again.result < 0)
      break;
  }
  return NULL;
}

static void run_callers(struct sitting *sitting, struct guest *const *guests, const struct corpus *corpus) {
  struct caller callers[CALLERS] = {0};
  for (size_t i = 0; i < CALLERS; i++) {
    callers[i].guest = guests[i];
    callers[i].corpus = corpus;
    callers[i].started = pthread_create(&callers[i].thread, NULL, translate_often, &callers[i]) == 0;
  }
  for (size_t i = 0; i < CALLERS; i++) {
    if (callers[i].started)
      (void)pthread_join(callers[i].thread, NULL);
    if (callers[i].differs)
      sitting_fail(sitting, "%s",
                   sitting->subject->entry.description->reentrant
                       ? "calls at the same time on one instance disturb each other, and Describe says reentrant"
                       : "calls at the same time on different instances disturb each other: nothing may be shared "
                         "between instances without a lock");
  }
}

void check_threads(struct sitting *sitting) {
  _cleanup_corpus_ struct corpus corpus = {0};
  _cleanup_error_ struct error *err = NULL;
  struct guest *guests[CALLERS] = {NULL};
  bool reentrant = sitting->subject->entry.description->reentrant;
  if (!sitting_requires(sitting, "Translate"))
    return;
  if (corpus_create(&corpus, &err) < 0) {
    sitting_fail(sitting, "the suite's cases cannot be read: %s", error_message(err));
    return;
  }
  size_t made = 0;
  for (; made < CALLERS; made++) {
    guests[made] = made && reentrant ? guests[0] : guest_create(sitting, sitting->subject->config, NULL);
    if (!guests[made])
      break;
  }
  if (made == CALLERS)
    run_callers(sitting, guests, &corpus);
  for (size_t i = 0; i < (reentrant ? 1 : made); i++)
    guest_destroy(guests[i]);
}
