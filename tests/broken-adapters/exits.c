#define BROKEN_ID "exits"
#include <stdio.h>

#include "broken.h"

BROKEN_DESCRIBE({
  (void)description;
  (void)op;
  (void)fputs("licence \033[31mnot found\n", stderr);
  exit(7);
})
