#include "host/report/meshmark.h"

#include <math.h>

const struct meshmark_class_definition meshmark_classes[MESHMARK_CLASSES] = {
    [MESHMARK_MEDIAN] = {"median", "p50 of the response, ms", 0.2, 1, false},
    [MESHMARK_TAIL] = {"tail", "p99 of the response, ms", 0.2, 5, false},
    [MESHMARK_THROUGHPUT] = {"throughput", "good answers per second", 0.2, 0, false},
    [MESHMARK_RELIABILITY] = {"reliability", "share without a good answer", 0.2, 0.01, false},
    [MESHMARK_PROCESSOR] = {"processor", "processor time of a request, us", 0.1, 500, true},
    [MESHMARK_MEMORY] = {"memory", "memory of a proxy, MiB", 0.1, 64, true},
};

static double share(double value) {
  return 100 * fmin(fmax(value, 0), 1);
}

double meshmark_efficiency(enum meshmark_class class, double direct, double mesh) {
  double reference = meshmark_classes[class].reference, added = fmax(mesh - direct, 0);
  switch (class) {
  case MESHMARK_THROUGHPUT:
    return direct > 0 ? share(mesh / direct) : NAN;
  case MESHMARK_RELIABILITY:
    return share(1 - added / reference);
  case MESHMARK_MEDIAN:
  case MESHMARK_TAIL:
  case MESHMARK_PROCESSOR:
  case MESHMARK_MEMORY:
    break;
  }
  return share(1 / (1 + added / reference));
}

struct meshmark meshmark_make(const struct meshmark_input inputs[MESHMARK_CLASSES]) {
  struct meshmark mark = {0};
  for (unsigned i = 0; i < MESHMARK_CLASSES; i++) {
    double weight = meshmark_classes[i].weight, efficiency = NAN;
    mark.inputs[i] = inputs[i];
    if (!inputs[i].missing)
      efficiency = meshmark_efficiency((enum meshmark_class)i, inputs[i].direct, inputs[i].mesh);
    mark.efficiencies[i] = efficiency;
    mark.told += isfinite(efficiency) ? 1 : 0;
    mark.low += weight * (isfinite(efficiency) ? efficiency : 0);
    mark.high += weight * (isfinite(efficiency) ? efficiency : 100);
  }
  mark.high = fmin(mark.high, 100); /* what adding weights rounds */
  mark.low = fmin(mark.low, mark.high);
  return mark;
}
