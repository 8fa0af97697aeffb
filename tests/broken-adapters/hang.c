#define BROKEN_ID "hang"
#include <unistd.h>

#include "broken.h"

BROKEN_DESCRIBE({
  (void)description;
  (void)op;
  while (pause() != 0)
    continue;
  return TRAMMEL_OK;
})
