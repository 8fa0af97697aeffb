#define BROKEN_ID "false-embedded"
#include "broken.h"

BROKEN_DESCRIBE({
  description.embedded = 1;
  return broken_answer(op, &description);
})
