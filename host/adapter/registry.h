/* The adapters there are: found in directories, checked by the load gate, described in a child process before any of
 * their code runs in this one. One bad adapter never stops the others. */
#ifndef TRAMMEL_HOST_ADAPTER_REGISTRY_H
#define TRAMMEL_HOST_ADAPTER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define ADAPTER_DIGEST_LENGTH 64 /* hex digits of SHA-256 */

struct adapter_remote; /* remote.h */

struct adapter_entry {
  const char *path;                       /* absolute, of a refused one maybe its directory's; "remote:HOST:PORT" */
  const char *id;                         /* from the ELF note; the file's base name when there is none */
  char digest[ADAPTER_DIGEST_LENGTH + 1]; /* empty: there is no file */
  bool usable;
  bool confined;                       /* its instances run in a process of their own, not in this one */
  bool partly;                         /* a confinement that lacks a layer of this kernel's will do */
  const struct adapter_remote *remote; /* where it is served, when that is on another machine; NULL: a file here */
  const char *refusal; /* why it is not usable, what it offers and what the host wants; NULL when usable */
  const Trammel__Adapter__V1__DescribeResponse *description; /* NULL when not usable */
};

struct registry;

/* A place where adapters are. */
struct adapter_directory {
  const char *path; /* absolute */
  bool bundled;     /* they came with Trammel: their instances run in this process */
  /* An adapter that is refused as it is, and why: nothing in the directory is read. NULL: none. */
  const char *refused_id, *refusal;
};

/* Where instances run. */
enum registry_placement {
  PLACEMENT_BY_ORIGIN,  /* those of adapters that came with Trammel in this process, those of all others in a child */
  PLACEMENT_IN_PROCESS, /* without a boundary */
  PLACEMENT_CHILD,      /* in a process of their own, confined */
};

struct registry_options {
  enum registry_placement placement;
  bool allow_unconfined; /* what the kernel lacks of a confinement is done without, whoever's adapter it is */
  /* NULL: any. Only for registry_scan(): when an adapter with this id is usable, files of all others are passed over,
   * so that they need not describe themselves. */
  const char *id;
};

/* Scans `directories` (the last one's path is NULL; a missing one is no error) for *.so in name order. Of two adapters
 * with one id, the first directory's wins and the other is refused by name. 0, -ENOMEM, or an error for a directory
 * that cannot be read. */
int registry_scan(const struct adapter_directory *directories, const struct registry_options *options,
                  struct registry **ret_registry, struct error **err);

/* A registry of the one adapter in the file `path`, wherever that is; it did not come with Trammel. -EINVAL with its
 * refusal when it is not usable. */
int registry_scan_file(const char *path, const struct registry_options *options, struct registry **ret_registry,
                       struct error **err);
void registry_destroy(struct registry *registry);

/* A registry of one adapter that another machine serves. Takes what `remote` owns, and the description, also when it
 * fails. For remote_find(). */
int registry_of_remote(const struct adapter_remote *remote, Trammel__Adapter__V1__DescribeResponse *description,
                       struct registry **ret_registry, const struct adapter_entry **ret_entry, struct error **err);

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

/* Directories to scan, of which the paths are heap strings. A list is {0} at first. */
struct adapter_directories {
  struct adapter_directory *items; /* the last one's path is NULL; NULL when there are none */
  size_t count, capacity;
};

/* Adds one; a path that is not absolute is looked up. */
int directories_add(struct adapter_directories *directories, const char *path, struct error **err);
/* Adds one whose adapter is refused. */
int directories_add_refused(struct adapter_directories *directories, const char *path, const char *id,
                            const char *refusal, struct error **err);
/* Adds those of TRAMMEL_ADAPTER_PATH (colon-separated). */
int directories_add_environment(struct adapter_directories *directories, struct error **err);
/* Adds lib/trammel/adapters beside the running program's directory. */
int directories_add_bundled(struct adapter_directories *directories, struct error **err);
void directories_finish(struct adapter_directories *directories);
#define _cleanup_directories_ _cleanup_(directories_finish)

#endif
