/* Random SMI resources from a seed, written by the rules of each version and not by sdk/smi. */
#ifndef TRAMMEL_TESTS_SMI_GENERATE_H
#define TRAMMEL_TESTS_SMI_GENERATE_H

#include <jansson.h>
#include <stdint.h>

struct generator {
  uint64_t state;
  uint8_t access, specs, split; /* v1alphaN to write in */
};

uint64_t generate_number(struct generator *generator, uint64_t below);

/* A new array of some targets, route groups, port routes, splits and (access v1alpha4) bindings, all legal for a
 * parser. */
json_t *generate_set(struct generator *generator);

#endif
