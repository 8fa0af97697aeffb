#define BROKEN_ID "newer-minor"
#include "broken.h"

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 9);
BROKEN_ENTRY()
