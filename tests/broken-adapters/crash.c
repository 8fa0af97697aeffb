#define BROKEN_ID "crash"
#include "broken.h"

BROKEN_DESCRIBE({
  (void)description;
  (void)op;
  *(volatile int *)(uintptr_t)16 = 1;
  return TRAMMEL_OK;
})
