/* What /proc knows about a process. Private to the engine's folder. */
#ifndef TRAMMEL_HOST_ENGINE_PROC_H
#define TRAMMEL_HOST_ENGINE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sdk/base/error.h"

#define BOOT_ID_SIZE 40

/* This boot's id, from /proc/sys/kernel/random/boot_id. */
int boot_id(char ret_id[BOOT_ID_SIZE], struct error **err);

/* When `pid` started, in clock ticks since boot. -ESRCH when there is no such process, or only its zombie. */
int process_start_time(pid_t pid, uint64_t *ret_start);

/* Whether a living process of this user was started with "name=value" in its environment. */
bool process_has_variable(pid_t pid, const char *name, const char *value);

#endif
