/* Passwords, kept as scrypt (RFC 7914) makes them: "$scrypt$ln=15,r=8,p=3$SALT$HASH", both in base64url. */
#ifndef TRAMMEL_HOST_AUTH_PASSWORD_H
#define TRAMMEL_HOST_AUTH_PASSWORD_H

#include <stdbool.h>

#include "sdk/base/error.h"

#define PASSWORD_MIN 12       /* bytes */
#define PASSWORD_MAX 1024     /* bytes */
#define PASSWORD_TEXT_MAX 128 /* bytes of what is kept, with the NUL */

/* With a salt of its own: takes 32 MiB and about a tenth of a second, on purpose. Of all threads one at a time works;
 * the others wait, so that a flood of logins takes no more memory. -EINVAL for a length that is not taken. */
int password_hash(const char *password, char ret_text[PASSWORD_TEXT_MAX], struct error **err);

/* Whether it is that password; compared in constant time. `text` NULL: as much work as with one, and false, so that
 * nobody learns by the clock which users there are. 0 or 1, -EBADMSG for a text that is none, -ENOMEM. */
int password_verify(const char *password, const char *text);

#endif
