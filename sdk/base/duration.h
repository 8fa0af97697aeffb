/* Durations as people write them: "500ms", "1m30s", "1.5h", "90" (seconds). */
#ifndef TRAMMEL_SDK_BASE_DURATION_H
#define TRAMMEL_SDK_BASE_DURATION_H

#include <stdint.h>

/* One or more numbers, each with its unit (ns, us, ms, s, m or h), added up; a number alone is seconds. No sign, no
 * space, no exponent. Nanoseconds, 0 to `most_ns`. -EINVAL for what is no duration, -ERANGE for a longer one. */
int duration_read(const char *text, int64_t most_ns, int64_t *ret_ns);

#endif
