/* Who did what, when, from where, and what came of it: a file that is only appended to, an object of JSON a line, for
 * its owner only. Nothing secret is in it. Any thread.
 *
 *   {"time": "2026-01-31T12:00:00.000Z", "who": "alice", "from": "192.0.2.1:4711", "what": "/trammel.v1.RunService/…",
 *    "about": "…", "status": 0}
 *
 * `status` is that of gRPC, or of HTTP where `what` is a method and path of HTTP. Of what is refused to who is not
 * known, at most AUDIT_REFUSALS_PER_S are written each second; the next line says in "omitted" how many were not. At
 * AUDIT_FILE_MAX the file becomes NAME.1, that one NAME.2, and so on up to AUDIT_FILES. */
#ifndef TRAMMEL_HOST_AUTH_AUDIT_H
#define TRAMMEL_HOST_AUTH_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"

#define AUDIT_FILE_MAX ((size_t)16 << 20) /* bytes */
#define AUDIT_FILES 8
#define AUDIT_REFUSALS_PER_S 20

struct audit;

struct audit_entry {
  const char *who;   /* "": not known */
  const char *from;  /* "uid 1000", "192.0.2.1:4711" */
  const char *what;  /* the method */
  const char *about; /* what it was done to, "user bob"; "": nothing to say */
  int status;
};

int audit_open(const char *path, struct audit **ret_audit, struct error **err);
void audit_close(struct audit *audit);

/* Errors are those of a file, say a full disk. NULL is fine: nothing is written. */
int audit_write(struct audit *audit, const struct audit_entry *entry, struct error **err);

#endif
