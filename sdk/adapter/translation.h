/* What Translate gives back: native objects, and for every rule, match and backend how exactly it was carried over. */
#ifndef TRAMMEL_SDK_ADAPTER_TRANSLATION_H
#define TRAMMEL_SDK_ADAPTER_TRANSLATION_H

#include "sdk/adapter/inventory.h"
#include "sdk/adapter/native.h"

#ifdef __cplusplus
extern "C" {
#endif

struct translate_request {
  struct smi_set smi;
  struct inventory inventory;
  const char *const
      *deny_by_default; /* namespaces whose workloads take only what TrafficTargets allow (ACC-01); sorted */
  size_t deny_count;
};

struct translation;

enum coverage_level {
  COVERAGE_EXACT = 1,
  COVERAGE_APPROXIMATED, /* narrower or otherwise different, never wider; say how */
  COVERAGE_UNSUPPORTED,  /* left out */
};

struct coverage {
  const struct smi_meta *resource; /* of the request; its texts are borrowed until the call is over */
  enum coverage_level level;
  const char *pointer; /* RFC 6901, into the hub resource: "/spec/rules/0" */
  const char *reason;  /* unless exact */
  const char *code;    /* unless exact: of the diagnostic that goes with it */
  const char *remedy;
  const struct native_object *const *objects; /* that carry it */
  size_t object_count;
};

void translation_add(struct translation *translation, struct native_object *object);

/* States the coverage of one thing. What is unsupported also becomes an error, what is approximated a warning. A
 * translation with something unsupported fails (TRAMMEL_UNIMPLEMENTED) unless the request allows it: then it stays left
 * out, with a warning. */
void translation_cover(struct translation *translation, const struct coverage *coverage);

#ifdef __cplusplus
}
#endif

#endif
