/* Inventories read from text. */
#ifndef TRAMMEL_TESTS_UNIT_INVENTORY_SUPPORT_H
#define TRAMMEL_TESTS_UNIT_INVENTORY_SUPPORT_H

#include "host/inventory/inventory.h"

struct reading {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct inventory_found found;
  int result; /* of inventory_reader_finish */
};

struct reading read_inventory(const char *yaml, const struct inventory_options *options);
void reading_finish(struct reading *reading);
#define _cleanup_reading_ _cleanup_(reading_finish)

/* Everything in one line: "default/web(web-sa)[8080/http]{app=web}; … | default/web[http:80>8080/http]->web; …". */
const char *summary(const struct reading *reading);

/* Fails the test unless the only diagnostic has this code, and says `part`. */
void expect_only(const struct reading *reading, const char *code, const char *part);

#endif
