/* What these ports write down in the audit log. */
#ifndef TRAMMEL_HOST_MESHERY_AUDITED_H
#define TRAMMEL_HOST_MESHERY_AUDITED_H

#include "host/rpc/service.h"

/* A client, of which no more is known than that it is on this machine, did something to `kind` ("run") `name` by
 * `method` ("/package.Service/Method"). */
void audited_note(const struct service *host, const char *method, const char *kind, const char *name);

#endif
