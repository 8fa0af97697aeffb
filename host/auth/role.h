/* What somebody may do: each role may do all that the one before may. */
#ifndef TRAMMEL_HOST_AUTH_ROLE_H
#define TRAMMEL_HOST_AUTH_ROLE_H

enum role {
  ROLE_NONE = 0, /* nobody in particular */
  ROLE_VIEWER,   /* looks */
  ROLE_OPERATOR, /* starts and ends runs */
  ROLE_ADMIN,    /* says who may what */
};

/* "viewer", …; "nobody" for ROLE_NONE. */
const char *role_name(enum role role);
/* 0, or -EINVAL for what names no role; "nobody" names none. */
int role_parse(const char *name, enum role *ret_role);

#endif
