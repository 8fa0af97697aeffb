/* The suites that are compiled into the program. embed.cmake makes the table from host/conformance/suites/. */
#ifndef TRAMMEL_HOST_CONFORMANCE_EMBEDDED_H
#define TRAMMEL_HOST_CONFORMANCE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
  const char *suite; /* "smi" */
  const char *path;  /* in the source tree, for diagnostics */
  const unsigned char *data;
  size_t length;
};

extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

#endif
