#define BROKEN_ID "undefined-symbol"
#include "broken.h"

/* Built without --no-undefined. */
int broken_not_there(void);

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY(table.head.flags = (uint32_t)broken_not_there();)
