#define BROKEN_ID "no-symbol"
#include "broken.h"

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);

/* Keeps a dynamic symbol table: an import. */
static void *keep(void) {
  return malloc(1);
}
void *(*const broken_keep)(void) = keep;
