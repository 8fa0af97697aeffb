/* Regular expressions of paths and headers, each with texts that are at its edge: some match, some just don't. Which do
 * is not written down here; the oracle asks PCRE2. */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_SAMPLES_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_SAMPLES_H

#include "tests/support/smi_property/random.h"

/* One of the expressions; of paths sometimes NULL, which is any path. */
const char *sample_path_regex(struct random *random);
const char *sample_header_regex(struct random *random);

/* A text at the edge of `regex`, or, now and then and for expressions that are not of the tables, of another. Paths
 * start with '/'. */
const char *sample_path(struct random *random, const char *regex);
const char *sample_header(struct random *random, const char *regex);

#endif
