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

/* The version of `group` in a column; alpha 0 when the column has none. */
struct smi_version column_version(const struct case_column *column, enum smi_group group);

/* "" for NULL. */
const char *text_or_empty(const char *text);

/* Appends the command that repeats the run, narrowed to one case. Nothing when the run does not know its command. */
void append_reproduction(struct strbuf *buffer, const struct run_result *run, const struct case_result *result);

/* The first check of a case that did not hold; NULL when all held. */
const struct check_result *first_broken_check(const struct case_result *result);

#endif
