/* Allocations that fail on purpose, where the adapter and the libraries that it uses ask for memory: their references
 * to malloc() and the like are turned to functions of this module's. The program's own are left alone. Private to this
 * folder. */
#ifndef TRAMMEL_HOST_CERTIFY_ALLOCATOR_H
#define TRAMMEL_HOST_CERTIFY_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Turns the references of all that is loaded by now, for good. How many there were, of the adapter's and of libraries
 * of the program's: it says nothing of whether the adapter makes use of them. */
size_t allocator_take_over(void);

/* From now on, of what this thread asks for, number `nth` (from 0) fails, and with `all_after` all after it.
 * UINT64_MAX: none fails, and all are counted. */
void allocator_arm(uint64_t nth, bool all_after);
/* No more. How many this thread has asked for. */
uint64_t allocator_disarm(void);

#endif
