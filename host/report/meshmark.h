/* MeshMark, as docs/meshmark.md defines it: how much of what there is without a mesh is left with it, as one number
 * from 0 to 100. Pure functions. */
#ifndef TRAMMEL_HOST_REPORT_MESHMARK_H
#define TRAMMEL_HOST_REPORT_MESHMARK_H

#include <stdbool.h>

#define MESHMARK_DEFINITION 2 /* changes with weights, references and formulas: marks of two are not to be compared */

enum meshmark_class {
  MESHMARK_MEDIAN,      /* p50 of the response, ms */
  MESHMARK_TAIL,        /* p99 of the response, ms */
  MESHMARK_THROUGHPUT,  /* good answers per second of a closed loop */
  MESHMARK_RELIABILITY, /* share of requests without a good answer */
  MESHMARK_PROCESSOR,   /* the mesh's processor time for a request, us */
  MESHMARK_MEMORY,      /* of a proxy, MiB */
};
#define MESHMARK_CLASSES (MESHMARK_MEMORY + 1)

struct meshmark_class_definition {
  const char *name;  /* "median" … */
  const char *text;  /* what it is, with its unit */
  double weight;     /* all together 1 */
  double reference;  /* in the class's unit: see meshmark_efficiency(); 0: it has none */
  bool of_mesh_only; /* without a mesh there is none of it */
};
extern const struct meshmark_class_definition meshmark_classes[MESHMARK_CLASSES];

/* One class's input. */
struct meshmark_input {
  double direct, mesh; /* NaN: not known; `direct` is 0 where the class is of the mesh only */
  const char *missing; /* static: why it can't be told; NULL: it can */
};

/* 0 to 100: 100 when the mesh costs nothing. */
double meshmark_efficiency(enum meshmark_class class, double direct, double mesh);

struct meshmark {
  struct meshmark_input inputs[MESHMARK_CLASSES];
  double efficiencies[MESHMARK_CLASSES]; /* NaN: can't be told */
  unsigned told;                         /* classes */
  double low, high;                      /* the mark: with a class that can't be told as 0, and as 100 */
};

struct meshmark meshmark_make(const struct meshmark_input inputs[MESHMARK_CLASSES]);

#endif
