#define BROKEN_ID "unknown-method"
#include "broken.h"

BROKEN_DESCRIBE({
  static char name[] = "Destroy";
  static char *list[] = {name};
  description.n_methods = 1;
  description.methods = list;
  return broken_answer(op, &description);
})
