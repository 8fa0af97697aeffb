#include "host/certify/sitting.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/inprocess.h"
#include "host/adapter/placement.h"
#include "sdk/base/utf8.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void find(struct sitting *sitting, enum certify_verdict verdict, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Reasons quote what adapters say, which is made safe to show. */
static void find(struct sitting *sitting, enum certify_verdict verdict, const char *format, va_list args) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, safe = STRBUF_INIT;
  strbuf_vprintf(&text, format, args);
  utf8_append_safe(&safe, strbuf_text(&text), text.length < SITTING_REASON_MAX ? text.length : SITTING_REASON_MAX, "");
  int length = (int)utf8_fit(strbuf_text(&safe), safe.length, SITTING_REASON_MAX - 1);
  pthread_mutex_lock(&lock);
  sitting->findings += verdict > CERTIFY_PASSED;
  if (verdict > sitting->verdict || (verdict <= CERTIFY_PASSED && sitting->findings == 0)) {
    sitting->verdict = verdict;
    (void)snprintf(sitting->reason, sizeof sitting->reason, "%.*s", length, strbuf_text(&safe));
  }
  pthread_mutex_unlock(&lock);
}

#define DEFINE_FINDING(name, verdict)                                                                                  \
  void sitting_##name(struct sitting *sitting, const char *format, ...) {                                              \
    va_list args;                                                                                                      \
    va_start(args, format);                                                                                            \
    find(sitting, verdict, format, args);                                                                              \
    va_end(args);                                                                                                      \
  }
DEFINE_FINDING(skip, CERTIFY_SKIPPED)
DEFINE_FINDING(note, CERTIFY_PASSED)
DEFINE_FINDING(warn, CERTIFY_WARNING)
DEFINE_FINDING(fail, CERTIFY_FAILED)
DEFINE_FINDING(crash, CERTIFY_CRASHED)

void sitting_lacks(struct sitting *sitting, const char *what) {
  sitting_fail(sitting, "there is no %s for the check, so that it proves nothing; try again with less else at work",
               what);
}

void sitting_done(struct sitting *sitting) {
  sitting->done = true;
}

bool sitting_failed(const struct sitting *sitting) {
  pthread_mutex_lock(&lock);
  bool failed = sitting->verdict >= CERTIFY_FAILED;
  pthread_mutex_unlock(&lock);
  return failed;
}

enum certify_verdict sitting_verdict(const struct sitting *sitting, char ret_reason[SITTING_REASON_MAX],
                                     unsigned *ret_findings) {
  pthread_mutex_lock(&lock);
  enum certify_verdict verdict = sitting->verdict;
  memcpy(ret_reason, sitting->reason, SITTING_REASON_MAX);
  *ret_findings = sitting->findings;
  pthread_mutex_unlock(&lock);
  return verdict;
}

void sitting_answer(struct sitting *sitting, const void *data, size_t length) {
  uint64_t n = length;
  sitting->answered = true;
  if (EVP_DigestUpdate(sitting->answers, &n, sizeof n) != 1 ||
      (length && EVP_DigestUpdate(sitting->answers, data, length) != 1))
    sitting_fail(sitting, "SHA-256 is not available");
}

void sitting_fact(struct sitting *sitting, const char *name, json_int_t value) {
  (void)json_object_set_new(sitting->facts, name, json_integer(value));
}

bool sitting_offers(const struct sitting *sitting, const char *method) {
  const Trammel__Adapter__V1__DescribeResponse *d = sitting->subject->entry.description;
  for (size_t i = 0; i < d->n_methods; i++)
    if (strcmp(d->methods[i], method) == 0)
      return true;
  return false;
}

bool sitting_requires(struct sitting *sitting, const char *method) {
  bool offered = sitting_offers(sitting, method);
  if (!offered) {
    sitting_skip(sitting, "the adapter has no method %s", method);
    sitting_done(sitting);
  }
  return offered;
}

/* ---- an instance */

struct guest {
  struct sitting *sitting;
  struct inprocess *inprocess; /* one of both */
  struct placement *placement;
};

