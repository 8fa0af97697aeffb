/* What is checked: an adapter's file, by itself or in a package, opened once. */
#ifndef TRAMMEL_HOST_CERTIFY_SUBJECT_H
#define TRAMMEL_HOST_CERTIFY_SUBJECT_H

#include <jansson.h>

#include "host/adapter/gate.h"
#include "host/adapter/registry.h"
#include "host/package/package.h"

struct subject {
  bool packed;              /* `package` is there */
  bool partly;              /* a confinement that lacks what the kernel lacks will do */
  char digest[DIGEST_SIZE]; /* of the file that was named */
  struct package package;
  struct gate gate;           /* open, also when the adapter is refused */
  char path[64];              /* by which this process and those that it forks open that same file again */
  struct error *refusal;      /* why the host would not load it; NULL: it would */
  struct adapter_entry entry; /* .usable unless it is refused */
  const char *scratch;        /* a directory for what checks write; borrowed */
  char *config;               /* JSON text that fits the schema, with its defaults; NULL when it is refused */
  bool configured;            /* the user said what the configuration is */
};

/* Opens `path`, a shared object or a package, and asks the adapter what it is, in a confined child. 0 also for an
 * adapter that the host refuses. -EINVAL for what is neither, -ENOEXEC for a package for another platform, -ENOSYS when
 * the kernel cannot confine it. */
int subject_open(const char *path, bool partly, struct subject *ret_subject, struct error **err);
void subject_close(struct subject *subject);

/* Takes `config`, which has been checked against the adapter's schema, as what the adapter is configured with; NULL:
 * the defaults. */
int subject_configure(struct subject *subject, const json_t *config, struct error **err);

/* The adapter's configuration schema; NULL when it has none. A new reference. */
json_t *subject_schema(const struct subject *subject);

#endif
