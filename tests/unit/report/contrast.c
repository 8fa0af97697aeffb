#include "contrast.h"

#include <math.h>
#include <stdlib.h>

static double channel(const char *digits) {
  const char pair[3] = {digits[0], digits[1], '\0'};
  double value = (double)strtoul(pair, NULL, 16) / 255;
  return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

static double luminance(const char *colour) {
  return 0.2126 * channel(colour + 1) + 0.7152 * channel(colour + 3) + 0.0722 * channel(colour + 5);
}

double contrast(const char *a, const char *b) {
  double x = luminance(a);
  double y = luminance(b);
  return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}
