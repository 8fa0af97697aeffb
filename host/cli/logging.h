/* The program's log: lines on standard error. */
#ifndef TRAMMEL_HOST_CLI_LOGGING_H
#define TRAMMEL_HOST_CLI_LOGGING_H

#include <stdbool.h>

/* Shows what adapters log: warnings and errors, and everything when `verbose`. */
void logging_start(bool verbose);

#endif
