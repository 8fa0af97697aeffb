/* Licences as SPDX expressions: the grammar of Annex D of the SPDX specification 2.3, such as "MIT" or
 * "(Apache-2.0 OR GPL-2.0-or-later WITH Classpath-exception-2.0) AND LicenseRef-mine". Which identifiers there are, the
 * list of SPDX says, which grows: it is not looked at. */
#ifndef TRAMMEL_HOST_PACKAGE_LICENCE_H
#define TRAMMEL_HOST_PACKAGE_LICENCE_H

#include "sdk/base/error.h"

#define LICENCE_PARENTHESES_MAX 16 /* within each other */

/* 0, or -EINVAL with what was expected and what was found. */
int licence_check(const char *text, struct error **err);

#endif
