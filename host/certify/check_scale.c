/* Ten thousand rules. */
#include <stdio.h>
#include <string.h>

#include "host/certify/big_request.h"
#include "host/certify/checks.h"
#include "host/certify/translation.h"
#include "sdk/base/clock.h"

#define SCALE_NS (60 * NS_PER_SECOND)
#define SCALE_SLOW_NS (10 * NS_PER_SECOND)

/* In these shapes: targets, and rules of each. */
static const unsigned shapes[][2] = {{1, 10000}, {100, 100}, {10000, 1}};

static void translate_many(struct sitting *sitting, unsigned targets, unsigned rules) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, NULL);
  _cleanup_answer_ struct guest_answer answer = {0};
  struct coverage_count count = {0};
  char name[64];
  (void)snprintf(name, sizeof name, "%u TrafficTarget(s) of %u rule(s)", targets, rules);
  Trammel__Adapter__V1__TranslateRequest *request = arena ? big_request(arena, targets, rules) : NULL;
  struct guest_call call = {.method = "Translate"};
  _cleanup_free_ uint8_t *data = NULL;
  if (!request)
    sitting_lacks(sitting, "memory");
  if (!guest || !request || translation_pack(sitting, request, &data, &call.length) < 0)
    return;
  call.request = data;
  call.options.deadline_ns = clock_in_ns(SCALE_NS);
  int64_t began = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID); /* a busy machine is not the adapter's fault */
  guest_run(guest, &call, &answer);
  int64_t took = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - began;
  sitting_answer(sitting, answer.data, answer.length);
  if (answer.result < 0) {
    sitting_fail(sitting, "%s: %s", name, answer.why);
    return;
  }
  if (took > SCALE_SLOW_NS)
    sitting_warn(sitting, "%s: translated in %lld s; look for loops within loops", name,
                 (long long)(took / NS_PER_SECOND));
  _cleanup_(translation_free_p) Trammel__Adapter__V1__TranslateResponse *response =
      translation_decode(sitting, name, &answer);
  if (!response)
    return;
  translation_judge(sitting, name, request, response, &count);
}

void check_scale(struct sitting *sitting) {
  if (!sitting_requires(sitting, "Translate"))
    return;
  for (size_t i = 0; i < ARRAY_COUNT(shapes) && !sitting_failed(sitting); i++)
    translate_many(sitting, shapes[i][0], shapes[i][1]);
  sitting_fact(sitting, "rules", BIG_TARGETS * BIG_RULES);
  sitting_done(sitting);
}
