/* A lint in progress. For sdk/smi only. */
#ifndef TRAMMEL_SDK_SMI_LINTING_H
#define TRAMMEL_SDK_SMI_LINTING_H

#include "sdk/smi/catalogue.h"
#include "sdk/smi/index.h"
#include "sdk/smi/text.h"

struct linting {
  const struct smi_set *set;
  struct arena *arena; /* for the time of the lint */
  struct diagnostics *diagnostics;
  struct smi_index resources; /* by kind, namespace and name */
  struct smi_index matches;   /* of route groups, by "namespace/group" and name */
  bool failed;                /* an error was added */
  int error;                  /* -ENOMEM */
};

void lint_access(struct linting *linting);
void lint_specs(struct linting *linting);
void lint_splits(struct linting *linting);

void lint_report(struct linting *linting, enum severity severity, const char *code, const struct smi_meta *meta,
                 const char *pointer, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

/* A pointer into the body as the resource was written: below /spec, or not. */
const char *lint_pointer(struct linting *linting, const struct smi_meta *meta, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A text and where it stood in its list. */
struct lint_text {
  const char *text;
  size_t index;
};

/* Room for `count`; NULL without memory, which is noted. */
struct lint_text *lint_texts(struct linting *linting, size_t count);

/* Sorts `texts` and calls `report` with `of` for each that was there before. */
void lint_repeated(struct linting *linting, struct lint_text *texts, size_t count,
                   void (*report)(struct linting *linting, const void *of, const struct lint_text *repeated),
                   const void *of);

#endif
