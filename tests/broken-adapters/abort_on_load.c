#define BROKEN_ID "abort-on-load"
#include "broken.h"

__attribute__((constructor)) static void construct(void) {
  abort();
}

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY()
