/* The adapters there are: found in directories, checked by the load gate, described in a child process before any of
 * their code runs in this one. One bad adapter never stops the others. */
#ifndef TRAMMEL_HOST_ADAPTER_REGISTRY_H
#define TRAMMEL_HOST_ADAPTER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define ADAPTER_DIGEST_LENGTH 64 /* hex digits of SHA-256 */

struct adapter_entry {
  const char *path; /* absolute */
  const char *id;   /* from the ELF note; the file's base name when there is none */
  char digest[ADAPTER_DIGEST_LENGTH + 1];
  bool usable;
  bool confined;       /* its instances run in a process of their own */
  const char *refusal; /* why it is not usable, what it offers and what the host wants; NULL when usable */
  const Trammel__Adapter__V1__DescribeResponse *description; /* NULL when not usable */
};

struct registry;

/* Scans `directories` (absolute paths, NULL-terminated; a missing one is no error) for *.so in name order. Of two
 * adapters with one id, the first directory's wins and the other is refused by name. 0, -ENOMEM, or an error for a
 * directory that cannot be read. */
int registry_scan(const char *const *directories, struct registry **ret_registry, struct error **err);
void registry_destroy(struct registry *registry);

/* Opens the file that was scanned, through the load gate: -ESTALE when it is another one now. */
struct gate;
int registry_open(const struct adapter_entry *entry, struct gate *ret_gate, struct error **err);

size_t registry_count(const struct registry *registry);
const struct adapter_entry *registry_at(const struct registry *registry, size_t i); /* borrowed from the registry */

/* By id, or by mesh_type when no id matches. NULL with an error that names the usable ones, or the refusal of the one
 * meant. */
const struct adapter_entry *registry_find(const struct registry *registry, const char *name, struct error **err);

/* The one usable adapter whose description says `embedded`; NULL with an error when there is none or more than one. */
const struct adapter_entry *registry_default(const struct registry *registry, struct error **err);

/* The directories to scan: --adapter-dir arguments (`extra`, NULL-terminated, may be NULL), TRAMMEL_ADAPTER_PATH
 * (colon-separated), and lib/trammel/adapters beside the running program's directory. A heap array of heap strings,
 * freed with directories_free(). */
int registry_directories(const char *const *extra, char ***ret_directories, struct error **err);
void directories_free(char **directories);

#endif
