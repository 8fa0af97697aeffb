#define BROKEN_ID "missing-function"
#include "broken.h"

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY(table.call = NULL;)
