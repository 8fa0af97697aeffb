#include "sdk/base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Here they are defined. */
#undef error_set
#undef error_setv
#undef error_wrap

struct error {
  int code;
  char *message;
};

/* What an error becomes when there is no memory for it: the element's index is its code, so that the code survives.
 * Nothing writes here, which keeps it safe between threads. */
#define FALLBACK_CODES 256
static struct error fallback_errors[FALLBACK_CODES];

static bool error_is_fallback(const struct error *err) {
  return (uintptr_t)err >= (uintptr_t)fallback_errors && (uintptr_t)err < (uintptr_t)(fallback_errors + FALLBACK_CODES);
}

static struct error *error_fallback(int code) {
  return &fallback_errors[code > 0 && code < FALLBACK_CODES ? code : EIO];
}

/* Puts an error that owns `message` (NULL: memory ran out) in place of the one in `*err`. */
static int error_replace(struct error **err, int code, char *message) {
  struct error *made = message ? malloc(sizeof(*made)) : NULL;

  if (made) {
    *made = (struct error){.code = code, .message = message};
  } else {
    free(message);
    made = error_fallback(code);
  }
  error_free(*err);
  *err = made;
  return -code;
}

int error_setv(struct error **err, int code, const char *format, va_list args) {
  char *message = NULL;

  if (!err)
    return -code;
  /* The arguments may point into the error that is replaced, so it lives until the new text stands. */
  if (vasprintf(&message, format, args) < 0)
    message = NULL;
  return error_replace(err, code, message);
}

int error_set(struct error **err, int code, const char *format, ...) {
  va_list args;
  int r;

  va_start(args, format);
  r = error_setv(err, code, format, args);
  va_end(args);
  return r;
}

int error_wrap(struct error **err, const char *format, ...) {
  _cleanup_free_ char *context = NULL;
  char *message = NULL;
  va_list args;
  int r;

  if (!err || !*err)
    return -EIO;
  va_start(args, format);
  r = vasprintf(&context, format, args);
  va_end(args);
  if (r < 0) {
    context = NULL;
    return -error_code(*err); /* the message without context says more than none */
  }
  if (asprintf(&message, "%s: %s", context, error_message(*err)) < 0)
    return -error_code(*err);
  return error_replace(err, error_code(*err), message);
}

const char *error_message(const struct error *err) {
  if (!err)
    return "";
  return error_is_fallback(err) ? "out of memory (and none left to say more)" : err->message;
}

int error_code(const struct error *err) {
  if (!err)
    return 0;
  return error_is_fallback(err) ? (int)(err - fallback_errors) : err->code;
}

void error_free(struct error *err) {
  if (!err || error_is_fallback(err))
    return;
  free(err->message);
  free(err);
}
