#include "host/auth/role.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {"nobody", "viewer", "operator", "admin"};

const char *role_name(enum role role) {
  return (unsigned)role <= ROLE_ADMIN ? names[role] : names[ROLE_NONE];
}

int role_parse(const char *name, enum role *ret_role) {
  for (enum role role = ROLE_VIEWER; role <= ROLE_ADMIN; role++)
    if (strcmp(name, names[role]) == 0) {
      *ret_role = role;
      return 0;
    }
  return -EINVAL;
}
