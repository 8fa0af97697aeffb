/* What an adapter's file says about itself, read with a parser and never by loading it. */
#ifndef TRAMMEL_HOST_ADAPTER_ELF_FILE_H
#define TRAMMEL_HOST_ADAPTER_ELF_FILE_H

#include <stdbool.h>

#include "sdk/base/error.h"
#include "trammel/abi.h"

/* Ids, meshes, endpoints and operations become names of files and keys: 1 to 63 of a-z, 0-9 and '-', which is not the
 * first. */
#define NAME_BYTES_MAX 63
bool name_valid(const char *name);

/* Checks that the open file is a shared object for this machine that exports the entry symbol and nothing else, and
 * copies its note, whose strings are then well-formed. The descriptor stays the caller's. 0, -EINVAL with what was
 * found and wanted. */
int elf_file_read(int fd, trammel_note *ret_note, struct error **err);

#endif
