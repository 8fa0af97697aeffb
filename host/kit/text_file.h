/* Text files that are a user's own: with the rights that the user's umask gives. */
#ifndef TRAMMEL_HOST_KIT_TEXT_FILE_H
#define TRAMMEL_HOST_KIT_TEXT_FILE_H

#include "sdk/base/error.h"

/* Writes a file that is not there yet. -EEXIST, -errno; then there is none. */
int text_file_create(const char *path, const void *data, size_t length, struct error **err);

/* Puts `text` in the place of the file's content, or makes the file: an end at any moment leaves one or the other. */
int text_file_replace(const char *path, const char *text, struct error **err);

#endif
