#define BROKEN_ID "crash"
#include "broken.h"

/* Not a constant, or the compiler would see it coming. */
static volatile uintptr_t nowhere = 16;

BROKEN_DESCRIBE({
  (void)description;
  (void)op;
  *(volatile int *)nowhere = 1;
  return TRAMMEL_OK;
})