static int create(struct guest *guest, const char *config, const struct adapter_http *http,
                  struct diagnostics *diagnostics, struct error **err) {
  const struct adapter_entry *entry = &guest->sitting->subject->entry;
  const struct placement_backoff none = {.min_ns = 1, .max_ns = 1};
  if (guest->sitting->place == CERTIFY_CHILD)
    return child_placement_create(entry, config, http, &none, diagnostics, &guest->placement, err);
  const struct inprocess_options options = {.id = entry->id, .description = entry->description, .http = http};
  return inprocess_create(guest->sitting->table, &options, config, &(struct call_options){.diagnostics = diagnostics},
                          &guest->inprocess, err);
}

int guest_try(struct sitting *sitting, const char *config, const struct adapter_http *http,
              struct diagnostics *diagnostics, struct guest **ret_guest, struct error **err) {
  struct guest *guest = calloc(1, sizeof *guest);
  if (!guest)
    return error_set(err, ENOMEM, "out of memory");
  guest->sitting = sitting;
  int r = create(guest, config, http, diagnostics, err);
  if (r < 0) {
    free(guest);
    return r;
  }
  *ret_guest = guest;
  return 0;
}

struct guest *guest_create(struct sitting *sitting, const char *config, const struct adapter_http *http) {
  _cleanup_error_ struct error *err = NULL;
  struct guest *guest = NULL;
  if (guest_try(sitting, config, http, NULL, &guest, &err) < 0)
    sitting_fail(sitting, "an instance could not be made: %s", error_message(err));
  return guest;
}

struct sitting *guest_sitting(const struct guest *guest) {
  return guest->sitting;
}

void guest_destroy(struct guest *guest) {
  if (!guest)
    return;
  inprocess_destroy(guest->inprocess);
  if (guest->placement)
    guest->placement->destroy(guest->placement);
  free(guest);
}

int guest_drop_message(void *ctx, const uint8_t *message, size_t length) {
  (void)ctx, (void)message, (void)length;
  return 0;
}

void guest_answer_finish(struct guest_answer *answer) {
  free(answer->data);
  answer->data = NULL;
}

static int run(struct guest *guest, const struct guest_call *call, const struct call_options *options,
               struct guest_answer *answer, struct error **err) {
  if (guest->inprocess)
    return inprocess_call(guest->inprocess, call->method, call->request, call->length, call->on_message, call->ctx,
                          options, &answer->data, &answer->length, err);
  const struct placed_call placed = {.method = call->method,
                                     .request = call->request,
                                     .length = call->length,
                                     .on_message = call->on_message,
                                     .ctx = call->ctx};
  return guest->placement->call(guest->placement, &placed, options, &answer->data, &answer->length, err);
}

/* A child that is gone: the host's own diagnostic tells that from whatever an adapter returns. */
static bool was_lost(int result, const struct diagnostics *diagnostics) {
  for (size_t i = 0; result == -EIO && i < diagnostics_count(diagnostics); i++) {
    const char *code = diagnostics_at(diagnostics, i)->code;
    if (strcmp(code, "ADAPTER-0010") == 0 || strcmp(code, "ADAPTER-0011") == 0)
      return true;
  }
  return false;
}

static void judge(struct sitting *sitting, const struct guest_call *call, const struct guest_answer *answer,
                  const struct diagnostics *diagnostics) {
  if (was_lost(answer->result, diagnostics))
    sitting_crash(sitting, "%s", answer->why);
  else if (answer->result == -EPROTO)
    sitting_fail(sitting, "%s", answer->why);
  for (size_t i = 0; i < diagnostics_count(diagnostics); i++)
    if (strcmp(diagnostics_at(diagnostics, i)->code, "ADAPTER-0007") == 0)
      sitting_fail(sitting, "%s: %s", call->method, diagnostics_at(diagnostics, i)->summary);
}

void guest_run(struct guest *guest, const struct guest_call *call, struct guest_answer *ret_answer) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_diagnostics_ struct diagnostics *own = diagnostics_create();
  struct call_options options = call->options;
  if (!options.diagnostics)
    options.diagnostics = own;
  *ret_answer = (struct guest_answer){0};
  ret_answer->result = run(guest, call, &options, ret_answer, &err);
  if (ret_answer->result < 0)
    (void)snprintf(ret_answer->why, sizeof ret_answer->why, "%s", error_message(err));
  judge(guest->sitting, call, ret_answer, options.diagnostics);
}
