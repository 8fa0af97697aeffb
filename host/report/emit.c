#include "host/report/emit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "sdk/base/clock.h"
#include "sdk/base/utf8.h"

int emit(const struct strbuf *buffer, FILE *out) {
  if (strbuf_failed(buffer))
    return -ENOMEM;
  if (buffer->length > 0 && fwrite(buffer->data, 1, buffer->length, out) != buffer->length)
    return -EIO;
  return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}

const char *time_text(int64_t realtime_ns, char text[TIME_TEXT_MAX]) {
  if (realtime_ns < 0)
    realtime_ns = 0;
  time_t seconds = (time_t)(realtime_ns / NS_PER_SECOND);
  struct tm parts;
  if (!gmtime_r(&seconds, &parts) || strftime(text, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
    text[0] = '\0';
    return text;
  }
  size_t length = sizeof "0000-00-00T00:00:00" - 1; /* an int64_t of nanoseconds ends in the year 2262 */
  (void)snprintf(text + length, TIME_TEXT_MAX - length, ".%03dZ", (int)(realtime_ns % NS_PER_SECOND / NS_PER_MS));
  return text;
}

const char *duration_text(int64_t duration_ns, char text[DURATION_TEXT_MAX]) {
  if (duration_ns < 0)
    duration_ns = 0;
  int64_t ms = duration_ns / NS_PER_MS;
  if (ms < 100)
    (void)snprintf(text, DURATION_TEXT_MAX, "%" PRId64 "ms", ms);
  else if (ms < 1000)
    (void)snprintf(text, DURATION_TEXT_MAX, "0.%02" PRId64 "s", ms / 10);
  else if (ms < 60000)
    (void)snprintf(text, DURATION_TEXT_MAX, "%" PRId64 ".%" PRId64 "s", ms / 1000, ms % 1000 / 100);
  else
    (void)snprintf(text, DURATION_TEXT_MAX, "%" PRId64 "m%02" PRId64 "s", ms / 60000, ms % 60000 / 1000);
  return text;
}

const char *text_or_empty(const char *text) {
  return text ? text : "";
}

void append_reproduction(struct strbuf *buffer, const struct run_result *run, const struct case_result *result) {
  if (!run->reproduce)
    return;
  strbuf_printf(buffer, "%s --case %s", run->reproduce, result->test->id);
  struct smi_version version = column_version(&result->column, result->test->group);
  if (version.alpha > 0)
    strbuf_printf(buffer, " --spec-version %s/v1alpha%u", smi_group_name(version.group), version.alpha);
}

static void append_fact(struct strbuf *buffer, const char *name, const char *value) {
  if (!value)
    return;
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, value, strlen(value), NULL);
  strbuf_printf(buffer, "# %-14s %s\n", name, strbuf_text(&safe));
  buffer->failed = buffer->failed || strbuf_failed(&safe);
}

void append_facts(struct strbuf *buffer, const struct run_result *run) {
  if (!run->trammel_version)
    return;
  char seed[24];
  (void)snprintf(seed, sizeof(seed), "%" PRIu64, run->seed);
  append_fact(buffer, "trammel", run->trammel_version);
  append_fact(buffer, "suite", run->suite);
  append_fact(buffer, "mesh", run->mesh_name);
  append_fact(buffer, "mesh version", run->mesh_version);
  append_fact(buffer, "adapter", run->adapter_id);
  append_fact(buffer, "its version", run->adapter_version);
  append_fact(buffer, "its SHA-256", run->adapter_digest);
  append_fact(buffer, "lab", run->lab);
  append_fact(buffer, "seed", seed);
  append_fact(buffer, "command", run->command);
}

void append_interpretations(struct strbuf *buffer, const struct test_case *test) {
  if (test->interpretation_count == 0)
    return;
  strbuf_puts(buffer, test->interpretation_count == 1 ? ", interpretation " : ", interpretations ");
  for (size_t i = 0; i < test->interpretation_count; i++)
    strbuf_printf(buffer, "%s%d", i > 0 ? ", " : "", test->interpretations[i]);
  strbuf_puts(buffer, " of docs/smi.md");
}

void append_support(struct strbuf *buffer, const struct run_result *run, enum smi_group group) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  support_describe(&text, run->support, run->support_count, group);
  buffer->failed = buffer->failed || strbuf_failed(&text);
  if (text.length > 0)
    strbuf_printf(buffer, "; %s", strbuf_text(&text));
}
