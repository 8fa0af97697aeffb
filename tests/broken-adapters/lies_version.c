#define BROKEN_ID "lies-version"
#include "broken.h"

BROKEN_DESCRIBE({
  static char version[] = "9.9.9";
  description.adapter_version = version;
  return broken_answer(op, &description);
})
