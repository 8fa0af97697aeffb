/* Files of JSON that this program keeps for itself, and that people may have changed. */
#ifndef TRAMMEL_HOST_PACKAGE_JSON_FILE_H
#define TRAMMEL_HOST_PACKAGE_JSON_FILE_H

#include <jansson.h>
#include <stddef.h>

#include "sdk/base/error.h"

/* Reads a file of at most `limit` bytes that the schema is good for: a new reference. -ENOENT when it is not there,
 * -EINVAL says where it is no JSON or what the schema does not allow, else as file_read(). */
int json_file_read(const char *path, size_t limit, const char *schema_text, json_t **ret_root, struct error **err);

#endif
