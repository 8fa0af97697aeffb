/* Whole numbers as options take them. */
#ifndef TRAMMEL_HOST_CLI_NUMBER_H
#define TRAMMEL_HOST_CLI_NUMBER_H

#include <argp.h>
#include <stdint.h>

/* A number in decimal digits; ends the program with a usage error when it is none, or not from `least` to `most`.
 * `name` is how the message calls it. */
uint64_t number_parse(const struct argp_state *state, const char *name, const char *text, uint64_t least,
                      uint64_t most);

#endif
