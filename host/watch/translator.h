/* An adapter, and the inventory that it translates for. One thread. */
#ifndef TRAMMEL_HOST_WATCH_TRANSLATOR_H
#define TRAMMEL_HOST_WATCH_TRANSLATOR_H

#include "host/adapter/instance.h"
#include "host/watch/cells.h"

#define TRANSLATOR_TIMEOUT_NS (120 * INT64_C(1000000000))

struct translator {
  struct instance *instance;          /* borrowed */
  const char *const *deny_by_default; /* namespaces; borrowed */
  size_t deny_count;
  Trammel__Adapter__V1__Protocol default_protocol;
  const atomic_bool *cancel;

  /* Of translator_survey(): */
  Trammel__Adapter__V1__Inventory *inventory;
  struct cell_edges edges;
};

void translator_finish(struct translator *translator);

/* Takes the inventory from workloads, Services and ServiceAccounts. What cannot be read is left out. */
int translator_survey(struct translator *translator, const struct mirror *population, struct error **err);

/* Which text of an entry: NULL leaves it out. */
typedef const char *translator_text(const struct mirrored *entry);
const char *translator_text_now(const struct mirrored *entry);
const char *translator_text_before(const struct mirrored *entry);

/* Translates those resources. What the mesh cannot do is left out, which denies it, and is in the coverage. The
 * response is freed with protobuf-c. */
int translator_run(const struct translator *translator, struct mirrored *const *entries, size_t count,
                   translator_text *text_of, Trammel__Adapter__V1__TranslateResponse **ret_response,
                   struct error **err);

#endif
