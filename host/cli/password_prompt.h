/* Passwords, asked for at the terminal without being shown. */
#ifndef TRAMMEL_HOST_CLI_PASSWORD_PROMPT_H
#define TRAMMEL_HOST_CLI_PASSWORD_PROMPT_H

#include <stdbool.h>

#include "sdk/base/error.h"

#define PASSWORD_PROMPT_MAX 1025 /* bytes, with the NUL */

/* Asks at the terminal, twice with `twice`; with `from_input` the first line of standard input is taken instead. Ctrl-C
 * leaves the terminal as it was: -ECANCELED. -ENOTTY with what to do when there is no terminal, -EINVAL. */
int password_prompt(const char *question, bool twice, bool from_input, char ret_password[PASSWORD_PROMPT_MAX],
                    struct error **err);

#endif
