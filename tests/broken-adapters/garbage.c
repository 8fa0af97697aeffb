#define BROKEN_ID "garbage"
#include "broken.h"

BROKEN_DESCRIBE({
  (void)description;
  broken_op->emit(op, (trammel_str){"\xff\xff\xff\xff", 4});
  return TRAMMEL_OK;
})
