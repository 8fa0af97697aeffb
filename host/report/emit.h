/* What all report writers share: the finished text goes out in one piece, and times read the same everywhere. */
#ifndef TRAMMEL_HOST_REPORT_EMIT_H
#define TRAMMEL_HOST_REPORT_EMIT_H

#include <stdint.h>
#include <stdio.h>

#include "host/conformance/result.h"
#include "sdk/base/strbuf.h"

/* Writes and flushes the buffer. 0, -ENOMEM when an append had failed (nothing is written then), -EIO. */
int emit(const struct strbuf *buffer, FILE *out);

#define TIME_TEXT_MAX 40
/* CLOCK_REALTIME nanoseconds as RFC 3339 in UTC with milliseconds: "2024-05-01T12:00:00.250Z". */
const char *time_text(int64_t realtime_ns, char text[TIME_TEXT_MAX]);

#define DURATION_TEXT_MAX 40
/* For people: "12ms", "0.12s", "3.4s", "2m05s". Negative counts as 0. */
const char *duration_text(int64_t duration_ns, char text[DURATION_TEXT_MAX]);

/* "" for NULL. */
const char *text_or_empty(const char *text);

/* Appends the command that runs this case again, in the version of its group. Nothing when the run does not know how it
 * was started. */
void append_reproduction(struct strbuf *buffer, const struct run_result *run, const struct case_result *result);

/* Appends what the run was of, as lines that begin with "# ", for forms that have no other place for it. Nothing when
 * the run does not know which version of Trammel made it. */
void append_facts(struct strbuf *buffer, const struct run_result *run);

/* Appends which interpretations of docs/smi.md a case takes: ", interpretation 3 of docs/smi.md"; nothing
 * for a case that takes none. */
void append_interpretations(struct strbuf *buffer, const struct test_case *test);

/* Appends how the mesh takes a group of SMI: "; translated by the adapter"; nothing when the run does not know. */
void append_support(struct strbuf *buffer, const struct run_result *run, enum smi_group group);

#endif
