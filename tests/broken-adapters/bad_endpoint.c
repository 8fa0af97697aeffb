#define BROKEN_ID "bad-endpoint"
#include "broken.h"

BROKEN_DESCRIBE({
  static char name[] = "../etc";
  Trammel__Adapter__V1__Endpoint endpoint = TRAMMEL__ADAPTER__V1__ENDPOINT__INIT;
  Trammel__Adapter__V1__Endpoint *list[] = {&endpoint};
  endpoint.name = name;
  description.n_endpoints = 1;
  description.endpoints = list;
  return broken_answer(op, &description);
})
