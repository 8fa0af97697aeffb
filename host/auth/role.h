/* What a caller of the central host may do; each role may do what those before it may. */
#ifndef TRAMMEL_HOST_AUTH_ROLE_H
#define TRAMMEL_HOST_AUTH_ROLE_H

enum role {
  ROLE_NONE,     /* anybody, also who is not known */
  ROLE_VIEWER,   /* reads */
  ROLE_OPERATOR, /* begins and ends runs */
  ROLE_ADMIN,    /* changes what is kept, and who may do what */
};

#endif
