/* Versions as Semantic Versioning 2.0.0 orders them. */
#ifndef TRAMMEL_HOST_PACKAGE_VERSION_H
#define TRAMMEL_HOST_PACKAGE_VERSION_H

#include <stdbool.h>

/* Whether it is one: "1.2.3", "1.2.3-rc.1", "1.2.3+build". */
bool version_is_semantic(const char *text);

/* Whether such a version comes before a release: it has a part after '-'. */
bool version_is_prerelease(const char *text);

/* Which of two such versions comes first: below, equal to or above zero. Build metadata does not count. */
int version_compare(const char *a, const char *b);

#endif
