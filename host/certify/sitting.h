/* One check in one place, in a process of its own: what the functions of the checks work with. Private to this folder.
 */
#ifndef TRAMMEL_HOST_CERTIFY_SITTING_H
#define TRAMMEL_HOST_CERTIFY_SITTING_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdint.h>

#include "host/adapter/instance.h"
#include "host/certify/check.h"
#include "host/certify/subject.h"
#include "sdk/base/strbuf.h"
#include "trammel/abi.h"

/* Bytes of a reason. */
#define SITTING_REASON_MAX 2000

struct sitting {
  const struct subject *subject;
  enum certify_place place;
  uint64_t seed;
  const trammel_adapter *table; /* in-process: loaded */
  /* What comes of it; the first three are of any thread, and read by the functions below. */
  enum certify_verdict verdict;
  char reason[SITTING_REASON_MAX]; /* of the weightiest finding, the first of its weight */
  unsigned findings;               /* failures and warnings in all */
  bool done;                       /* the check came to its end; else it proves nothing */
  EVP_MD_CTX *answers;             /* of what is compared between places */
  bool answered;
  json_t *facts; /* name: number */
};

/* Findings. A reason says what was expected, what was found, and what the adapter's author is to do. The check may go
 * on after one. */
void sitting_skip(struct sitting *sitting, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sitting_warn(struct sitting *sitting, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sitting_fail(struct sitting *sitting, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sitting_crash(struct sitting *sitting, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What is worth telling of a check that passes. */
void sitting_note(struct sitting *sitting, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the check needs and the machine does not have: "memory", "a thread". A failure, for it proves nothing then. */
void sitting_lacks(struct sitting *sitting, const char *what);
/* The check has done all that it is there to do, or said that it is skipped: only then can it pass. */
void sitting_done(struct sitting *sitting);
/* Whether there is a failure or a crash. */
bool sitting_failed(const struct sitting *sitting);
/* What it has come to by now, while a thread of the adapter may still be at work. */
enum certify_verdict sitting_verdict(const struct sitting *sitting, char ret_reason[SITTING_REASON_MAX],
                                     unsigned *ret_findings);

/* Adds to what must be the same in all places. */
void sitting_answer(struct sitting *sitting, const void *data, size_t length);
/* A number for the report. */
void sitting_fact(struct sitting *sitting, const char *name, json_int_t value);

/* Whether Describe lists the method. */
bool sitting_offers(const struct sitting *sitting, const char *method);
/* The same, and the check is skipped when it does not. */
bool sitting_requires(struct sitting *sitting, const char *method);

/* ---- an instance of the adapter where the sitting is */

struct guest;

/* NULL, and a failure, when it could not be made. `config` is JSON text, `http` may be NULL; both are borrowed. */
struct guest *guest_create(struct sitting *sitting, const char *config, const struct adapter_http *http);
/* The same, with the error in place of a failure. */
int guest_try(struct sitting *sitting, const char *config, const struct adapter_http *http,
              struct diagnostics *diagnostics, struct guest **ret_guest, struct error **err);
struct sitting *guest_sitting(const struct guest *guest);
void guest_destroy(struct guest *guest);
DEFINE_CLEANUP(struct guest *, guest_destroy);
#define _cleanup_guest_ _cleanup_(guest_destroy_p)

/* A call with the bytes of its request. `on_message` is of a stream, NULL for a unary call. */
struct guest_call {
  const char *method;
  const void *request;
  size_t length;
  int (*on_message)(void *ctx, const uint8_t *message, size_t length);
  void *ctx;
  struct call_options options;
};

/* An `on_message` for who does not look at a stream's messages. */
int guest_drop_message(void *ctx, const uint8_t *message, size_t length);

struct guest_answer {
  int result; /* 0, or -errno as of instance_call() */
  uint8_t *data;
  size_t length;
  char why[600]; /* of an error */
};
void guest_answer_finish(struct guest_answer *answer);
#define _cleanup_answer_ _cleanup_(guest_answer_finish)

/* Calls. What breaks the contract whatever the call was (a crash, two messages, none, a status that there is not) is a
 * finding; other errors are the caller's to judge. Any thread; findings of several threads are not mixed up. */
void guest_run(struct guest *guest, const struct guest_call *call, struct guest_answer *ret_answer);

#endif
