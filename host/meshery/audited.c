#include "host/meshery/audited.h"

#include <stdio.h>

#include "host/auth/audit.h"

void audited_note(const struct service *host, const char *method, const char *kind, const char *name) {
  char about[160];
  _cleanup_error_ struct error *err = NULL;
  const struct audit_entry entry = {.who = "meshery", .from = "127.0.0.1", .what = method, .about = about};
  (void)snprintf(about, sizeof(about), "%s %.100s", kind, name);
  if (audit_write(host->audit, &entry, &err) < 0 && host->log)
    host->log(error_message(err));
}
