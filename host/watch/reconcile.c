#include "host/watch/reconcile.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

#define PB(name) Trammel__Adapter__V1__##name
#define TICK_NS NS_PER_SECOND
#define PROBLEM_ENOUGH 400 /* bytes of what is told of a resource, after which nothing is added */
#define UNSUPPORTED TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_UNSUPPORTED
#define APPROXIMATED TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_APPROXIMATED

void reconcile_init(struct reconcile *reconcile) {
  const struct watch_options *options = reconcile->options;

  reconcile->resources.of_smi = true;
  reconcile->parts = true;
  reconcile->translator = (struct translator){.instance = options->instance,
                                              .deny_by_default = options->deny_by_default,
                                              .deny_count = options->deny_count,
                                              .default_protocol = options->default_protocol,
                                              .cancel = options->cancel};
}

void reconcile_finish(struct reconcile *reconcile) {
  translator_finish(&reconcile->translator);
  mirror_finish(&reconcile->resources);
  mirror_finish(&reconcile->population);
}

static void say(const struct reconcile *reconcile, const char *text) {
  reconcile->options->said(reconcile->options->ctx, text);
}

/* ---- what is wrong with resources */

static void tell(const struct reconcile *reconcile, struct mirrored *entry, const char *reason, const char *text,
                 bool warning) {
  uint64_t hash = table_hash(table_hash(TABLE_HASH_START, reason), text);

  if (hash == entry->told)
    return;
  entry->told = hash;
  reporter_tell(reconcile->reporter, &(struct report){.key = entry->key,
                                                      .api_version = entry->api_version,
                                                      .uid = entry->uid,
                                                      .reason = reason,
                                                      .message = text,
                                                      .warning = warning});
}

/* Adds a row to what there is to tell of its resource; one that is unsupported stands in for those that are not. The
 * text begins with the level. */
static int note(struct mirrored *entry, const PB(Coverage) * row) {
  struct strbuf text = STRBUF_INIT;
  char level = row->level == UNSUPPORTED ? 'u' : 'a';
  bool more = entry->problem && entry->problem[0] == level;

  if (entry->problem && ((!more && level == 'a') || (more && strlen(entry->problem) > PROBLEM_ENOUGH)))
    return 0;
  if (more)
    strbuf_printf(&text, "%s; ", entry->problem);
  else
    strbuf_putc(&text, level);
  strbuf_printf(&text, "%s: %s", row->pointer, row->reason);
  free(entry->problem);
  entry->problem = strbuf_steal(&text);
  return entry->problem ? 0 : -ENOMEM;
}

static struct mirrored *entry_of(const struct reconcile *reconcile, const PB(ResourceRef) * resource) {
  _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

  strbuf_printf(&key, "%s/%s/%s", resource->kind, resource->namespace_, resource->name);
  return strbuf_failed(&key) ? NULL : table_get(&reconcile->resources.entries, strbuf_text(&key));
}

static void tell_problem(const struct reconcile *reconcile, struct mirrored *entry) {
  if (entry->invalid)
    tell(reconcile, entry, "Invalid", entry->invalid, true);
  else if (!entry->problem)
    entry->told = 0;
  else if (entry->problem[0] == 'u')
    tell(reconcile, entry, "NotTranslated", &entry->problem[1], true);
  else
    tell(reconcile, entry, "Approximated", &entry->problem[1], false);
  free(take(entry->problem));
}

static int tell_problems(const struct reconcile *reconcile, const PB(TranslateResponse) * response,
                         struct mirrored *const *entries, size_t count) {
  int r = 0;

  for (size_t i = 0; r == 0 && i < response->n_coverage; i++) {
    const PB(Coverage) *row = response->coverage[i];
    struct mirrored *entry =
        row->level == UNSUPPORTED || row->level == APPROXIMATED ? entry_of(reconcile, row->resource) : NULL;
    r = entry ? note(entry, row) : 0;
  }
  for (size_t i = 0; i < count; i++)
    if (entries[i]->text)
      tell_problem(reconcile, entries[i]);
  return r;
}

/* ---- translations */

static int check(const struct reconcile *reconcile, const PB(TranslateResponse) * response, struct error **err) {
  const struct rollout rollout = {
      .cluster = reconcile->options->cluster, .description = reconcile->options->description, .translation = response};

  return rollout_check(&rollout, err);
}

/* The earliest change; now, without any. */
static int64_t since(const struct mirror *mirror) {
  int64_t since_ns = clock_monotonic_ns();

  for (size_t i = 0; i < mirror->dirty_count; i++)
    since_ns = mirror->dirty[i]->since_ns < since_ns ? mirror->dirty[i]->since_ns : since_ns;
  return since_ns;
}

static void response_free(PB(TranslateResponse) * response) {
  if (response)
    protobuf_c_message_free_unpacked(&response->base, NULL);
}
DEFINE_CLEANUP(PB(TranslateResponse) *, response_free);

static int survey(struct reconcile *reconcile, struct error **err) {
  int r = translator_survey(&reconcile->translator, &reconcile->population, err);

  if (r == 0)
    mirror_settle(&reconcile->population);
  return r;
}

