/* Whether what people read gets colours. */
#ifndef TRAMMEL_HOST_CLI_COLOUR_H
#define TRAMMEL_HOST_CLI_COLOUR_H

#include <argp.h>
#include <stdbool.h>

/* What --colour says: auto, always or never; ends the program with a usage error for anything else. */
const char *colour_when(const struct argp_state *state, const char *text);

/* `when` as above, NULL for auto: on a terminal, unless the environment says otherwise (NO_COLOR, TERM=dumb). */
bool colour_wanted(const char *when, bool terminal);

#endif
