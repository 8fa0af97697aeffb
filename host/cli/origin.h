/* Who signed installed adapters, and where they came from: for adapter list, show and verify. */
#ifndef TRAMMEL_HOST_CLI_ORIGIN_H
#define TRAMMEL_HOST_CLI_ORIGIN_H

#include <jansson.h>

#include "host/package/installed.h"
#include "host/package/trust.h"
#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

/* What is installed, and the keys that are trusted. */
struct origins {
  struct installed *installed; /* NULL: nothing was read */
  struct trust trust;
};

/* Where nothing is installed the trusted keys are not read. */
int origins_open(const char *data_directory, struct origins *ret_origins, struct error **err);
void origins_finish(struct origins *origins);
#define _cleanup_origins_ _cleanup_(origins_finish)

/* The installed adapter whose version in use has the file `path`, or is in that directory; NULL for what was not
 * installed. */
const struct installed_adapter *origins_find(const struct origins *origins, const char *path);

/* Whether the signature of the version in use is good and its key still trusted; 0 also when it was installed without
 * one. Its files are not looked at: that is installed_verify(). -EBADMSG or -ENOKEY, or why it cannot be read. */
int origins_check_signature(const struct origins *origins, const struct installed_adapter *adapter, struct error **err);

/* "signed by NAME, from SOURCE", with what packages_signer() says. */
void origins_describe(const struct origins *origins, const struct installed_adapter *adapter, struct strbuf *out);

/* keyId and signer, null when there is none or it is not trusted, and source. */
json_t *origins_json(const struct origins *origins, const struct installed_adapter *adapter);

#endif
