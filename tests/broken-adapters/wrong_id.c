#define BROKEN_ID "wrong-id"
#include "broken.h"

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY(table.id = (trammel_str){"another", 7};)
