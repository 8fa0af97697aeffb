/* Translations of the suite's cases: whether they are right in form, and always the same. */
#include <errno.h>
#include <string.h>

#include "host/certify/checks.h"
#include "host/certify/translation.h"
#include "host/conformance/suite.h"
#include "sdk/base/chance.h"

#define PB(name) Trammel__Adapter__V1__##name

static bool same_bytes(const struct guest_answer *a, const struct guest_answer *b) {
  return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

/* ---- translation */

/* How well each requirement is carried over: the least of the cases that prove it. */
struct tally {
  struct coverage_count all;
  unsigned cases;
  int levels[256]; /* by number of the requirement; 0: no case */
};

static int level_of(const struct coverage_count *count) {
  if (count->unsupported)
    return TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_UNSUPPORTED;
  return count->approximated ? TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_APPROXIMATED
                             : TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_EXACT;
}

static void note_requirement(struct tally *tally, const char *id, int level) {
  for (size_t i = 0; i < requirement_count() && i < ARRAY_COUNT(tally->levels); i++)
    if (strcmp(requirement_at(i)->id, id) == 0 && level > tally->levels[i])
      tally->levels[i] = level;
}

static void add_item(struct tally *tally, const struct corpus_item *item, const struct coverage_count *count) {
  tally->cases++;
  tally->all.exact += count->exact;
  tally->all.approximated += count->approximated;
  tally->all.unsupported += count->unsupported;
  for (size_t i = 0; i < item->requirement_count && !item->misconfigured; i++)
    note_requirement(tally, item->requirements[i], level_of(count));
}

static void append_requirements(struct strbuf *out, const struct tally *tally, const char *what, int level) {
  const char *before = out->length ? "; " : "";
  for (size_t i = 0; i < requirement_count() && i < ARRAY_COUNT(tally->levels); i++)
    if (tally->levels[i] == level) {
      strbuf_printf(out, "%s%s%s", before, what, requirement_at(i)->id);
      before = ", ";
      what = "";
    }
}

static void tell(struct sitting *sitting, const struct tally *tally) {
  _cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
  unsigned by_level[4] = {0};
  append_requirements(&names, tally, "approximated in a case of ", 2);
  append_requirements(&names, tally, "unsupported in a case of ", 3);
  if (names.length)
    sitting_note(sitting, "%s", strbuf_text(&names));
  for (size_t i = 0; i < ARRAY_COUNT(tally->levels); i++)
    by_level[tally->levels[i]]++;
  sitting_fact(sitting, "cases", tally->cases);
  sitting_fact(sitting, "requirementsExact", by_level[1]);
  sitting_fact(sitting, "requirementsApproximated", by_level[2]);
  sitting_fact(sitting, "requirementsUnsupported", by_level[3]);
  sitting_fact(sitting, "partsExact", tally->all.exact);
  sitting_fact(sitting, "partsApproximated", tally->all.approximated);
  sitting_fact(sitting, "partsUnsupported", tally->all.unsupported);
}

/* Without allow_unsupported nothing may be left out in silence. */
static void judge_strict(struct guest *guest, const struct corpus_item *item, const struct guest_answer *lenient,
                         bool complete) {
  struct sitting *sitting = guest_sitting(guest);
  _cleanup_answer_ struct guest_answer strict = {0};
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  item->request->options->allow_unsupported = false;
  int r = translation_pack(sitting, item->request, &data, &length);
  item->request->options->allow_unsupported = true;
  if (r < 0)
    return;
  guest_run(guest, &(struct guest_call){.method = "Translate", .request = data, .length = length}, &strict);
  if (complete && strict.result < 0)
    sitting_fail(sitting, "%s: everything is supported, and yet without allow_unsupported: %s", item->name, strict.why);
  else if (complete && !same_bytes(lenient, &strict))
    sitting_fail(sitting, "%s: everything is supported, and yet allow_unsupported changes the translation", item->name);
  else if (!complete && strict.result != -ENOTSUP)
    sitting_fail(sitting,
                 "%s: something is unsupported, and without allow_unsupported the call must end with UNIMPLEMENTED, "
                 "not with %s",
                 item->name, strict.result < 0 ? strict.why : "OK");
}

static void translate_item(struct guest *guest, const struct corpus_item *item, struct tally *tally) {
  struct sitting *sitting = guest_sitting(guest);
  _cleanup_answer_ struct guest_answer answer = {0};
  struct coverage_count count = {0};
  translation_ask(guest, item->name, item->request, &answer);
  if (answer.result < 0)
    return;
  sitting_answer(sitting, answer.data, answer.length);
  _cleanup_(translation_free_p) PB(TranslateResponse) *response = translation_decode(sitting, item->name, &answer);
  if (!response)
    return;
  translation_judge(sitting, item->name, item->request, response, &count);
  add_item(tally, item, &count);
  judge_strict(guest, item, &answer, count.unsupported == 0);
}

static bool has_crashed(const struct sitting *sitting) {
  char reason[SITTING_REASON_MAX];
  unsigned findings;
  return sitting_verdict(sitting, reason, &findings) == CERTIFY_CRASHED;
}

void check_translation(struct sitting *sitting) {
  _cleanup_corpus_ struct corpus corpus = {0};
  struct tally tally = {0};
  if (!sitting_requires(sitting, "Translate") || translation_cases(sitting, &corpus) < 0)
    return;
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, NULL);
  for (size_t i = 0; guest && i < corpus.count && !has_crashed(sitting); i++)
    translate_item(guest, &corpus.items[i], &tally);
  tell(sitting, &tally);
  sitting_done(sitting);
}

