/* Command lines that repeat a run. Heap strings; NULL without memory. */
#ifndef TRAMMEL_HOST_CLI_REPRODUCTION_H
#define TRAMMEL_HOST_CLI_REPRODUCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "host/cli/lab_options.h"
#include "host/cli/list.h"
#include "host/cli/mesh_options.h"
#include "host/cli/suite_options.h"

/* The line as it was given, and the seed when it was not. `words[0]` is left out. */
char *command_line_as_given(int count, const char *const *words, bool seed_given, uint64_t seed);

/* What makes a run what it is, for a case to be added: the mesh and its configuration, the suite, the seed, and
 * `timing` (options and their arguments, in turn); no filters, no outputs. */
char *command_line_of_circumstances(const struct mesh_options *mesh, const struct lab_options *lab,
                                    const struct suite_options *suite, const struct list *timing, uint64_t seed);

#endif
