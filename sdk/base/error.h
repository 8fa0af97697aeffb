/* Errors with context. A function that can fail for a reason worth telling takes `struct error **err` last, may be
 * given NULL there, and returns 0 or -errno. Each layer that knows more wraps once: "reading policy.yaml: line 3: …".
 */
#ifndef TRAMMEL_SDK_BASE_ERROR_H
#define TRAMMEL_SDK_BASE_ERROR_H

#include <stdarg.h>

#include "sdk/base/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

struct error;

/* Sets `*err` (freeing one that is already there) to a formatted message with the positive errno `code`. Returns -code,
 * so that callers write `return error_set(err, EINVAL, "…")`. When memory runs out the code is kept and the text is
 * fixed. */
int error_set(struct error **err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int error_setv(struct error **err, int code, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* Puts "formatted: " before the message and returns -code of `*err`. Without an error in `*err` it returns -EIO. */
int error_wrap(struct error **err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__
/* It looks at one file at a time, and without this follows paths on which an error is no error. */
static inline int error_negative(int r) {
  return r < 0 ? r : -1;
}
#define error_set(...) error_negative(error_set(__VA_ARGS__))
#define error_setv(...) error_negative(error_setv(__VA_ARGS__))
#define error_wrap(...) error_negative(error_wrap(__VA_ARGS__))
#endif

/* The message, never NULL, valid until the error changes; "" for NULL. The errno, 0 for NULL. */
const char *error_message(const struct error *err);
int error_code(const struct error *err);

void error_free(struct error *err);
DEFINE_CLEANUP(struct error *, error_free);
#define _cleanup_error_ _cleanup_(error_free_p)

#ifdef __cplusplus
}
#endif

#endif
