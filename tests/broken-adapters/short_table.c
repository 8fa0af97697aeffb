#define BROKEN_ID "short-table"
#include "broken.h"

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY(table.head.size = 24;)
