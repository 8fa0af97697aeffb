#define BROKEN_ID "twice"
#include "broken.h"

BROKEN_DESCRIBE({
  broken_answer(op, &description);
  return broken_answer(op, &description);
})
