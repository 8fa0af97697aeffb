#define BROKEN_ID "table-major"
#include "broken.h"

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY(table.head.abi_major = 7;)