/* When parts did not add up, it is not known what else is so: from then on everything is translated each time. */
static void correct(struct reconcile *reconcile, size_t changes) {
  if (changes == 0)
    return;
  atomic_fetch_add(&reconcile->options->counters->corrections, changes);
  reconcile->parts = false;
  say(reconcile, "a translation of everything differs from those of parts: from now on all changes are translated with "
                 "everything, which takes longer; please report it");
}

static void settle(struct reconcile *reconcile) {
  mirror_settle(&reconcile->resources);
  reconcile->audit_due_ns = clock_in_ns(WATCH_AUDIT_NS);
  reconcile->audit_late_ns = 0;
  (void)malloc_trim(0);
}

static int translate_all(struct reconcile *reconcile, struct error **err) {
  struct counters *counters = reconcile->options->counters;
  _cleanup_(response_free_p) PB(TranslateResponse) *response = NULL;
  size_t count = 0, changes = 0;
  bool audit = reconcile->begun && reconcile->survey_due_ns == 0 && reconcile->resources.dirty_count == 0;

  int r = reconcile->begun && reconcile->survey_due_ns == 0 ? 0 : survey(reconcile, err);
  if (r < 0)
    return r;
  _cleanup_free_ struct mirrored **entries = entries_sorted(&reconcile->resources, &count);
  if (!entries)
    return error_set(err, ENOMEM, "out of memory for the resources");
  r = translator_run(&reconcile->translator, entries, count, translator_text_now, &response, err);
  if (r == 0)
    r = check(reconcile, response, err);
  if (r < 0 || !response) /* there is one unless that failed */
    return r;
  atomic_fetch_add(&counters->whole, 1);
  if (stock_settle(reconcile->stock, response, since(&reconcile->resources), &changes) < 0 ||
      tell_problems(reconcile, response, entries, count) < 0)
    return error_set(err, ENOMEM, "out of memory for the objects");
  if (audit)
    correct(reconcile, changes);
  reconcile->survey_due_ns = reconcile->survey_late_ns = reconcile->retry_due_ns = 0;
  settle(reconcile);
  return 0;
}

/* -ESTALE when all is to be translated. */
static int translate_cells(struct reconcile *reconcile, const struct cells *cells, struct error **err) {
  const struct translator *translator = &reconcile->translator;
  _cleanup_(response_free_p) PB(TranslateResponse) *before = NULL;
  _cleanup_(response_free_p) PB(TranslateResponse) *after = NULL;
  size_t changes = 0;

  int r = translator_run(translator, cells->members, cells->count, translator_text_before, &before, err);
  if (r == 0)
    r = translator_run(translator, cells->members, cells->count, translator_text_now, &after, err);
  if (r == 0)
    r = check(reconcile, before, err);
  if (r == 0)
    r = check(reconcile, after, err);
  if (r < 0 || !before || !after) /* they are there unless that failed */
    return r;
  r = stock_change(reconcile->stock, before, after, since(&reconcile->resources), &changes);
  if (r == -ESTALE)
    return r;
  atomic_fetch_add(&reconcile->options->counters->partial, 1);
  if (r < 0 || tell_problems(reconcile, after, cells->members, cells->count) < 0)
    return error_set(err, ENOMEM, "out of memory for the objects");
  return 0;
}

static int translate_part(struct reconcile *reconcile, struct error **err) {
  struct cells cells = {0};

  if (!reconcile->parts)
    return translate_all(reconcile, err);
  if (cells_find(&reconcile->resources, &reconcile->translator.edges, &cells) < 0)
    return error_set(err, ENOMEM, "out of memory for the resources");
  int r = cells.whole ? -ESTALE : translate_cells(reconcile, &cells, err);
  cells_finish(&cells);
  if (r == -ESTALE)
    return translate_all(reconcile, err);
  if (r < 0)
    return r;
  mirror_settle(&reconcile->resources);
  if (reconcile->audit_late_ns == 0)
    reconcile->audit_late_ns = clock_in_ns(WATCH_SETTLE_MOST_NS);
  reconcile->audit_due_ns = clock_in_ns(WATCH_SETTLE_NS);
  if (reconcile->audit_due_ns > reconcile->audit_late_ns)
    reconcile->audit_due_ns = reconcile->audit_late_ns;
  return 0;
}

/* ---- what feeds say */

/* The first of the resources that an object came from that is there. */
static void complain(struct reconcile *reconcile, const struct message *message) {
  struct mirrored *entry = table_get(&reconcile->resources.entries, message->key);

  if (entry && entry->text)
    reporter_tell(reconcile->reporter, &(struct report){.key = entry->key,
                                                        .api_version = entry->api_version,
                                                        .uid = entry->uid,
                                                        .reason = "NotApplied",
                                                        .message = message->text,
                                                        .warning = true});
}

static void note_served(struct reconcile *reconcile, const struct message *message) {
  unsigned kind = follow_smi_kind(message->feed);

  reconcile->listed[message->feed] = true;
  reconcile->without = message->event == FEED_ABSENT ? reconcile->without | kind : reconcile->without & ~kind;
  stock_without(reconcile->stock, reconcile->without);
}

