/* What the parts of a head may be written with, in every version of HTTP: what two readers could take for different
 * things is refused. */
#ifndef TRAMMEL_REFERENCE_MESH_GRAMMAR_H
#define TRAMMEL_REFERENCE_MESH_GRAMMAR_H

#include <stdbool.h>

struct head;

/* Names are tokens, and no value has a control character. */
bool fields_are_clean(const struct head *head);

/* The Host field, where there is one, is a host and perhaps a port. */
bool host_is_clean(const struct head *head);

#endif
