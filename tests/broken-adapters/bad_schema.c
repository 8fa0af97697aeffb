#define BROKEN_ID "bad-schema"
#include <string.h>

#include "broken.h"

BROKEN_DESCRIBE({
  static char schema[] = "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/x\"}}}";
  description.config_schema = (ProtobufCBinaryData){strlen(schema), (uint8_t *)schema};
  return broken_answer(op, &description);
})
