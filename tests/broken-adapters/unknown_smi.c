#define BROKEN_ID "unknown-smi"
#include "broken.h"

BROKEN_DESCRIBE({
  static char group[] = "access";
  static char version[] = "v1beta1";
  Trammel__Adapter__V1__SmiSupport smi = TRAMMEL__ADAPTER__V1__SMI_SUPPORT__INIT;
  Trammel__Adapter__V1__SmiSupport *list[] = {&smi};
  smi.group = group;
  smi.version = version;
  smi.support = TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_NATIVE;
  description.n_smi = 1;
  description.smi = list;
  return broken_answer(op, &description);
})
