#define BROKEN_ID "extra-symbol"
#include "broken.h"

/* Built without the version script. */
TRAMMEL_EXPORT int broken_helper(void);
int broken_helper(void) {
  return 1;
}

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY()
