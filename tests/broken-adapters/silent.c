#define BROKEN_ID "silent"
#include "broken.h"

BROKEN_DESCRIBE({
  (void)description;
  (void)op;
  return TRAMMEL_OK;
})
