/* The user's wish that a command end: SIGINT, SIGTERM and SIGHUP. */
#ifndef TRAMMEL_HOST_CLI_INTERRUPT_H
#define TRAMMEL_HOST_CLI_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

/* From now on the first signal only sets the flag, for the command to end in order; a second one ends the program at
 * once. One that is ignored, as SIGHUP under nohup, stays so. */
void interrupt_catch(void);

/* What calls that can be cancelled look at. */
const atomic_bool *interrupt_flag(void);
bool interrupt_came(void);

#endif
