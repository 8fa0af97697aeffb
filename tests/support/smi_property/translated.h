/* Translate of the adapter that the test is linked with, for a world: objects and coverage back, as a host gets them.
 */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_TRANSLATED_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_TRANSLATED_H

#include <jansson.h>

#include "tests/support/smi_property/oracle.h"
#include "trammel/abi.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

struct translated {
  int status; /* TRAMMEL_OK, or why there is nothing else here than diagnostics */
  Trammel__Adapter__V1__TranslateResponse *response; /* NULL unless OK */
  json_t *objects;                                   /* the bodies of response->objects, in their order */
  json_t *diagnostics;                               /* an array of {severity, code, resource, pointer, summary} */
};

/* `config` is JSON, "" for none. What is unsupported is left out with `allow_unsupported`, else it fails. */
void translated_make(const struct world *world, const char *config, bool allow_unsupported,
                     struct translated *ret_translated);
void translated_finish(struct translated *translated);

/* Whether everything that the witness rests on is stated as exact: its target, destination, source, rules, and the
 * match or route in it. A coverage of a part, of the list that it is in, or of the whole resource counts. */
bool translated_exactly(const struct translated *translated, const struct witness *witness);

/* Whether everything of the split, and of the groups it names, is stated as exact. */
bool translated_split_exactly(const struct translated *translated, const struct smi_traffic_split *split);

/* The coverage as text, and the objects as JSON. */
void translated_print(const struct translated *translated, FILE *to);

#endif
