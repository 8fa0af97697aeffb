/* What an adapter does when memory runs out: each of its allocations fails once, by itself and with all that follow. */
#include <string.h>

#include "host/certify/allocator.h"
#include "host/certify/checks.h"
#include "host/certify/methods.h"
#include "host/certify/strict_host.h"
#include "host/certify/translation.h"
#include "sdk/base/chance.h"

/* Allocations of one call that are tried; of more, so many by chance. */
#define TRIED_MAX 300

struct starving {
  struct sitting *sitting;
  struct strict_host *host;
  trammel_instance *instance;
  struct chance chance;
  unsigned tried;
};

static bool same(const struct strict_answer *a, const struct strict_answer *b) {
  return a->status == b->status && a->length == b->length &&
         (a->length == 0 || memcmp(a->message, b->message, a->length) == 0);
}

static void call(const struct starving *starving, const struct sample *sample, struct strict_answer *ret_answer) {
  strict_call(starving->host, starving->instance, sample->type->name, sample->data, sample->length,
              sample->type->streaming, ret_answer);
}

/* An answer must be the whole one, or an error. */
static void judge(const struct starving *starving, const struct sample *sample, const struct strict_answer *full,
                  uint64_t nth, const struct strict_answer *answer) {
  if (answer->status == TRAMMEL_OK && !same(full, answer))
    sitting_fail(starving->sitting,
                 "%s, when allocation %llu fails, returns OK with another answer than usual; what cannot be done is "
                 "RESOURCE_EXHAUSTED, never less than was asked for",
                 sample->about, (unsigned long long)nth);
}

static void starve_at(struct starving *starving, const struct sample *sample, const struct strict_answer *full,
                      uint64_t nth) {
  for (unsigned all_after = 0; all_after < 2 && !sitting_failed(starving->sitting); all_after++) {
    _cleanup_strict_ struct strict_answer starved = {0}, after = {0};
    allocator_arm(nth, all_after);
    call(starving, sample, &starved);
    (void)allocator_disarm();
    starving->tried++;
    judge(starving, sample, full, nth, &starved);
    call(starving, sample, &after);
    if (!same(full, &after))
      sitting_fail(starving->sitting, "%s, once allocation %llu had failed before, is no longer answered as usual",
                   sample->about, (unsigned long long)nth);
  }
}

static void starve(struct starving *starving, const struct sample *sample) {
  _cleanup_strict_ struct strict_answer full = {0}, again = {0};
  allocator_arm(UINT64_MAX, false);
  call(starving, sample, &full);
  uint64_t count = allocator_disarm();
  call(starving, sample, &again);
  if (!same(&full, &again)) { /* with times in its events, say */
    sitting_note(starving->sitting, "%s is not tried: two answers that lack nothing are not the same", sample->about);
    return;
  }
  uint64_t tries = count < TRIED_MAX ? count : TRIED_MAX;
  for (uint64_t i = 0; i < tries && !sitting_failed(starving->sitting); i++)
    starve_at(starving, sample, &full, tries == count ? i : chance_below(&starving->chance, count));
}

/* An instance that comes to be must be a whole one. */
static void judge_instance(const struct starving *starving, trammel_instance *instance, uint64_t nth,
                           const struct sample *sample, const struct strict_answer *full) {
  _cleanup_strict_ struct strict_answer answer = {0};
  strict_call(starving->host, instance, sample->type->name, sample->data, sample->length, sample->type->streaming,
              &answer);
  if (!same(full, &answer))
    sitting_fail(starving->sitting,
                 "create returns OK when allocation %llu fails, and then %s is not answered as usual",
                 (unsigned long long)nth, sample->about);
  starving->sitting->table->destroy(instance);
}

static void starve_create(struct starving *starving, const struct sample *sample) {
  const char *config = starving->sitting->subject->config;
  _cleanup_strict_ struct strict_answer full = {0};
  trammel_instance *instance = NULL;
  allocator_arm(UINT64_MAX, false);
  int status = strict_create(starving->host, config, &instance);
  uint64_t count = allocator_disarm();
  if (status != TRAMMEL_OK)
    return;
  starving->sitting->table->destroy(instance);
  call(starving, sample, &full);
  for (uint64_t nth = 0; nth < count && nth < TRIED_MAX && !sitting_failed(starving->sitting); nth++)
    for (unsigned all_after = 0; all_after < 2; all_after++) {
      allocator_arm(nth, all_after);
      status = strict_create(starving->host, config, &instance);
      (void)allocator_disarm();
      starving->tried++;
      if (status == TRAMMEL_OK)
        judge_instance(starving, instance, nth, sample, &full);
    }
}

void check_memory(struct sitting *sitting) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct starving starving = {
      .sitting = sitting, .host = strict_host_create(sitting, STRICT_FULL), .chance = {sitting->seed}};
  struct sample *samples = NULL;
  size_t count = 0;
  if (!starving.host || samples_make(sitting, arena, &samples, &count) < 0)
    return;
  if (strict_create(starving.host, sitting->subject->config, &starving.instance) != TRAMMEL_OK) {
    sitting_fail(sitting, "create fails with a configuration that fits");
    return;
  }
  samples_thin_out(samples, &count);
  strict_host_spare(starving.host);
  (void)allocator_take_over(); /* of libraries that the adapter may not use, too: what counts is what fails */
  for (size_t i = 0; i < count && !sitting_failed(sitting); i++)
    starve(&starving, &samples[i]);
  if (!sitting_failed(sitting))
    starve_create(&starving, &samples[count > 1 ? 1 : 0]);
  if (starving.tried == 0)
    sitting_skip(sitting,
                 "the adapter asked the C library for no memory: what it has of its own cannot be made to fail");
  sitting_fact(sitting, "failedAllocations", starving.tried);
  sitting_done(sitting);
}
