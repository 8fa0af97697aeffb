/* Reads a JSON report back, as report_json() wrote it, into a run that every writer of reports takes. Written again it
 * is the same, byte for byte.
 *
 * Diagnostic codes: DOC-… for what is no JSON, SCHEMA-… for what does not fit docs/schema/conformance-report.json, and
 *   REPORT-0002  a missing field        REPORT-0003  a value out of range        REPORT-0004  too many cases
 * each with line, column and field. */
#ifndef TRAMMEL_HOST_REPORT_REPORT_READ_H
#define TRAMMEL_HOST_REPORT_REPORT_READ_H

#include "host/conformance/result.h"
#include "sdk/base/error.h"

/* Of one report. A run of the whole suite takes about 2 MiB and 50,000 values. */
#define REPORT_BYTES_MAX ((size_t)64 << 20)
#define REPORT_NODES_MAX ((size_t)2000000)
#define REPORT_CASES_MAX 50000
#define REPORT_STEPS_MAX 1000 /* of a case */
#define REPORT_ID_MAX 200     /* bytes of a case's id */

/* Of a case, and of a run: the durations of all cases that a report may have add up without overflow. */
#define REPORT_CASE_NS_MAX (INT64_C(2) * 24 * 3600 * 1000000000)
#define REPORT_RUN_NS_MAX (INT64_C(3650) * 24 * 3600 * 1000000000)

/* `file` names the report in diagnostics. What follows from the cases (totals, capabilities, the requirement matrix,
 * the exit code) is not read but worked out again when it is asked for. Of a case, `test` holds what reports say of it:
 * no topology, no resources, and steps without content. The run has no `source` but `tested`. Texts that are empty
 * where a run always has one are NULL. `*ret_run` owns all that it points to and is freed with report_read_free(). 0,
 * -EINVAL or -E2BIG with diagnostics, -ENOMEM. */
int report_read(const char *file, const void *data, size_t length, struct diagnostics *diagnostics,
                struct run_result **ret_run);

/* The same from a file, "-" is standard input, with an error for people besides the diagnostics. */
int report_read_file(const char *path, struct diagnostics *diagnostics, struct run_result **ret_run,
                     struct error **err);

void report_read_free(struct run_result *run);
DEFINE_CLEANUP(struct run_result *, report_read_free);
#define _cleanup_report_ _cleanup_(report_read_free_p)

#endif
