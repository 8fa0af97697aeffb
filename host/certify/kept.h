/* Reports of checks that this user has made, kept by the digest of what was checked: <data>/checks/DIGEST.json. */
#ifndef TRAMMEL_HOST_CERTIFY_KEPT_H
#define TRAMMEL_HOST_CERTIFY_KEPT_H

#include <jansson.h>

#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

/* Puts a report, as of certify_report_json(), in the place of one of the same file. */
int kept_write(const char *data_directory, const json_t *report, struct error **err);

/* The report of the file with this digest: a new reference. -ENOENT when there is none, -EINVAL for one that cannot be
 * read. */
int kept_read(const char *data_directory, const char *digest, json_t **ret_report, struct error **err);

/* "12 passed, 1 warning, 0 failed, 2 skipped, by Trammel 0.1.0"; crashes are failures, and skipped is what is not 0.
 * Before "by" it says when nothing was confined, and which configuration was given. Without a report "not checked". */
void kept_summary(const json_t *report, struct strbuf *out);
/* The same as JSON, null without a report: a new reference. */
json_t *kept_summary_json(const json_t *report);

#endif
