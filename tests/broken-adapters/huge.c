#define BROKEN_ID "huge"
#include <string.h>

#include "broken.h"

BROKEN_DESCRIBE({
  const size_t size = (size_t)4 * 1024 * 1024;
  char *summary = malloc(size + 1);
  if (!summary)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  memset(summary, 'x', size);
  summary[size] = '\0';
  description.summary = summary;
  int status = broken_answer(op, &description);
  free(summary);
  return status;
})
