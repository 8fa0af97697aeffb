#define BROKEN_ID "no-note"
#include "broken.h"

BROKEN_ENTRY()
