/* How many file descriptors a program may have. */
#ifndef TRAMMEL_SDK_BASE_DESCRIPTORS_H
#define TRAMMEL_SDK_BASE_DESCRIPTORS_H

/* Raises the soft limit to the hard one (getrlimit(2), RLIMIT_NOFILE), for a server of many connections; it stays as it
 * is when that cannot be. For the whole program: to be called before there are threads. */
void descriptors_raise_limit(void);

#endif
