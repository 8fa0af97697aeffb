/* Diagnostics: what is wrong with what someone gave us, where, and what to do about it. */
#ifndef TRAMMEL_SDK_BASE_DIAGNOSTIC_H
#define TRAMMEL_SDK_BASE_DIAGNOSTIC_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sdk/base/memory.h"

#ifdef __cplusplus
extern "C" {
#endif

enum severity {
  SEVERITY_INFO = 1,
  SEVERITY_WARNING = 2,
  SEVERITY_ERROR = 3,
};

/* "info", "warning", "error". */
const char *severity_name(enum severity severity);

/* Where something stands. `file` is NULL for what came from no file ("-" is standard input); line and column count from
 * 1, 0 when unknown. */
struct position {
  const char *file;
  uint32_t line;
  uint32_t column;
};

struct diagnostic {
  enum severity severity;
  const char *code;    /* stable: "SMI-0012"; never reused for something else */
  const char *pointer; /* RFC 6901 JSON pointer into the document or object it is about; NULL for the whole */
  struct position position;
  const char *summary; /* one line: what is wrong, with the value found */
  const char *detail;  /* what was expected and why; NULL */
  const char *remedy;  /* what to do; NULL */
};

/* A list that owns copies of what is added to it. */
struct diagnostics;

struct diagnostics *diagnostics_create(void);
void diagnostics_destroy(struct diagnostics *list);
DEFINE_CLEANUP(struct diagnostics *, diagnostics_destroy);
#define _cleanup_diagnostics_ _cleanup_(diagnostics_destroy_p)

/* The most diagnostics one list keeps; later ones are counted and dropped. */
#define DIAGNOSTICS_MAX 1000

/* The most bytes of each text of a diagnostic that a list keeps; longer ones are cut. */
#define DIAGNOSTIC_TEXT_MAX 4096

/* Copies `diagnostic`. 0 or -ENOMEM. A NULL list takes and drops. */
int diagnostics_add(struct diagnostics *list, const struct diagnostic *diagnostic);

/* The same with a formatted summary; `diagnostic->summary` is ignored. */
int diagnostics_addf(struct diagnostics *list, const struct diagnostic *diagnostic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int diagnostics_addv(struct diagnostics *list, const struct diagnostic *diagnostic, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Copies each diagnostic that `from` keeps. 0 or -ENOMEM. */
int diagnostics_append(struct diagnostics *list, const struct diagnostics *from);

size_t diagnostics_count(const struct diagnostics *list);                            /* kept ones */
size_t diagnostics_dropped(const struct diagnostics *list);                          /* beyond DIAGNOSTICS_MAX */
size_t diagnostics_count_of(const struct diagnostics *list, enum severity severity); /* kept and dropped ones */
const struct diagnostic *diagnostics_at(const struct diagnostics *list, size_t i);   /* borrowed from the list */
bool diagnostics_have_error(const struct diagnostics *list);
const char *diagnostics_first_error(const struct diagnostics *list); /* its summary, borrowed; NULL: no error is kept */

/* Whether one more would only be counted: who builds costly texts for it may leave them out. */
bool diagnostics_full(const struct diagnostics *list);

/* "file:3:7: error[SMI-0012]: summary (/spec/backends/0/weight)" and indented detail and remedy lines. What is unknown
 * is left out, standard input is "<stdin>", and control characters are escaped, so that no input can steer a terminal.
 */
void diagnostic_print(const struct diagnostic *diagnostic, FILE *out);
void diagnostics_print(const struct diagnostics *list, FILE *out);

/* A new JSON object / array; NULL without memory. Members: severity, code, pointer, file, line, column, summary,
 * detail, remedy; absent ones are left out. */
json_t *diagnostic_to_json(const struct diagnostic *diagnostic);
json_t *diagnostics_to_json(const struct diagnostics *list);

#ifdef __cplusplus
}
#endif

#endif
