/* YAML read by document_read_yaml() and by libyaml alone. */
#ifndef TRAMMEL_TESTS_UNIT_BASE_TWO_READERS_H
#define TRAMMEL_TESTS_UNIT_BASE_TWO_READERS_H

#include "sdk/base/document.h"

/* Whether both build the same trees, at the same places, and tell the same; else says on standard error what differs.
 * Aborts without memory, as the next one does. */
bool readers_agree(const char *text, size_t length, const struct document_limits *limits);

/* Whether the text is read without libyaml. */
bool lines_suffice(const char *text, size_t length, const struct document_limits *limits);

#endif
