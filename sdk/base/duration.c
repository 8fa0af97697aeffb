#include "sdk/base/duration.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/memory.h"

/* The nanoseconds of the unit that `*text` begins with, which is left behind it; 0: there is none. */
static double take_unit(const char **text) {
  static const struct {
    const char *name;
    double ns;
  } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
    size_t length = strlen(units[i].name);
    if (strncmp(*text, units[i].name, length) == 0) {
      *text += length;
      return units[i].ns;
    }
  }
  return 0;
}

/* Digits, and perhaps a point and more of them: strtod(3) would take "0x1p3", "1e9" and "inf", too. */
static int take_number(const char **text, double *ret_value) {
  static const char digits[] = "0123456789";
  size_t whole = strspn(*text, digits), length = whole;
  if ((*text)[length] == '.')
    length += 1 + strspn(*text + length + 1, digits);
  if (whole == 0 || (*text)[length - 1] == '.')
    return -EINVAL;
  *ret_value = strtod(*text, NULL);
  *text += length;
  return 0;
}

int duration_read(const char *text, int64_t most_ns, int64_t *ret_ns) {
  const char *at = text;
  double sum = 0;
  do {
    double value, unit_ns;
    if (take_number(&at, &value) < 0)
      return -EINVAL;
    if (*at == '\0' && sum == 0 && strspn(text, "0123456789.") == strlen(text))
      unit_ns = 1e9;
    else
      unit_ns = take_unit(&at);
    if (unit_ns == 0)
      return -EINVAL;
    sum += value * unit_ns;
  } while (*at);
  if (!(sum <= (double)most_ns))
    return -ERANGE;
  *ret_ns = llround(sum);
  return 0;
}
