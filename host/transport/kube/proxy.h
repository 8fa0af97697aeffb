/* Which proxy the way to a server goes through: proxy-url, or HTTPS_PROXY and NO_PROXY of the environment (Go's
 * httpproxy: what kubectl does). */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_PROXY_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_PROXY_H

#include <stdbool.h>

#include "sdk/base/error.h"

/* NULL in `*ret_proxy` for none; a heap string. `configured` goes before the environment, and is asked no exceptions.
 */
int proxy_choose(const char *server, const char *configured, char **ret_proxy, struct error **err);

/* Whether a list like "10.0.0.0/8,.example.com,host:8443,*" excepts `host` (without brackets) and `port`. */
bool proxy_excepted(const char *list, const char *host, const char *port);

#endif
