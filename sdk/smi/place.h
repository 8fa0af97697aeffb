/* Where in the input something about a resource stands. For sdk/smi only. */
#ifndef TRAMMEL_SDK_SMI_PLACE_H
#define TRAMMEL_SDK_SMI_PLACE_H

#include <stdarg.h>

#include "sdk/smi/model.h"

struct smi_place {
  const char *pointer; /* into the document; into the resource when its document is gone; NULL: the whole */
  struct position position;
};

/* The place of the value at `pointer` within a resource, or of the innermost one around it. A resource whose document
 * is gone has only its own position. */
struct smi_place smi_place(struct arena *arena, const struct smi_meta *meta, const char *pointer);

/* The header `number` of an HTTPRouteGroup's headers, which stand at `pointer` as a map or as a list of maps: the
 * pointer to its value, or `pointer` when the document is gone. */
const char *smi_header_pointer(struct arena *arena, const struct smi_meta *meta, const char *pointer, size_t number);

/* A formatted pointer, cut where no pointer of SMI reaches. NULL without memory. */
const char *smi_pointer(struct arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

#endif