static int take_in(struct reconcile *reconcile, struct message *message, struct error **err) {
  bool smi = message->feed < FOLLOW_SMI;
  struct mirror *mirror = smi ? &reconcile->resources : &reconcile->population;
  size_t dirty = mirror->dirty_count;

  if (message->event == MESSAGE_COMPLAINT) {
    complain(reconcile, message);
    return 0;
  }
  int r = mirror_take(mirror, message, err);
  if (message->event == FEED_LISTED || message->event == FEED_ABSENT)
    note_served(reconcile, message);
  if (mirror->dirty_count == dirty)
    return r;
  atomic_fetch_add(&reconcile->options->counters->changes, 1);
  if (!smi) {
    if (reconcile->survey_late_ns == 0)
      reconcile->survey_late_ns = clock_in_ns(WATCH_QUIET_MOST_NS);
    int64_t due_ns = clock_in_ns(WATCH_QUIET_NS);
    reconcile->survey_due_ns = due_ns < reconcile->survey_late_ns ? due_ns : reconcile->survey_late_ns;
  }
  return r;
}

static bool is_complete(const struct reconcile *reconcile) {
  for (size_t i = 0; i < follow_count(); i++)
    if (!reconcile->listed[i])
      return false;
  return true;
}

static int64_t earlier(int64_t a, int64_t b) {
  return b > 0 && b < a ? b : a;
}

static void forget_told(struct reconcile *reconcile) {
  for (size_t i = 0; i < reconcile->resources.entries.capacity; i++)
    if (reconcile->resources.entries.slots[i])
      ((struct mirrored *)reconcile->resources.entries.slots[i])->told = 0;
}

/* What is due. */
static int decide(struct reconcile *reconcile, struct error **err) {
  int64_t now_ns = clock_monotonic_ns();
  bool retry = reconcile->retry_due_ns > 0;
  bool survey_due = reconcile->survey_due_ns > 0 && reconcile->survey_due_ns <= now_ns;
  bool audit_due = reconcile->audit_due_ns > 0 && reconcile->audit_due_ns <= now_ns;

  if (retry && reconcile->retry_due_ns > now_ns)
    return 0;
  if (atomic_exchange((atomic_bool *)(uintptr_t)reconcile->retell, false)) {
    forget_told(reconcile);
    audit_due = true;
  }
  if (!reconcile->begun || survey_due || retry)
    return translate_all(reconcile, err);
  if (reconcile->resources.dirty_count > 0)
    return translate_part(reconcile, err);
  return audit_due ? translate_all(reconcile, err) : 0;
}

static void count(const struct reconcile *reconcile) {
  struct counters *counters = reconcile->options->counters;
  const struct table *entries = &reconcile->resources.entries;
  struct stock_counts stock = stock_count(reconcile->stock);
  unsigned long long invalid = 0;

  for (size_t i = 0; i < entries->capacity; i++)
    invalid += entries->slots[i] && ((const struct mirrored *)entries->slots[i])->invalid;
  atomic_store(&counters->resources, entries->count);
  atomic_store(&counters->invalid, invalid);
  atomic_store(&counters->wanted, stock.wanted);
  atomic_store(&counters->there, stock.there);
  atomic_store(&counters->pending, stock.pending);
  atomic_store(&counters->failing, stock.failing);
  atomic_store(&counters->contested, stock.contested);
}

static int drain(struct reconcile *reconcile, int64_t deadline_ns, struct error **err) {
  int r = 0;

  for (struct message *message = inbox_take(reconcile->inbox, deadline_ns), *next; message; message = next) {
    next = message->next;
    r = r == 0 ? take_in(reconcile, message, err) : r;
    message_free(message);
  }
  return r;
}

/* A translation that fails later on leaves what is there as it is, and everything is translated after a pause. */
static int recover(struct reconcile *reconcile, int r, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

  if (!reconcile->begun || r == -ENOMEM || atomic_load(reconcile->options->cancel))
    return r;
  strbuf_printf(&text, "translation: %s; it is tried again", error_message(*err));
  say(reconcile, strbuf_text(&text));
  error_free(take(*err));
  reconcile->retry_due_ns = clock_in_ns(WATCH_RETRY_NS);
  return 0;
}

int reconcile_step(struct reconcile *reconcile, struct error **err) {
  int64_t deadline_ns = clock_in_ns(TICK_NS);
  bool first = !reconcile->begun;

  if (reconcile->retry_due_ns > 0)
    deadline_ns = earlier(deadline_ns, reconcile->retry_due_ns);
  else if (reconcile->begun)
    deadline_ns = earlier(earlier(deadline_ns, reconcile->survey_due_ns), reconcile->audit_due_ns);
  int r = drain(reconcile, deadline_ns, err);
  atomic_store(&reconcile->options->counters->alive_ns, clock_monotonic_ns());
  if (r < 0 || !is_complete(reconcile))
    return r;
  r = decide(reconcile, err);
  if (r < 0)
    return recover(reconcile, r, err);
  reconcile->begun = true;
  count(reconcile);
  return first ? 1 : 0;
}
