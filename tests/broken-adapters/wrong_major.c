#define BROKEN_ID "wrong-major"
#include "broken.h"

BROKEN_NOTE(2, 0);
BROKEN_ENTRY()
