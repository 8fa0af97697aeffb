#define BROKEN_ID "lies-mesh"
#include "broken.h"

BROKEN_DESCRIBE({
  static char mesh[] = "istio";
  description.mesh_type = mesh;
  return broken_answer(op, &description);
})
