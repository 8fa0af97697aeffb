/* Several callers at a time: of one instance that says it is reentrant, or each of its own. */
#include <pthread.h>
#include <string.h>

#include "host/certify/checks.h"
#include "host/certify/translation.h"

#define CALLS 25

#define CALLERS 4

struct caller {
  pthread_t thread;
  bool started;
  struct guest *guest;
  const struct corpus *corpus;
  const struct guest_answer *alone; /* CALLS answers, while nobody else was asking */
  bool differs;
};

static void *translate_often(void *arg) {
  struct caller *caller = arg;
  for (size_t i = 0; i < CALLS && !caller->differs; i++) {
    const struct corpus_item *item = &caller->corpus->items[i % caller->corpus->count];
    const struct guest_answer *alone = &caller->alone[i];
    _cleanup_answer_ struct guest_answer answer = {0};
    translation_ask(caller->guest, item->name, item->request, &answer);
    caller->differs =
        answer.length != alone->length || (answer.length && memcmp(answer.data, alone->data, answer.length) != 0);
    if (answer.result < 0)
      break;
  }
  return NULL;
}

static void run_callers(struct sitting *sitting, struct guest *const *guests, const struct corpus *corpus,
                        const struct guest_answer *alone) {
  struct caller callers[CALLERS] = {0};
  for (size_t i = 0; i < CALLERS; i++) {
    callers[i].guest = guests[i];
    callers[i].corpus = corpus;
    callers[i].alone = alone;
    callers[i].started = pthread_create(&callers[i].thread, NULL, translate_often, &callers[i]) == 0;
  }
  for (size_t i = 0; i < CALLERS; i++) {
    if (!callers[i].started)
      sitting_lacks(sitting, "thread");
    else
      (void)pthread_join(callers[i].thread, NULL);
    if (callers[i].differs)
      sitting_fail(sitting, "%s",
                   sitting->subject->entry.description->reentrant
                       ? "calls at the same time on one instance disturb each other, and Describe says reentrant"
                       : "calls at the same time on different instances disturb each other: nothing may be shared "
                         "between instances without a lock");
  }
}

/* What each is to get, asked for before there is anybody else. */
static void compare_callers(struct sitting *sitting, struct guest *const *guests, const struct corpus *corpus) {
  struct guest_answer alone[CALLS] = {0};
  for (size_t i = 0; i < CALLS && !sitting_failed(sitting); i++) {
    const struct corpus_item *item = &corpus->items[i % corpus->count];
    translation_ask(guests[0], item->name, item->request, &alone[i]);
  }
  if (!sitting_failed(sitting))
    run_callers(sitting, guests, corpus, alone);
  for (size_t i = 0; i < CALLS; i++)
    guest_answer_finish(&alone[i]);
}

void check_threads(struct sitting *sitting) {
  _cleanup_corpus_ struct corpus corpus = {0};
  struct guest *guests[CALLERS] = {NULL};
  bool reentrant = sitting->subject->entry.description->reentrant;
  if (!sitting_requires(sitting, "Translate"))
    return;
  if (sitting->place == CERTIFY_CHILD && !reentrant) {
    sitting_skip(sitting, "instances in children are processes of their own, which share nothing");
    sitting_done(sitting);
    return;
  }
  if (translation_cases(sitting, &corpus) < 0)
    return;
  size_t made = 0;
  for (; made < CALLERS; made++) {
    guests[made] = made && reentrant ? guests[0] : guest_create(sitting, sitting->subject->config, NULL);
    if (!guests[made])
      break;
  }
  if (made == CALLERS)
    compare_callers(sitting, guests, &corpus);
  for (size_t i = 0; i < (reentrant ? 1 : made); i++)
    guest_destroy(guests[i]);
  sitting_done(sitting);
}
