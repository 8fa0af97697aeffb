#define BROKEN_ID "unknown-status"
#include "broken.h"

BROKEN_DESCRIBE({
  broken_answer(op, &description);
  return 99;
})
