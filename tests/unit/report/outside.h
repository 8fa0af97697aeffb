/* Asks a program outside the project for its opinion of a text. */
#ifndef TRAMMEL_TESTS_OUTSIDE_H
#define TRAMMEL_TESTS_OUTSIDE_H

#define OUTSIDE_ABSENT 77

/* Runs `argv` (found by PATH) with `text` on its standard input; standard output is dropped. Its exit code;
 * OUTSIDE_ABSENT when there is no such program; -1 when it was ended by a signal. */
int outside_check(const char *const *argv, const char *text);

#endif
