/* Where reports of any kind go: -o FORMAT[=FILE], once or more. */
#ifndef TRAMMEL_HOST_CLI_OUTPUTS_H
#define TRAMMEL_HOST_CLI_OUTPUTS_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "sdk/base/error.h"

#define OUTPUTS_MAX 8

struct output {
  int format;       /* which of the kind's; the first one is for people */
  const char *file; /* NULL: standard output */
  FILE *stream;     /* of a device or pipe, once it is open; NULL: `file` is replaced when its content is complete */
};

struct outputs {
  struct output list[OUTPUTS_MAX];
  int count;
};

/* Adds what -o says, of `formats` (NULL-terminated); ends the program with a usage error when it says nothing known, or
 * two formats would share standard output. */
void outputs_add(const struct argp_state *state, struct outputs *outputs, const char *const *formats, char *text);

/* Whether standard output carries the report for people, and may carry progress, too. */
bool outputs_for_people(const struct outputs *outputs);

/* Sees to it that a run does not end in a report that has no place: opens devices and pipes, and tries the places of
 * files. -EEXIST when two outputs go to one file, or why one cannot be opened. */
int outputs_open(struct outputs *outputs, struct error **err);

/* Writes `what` in a format: 0 or -errno. `colour` is never wanted in a file. */
typedef int (*output_writer)(int format, const void *what, bool colour, FILE *out);

/* Writes every report; the first format to standard output when none was asked for there. A file is complete or as it
 * was before. 0 or the first error. */
int outputs_write(struct outputs *outputs, output_writer write, const void *what, bool colour, struct error **err);

/* Closes what outputs_open() opened and outputs_write() did not. */
void outputs_finish(struct outputs *outputs);

#endif
