#define BROKEN_ID "flood"
#include <unistd.h>

#include "broken.h"

/* Rude, not wrong: the host drains it and goes on. More than a pipe holds. */
BROKEN_DESCRIBE({
  static const char line[4096] = {'x'};
  for (int i = 0; i < 1024; i++)
    if (write(STDOUT_FILENO, line, sizeof line) < 0)
      break;
  return broken_answer(op, &description);
})
