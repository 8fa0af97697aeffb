#define BROKEN_ID "null-table"
#include "broken.h"

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);

const trammel_adapter *trammel_adapter_entry_v1(const trammel_head *host) {
  (void)host;
  return NULL;
}
