#include "sdk/base/token.h"

#include <string.h>

bool token_valid(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && !(c && strchr("!#$%&'*+-.^_`|~", c)))
      return false;
  }
  return length > 0;
}