/* ---- determinism */

#define SHUFFLE(chance, list, count)                                                                                   \
  do {                                                                                                                 \
    for (size_t n_ = (count); n_ > 1; n_--) {                                                                          \
      size_t k_ = chance_below(chance, n_);                                                                            \
      __typeof__((list)[0]) kept_ = (list)[n_ - 1];                                                                    \
      (list)[n_ - 1] = (list)[k_];                                                                                     \
      (list)[k_] = kept_;                                                                                              \
    }                                                                                                                  \
  } while (0)

/* Resources and inventory come from a cluster in any order. What is within a resource is its author's order. */
static void shuffle(struct chance *chance, PB(TranslateRequest) * request) {
  SHUFFLE(chance, request->smi->targets, request->smi->n_targets);
  SHUFFLE(chance, request->smi->route_groups, request->smi->n_route_groups);
  SHUFFLE(chance, request->smi->port_routes, request->smi->n_port_routes);
  SHUFFLE(chance, request->smi->splits, request->smi->n_splits);
  SHUFFLE(chance, request->smi->bindings, request->smi->n_bindings);
  SHUFFLE(chance, request->inventory->workloads, request->inventory->n_workloads);
  SHUFFLE(chance, request->inventory->services, request->inventory->n_services);
}

/* Two messages hold the same objects; the order of the coverage follows that of the resources. */
static bool same_objects(const PB(TranslateResponse) * a, const PB(TranslateResponse) * b) {
  if (a->n_objects != b->n_objects)
    return false;
  for (size_t i = 0; i < a->n_objects; i++) {
    ProtobufCBinaryData x = a->objects[i]->body, y = b->objects[i]->body;
    if (strcmp(a->objects[i]->id, b->objects[i]->id) != 0 || x.len != y.len ||
        (x.len && memcmp(x.data, y.data, x.len) != 0))
      return false;
  }
  return true;
}

static void judge_order(struct guest *guest, const struct corpus_item *item, struct chance *chance,
                        const struct guest_answer *first) {
  struct sitting *sitting = guest_sitting(guest);
  _cleanup_answer_ struct guest_answer other = {0};
  shuffle(chance, item->request);
  translation_ask(guest, item->name, item->request, &other);
  if (other.result < 0)
    return;
  _cleanup_(translation_free_p) PB(TranslateResponse) *a = translation_decode(sitting, item->name, first);
  _cleanup_(translation_free_p) PB(TranslateResponse) *b = translation_decode(sitting, item->name, &other);
  if (a && b && !same_objects(a, b))
    sitting_warn(sitting,
                 "%s: the objects depend on the order in which resources, workloads and services are listed, which "
                 "a cluster does not keep: sort them first",
                 item->name);
}

static void translate_again(struct guest *guest, struct guest *other, const struct corpus_item *item,
                            struct chance *chance) {
  struct sitting *sitting = guest_sitting(guest);
  _cleanup_answer_ struct guest_answer first = {0}, second = {0}, third = {0};
  translation_ask(guest, item->name, item->request, &first);
  translation_ask(guest, item->name, item->request, &second);
  translation_ask(other, item->name, item->request, &third);
  if (first.result < 0 || second.result < 0 || third.result < 0)
    return;
  sitting_answer(sitting, first.data, first.length);
  if (!same_bytes(&first, &second))
    sitting_fail(sitting,
                 "%s: translated twice, the answers differ: Translate may depend on nothing but its request and the "
                 "configuration, not on time, chance, or what was asked before",
                 item->name);
  else if (!same_bytes(&first, &third))
    sitting_fail(sitting, "%s: two instances with the same configuration answer differently", item->name);
  else
    judge_order(guest, item, chance, &first);
}

void check_determinism(struct sitting *sitting) {
  _cleanup_corpus_ struct corpus corpus = {0};
  struct chance chance = {sitting->seed};
  if (!sitting_requires(sitting, "Translate") || translation_cases(sitting, &corpus) < 0)
    return;
  _cleanup_guest_ struct guest *guest = guest_create(sitting, sitting->subject->config, NULL);
  _cleanup_guest_ struct guest *other = guest ? guest_create(sitting, sitting->subject->config, NULL) : NULL;
  for (size_t i = 0; other && i < corpus.count && !sitting_failed(sitting); i++)
    translate_again(guest, other, &corpus.items[i], &chance);
  sitting_done(sitting);
}
