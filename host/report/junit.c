#include <inttypes.h>
#include <string.h>

#include "host/report/emit.h"
#include "host/report/glyph.h"
#include "host/report/report.h"
#include "sdk/base/document.h"

/* XML 1.0 has no way to write most control characters, nor U+FFFE and U+FFFF. */
static bool is_xml(uint32_t glyph) {
  return glyph == '\t' || glyph == '\n' || glyph == '\r' || (glyph >= 0x20 && glyph != 0xFFFE && glyph != 0xFFFF);
}

static void xml(struct strbuf *buffer, const char *text, bool breaks) {
  uint32_t glyph;
  for (size_t length; (length = glyph_next(text, &glyph)) > 0; text += length) {
    if (!is_xml(glyph))
      glyph_append(buffer, GLYPH_REPLACEMENT);
    else if ((glyph < 0x20 && !(breaks && glyph == '\n')) || (glyph < 0x80 && strchr("&<>\"'", (int)glyph)))
      strbuf_printf(buffer, "&#%" PRIu32 ";", glyph);
    else
      glyph_append(buffer, glyph);
  }
}

/* A reader turns line breaks in an attribute into spaces, unless they are references. */
static void attribute(struct strbuf *buffer, const char *name, const char *value) {
  strbuf_printf(buffer, " %s=\"", name);
  xml(buffer, text_or_empty(value), false);
  strbuf_putc(buffer, '"');
}

static void seconds(struct strbuf *buffer, int64_t duration_ns) {
  int64_t us = duration_ns > 0 ? duration_ns / 1000 : 0;
  strbuf_printf(buffer, " time=\"%" PRId64 ".%06" PRId64 "\"", us / 1000000, us % 1000000);
}

static void property(struct strbuf *buffer, const char *name, const char *value) {
  if (!value)
    return;
  strbuf_puts(buffer, "      <property");
  attribute(buffer, "name", name);
  attribute(buffer, "value", value);
  strbuf_puts(buffer, "/>\n");
}

static void properties(struct strbuf *buffer, const struct run_result *run) {
  char seed[24];
  (void)snprintf(seed, sizeof seed, "%" PRIu64, run->seed);
  strbuf_puts(buffer, "    <properties>\n");
  property(buffer, "trammel.version", run->trammel_version);
  property(buffer, "mesh.name", run->mesh_name);
  property(buffer, "mesh.version", run->mesh_version);
  property(buffer, "adapter.id", run->adapter_id);
  property(buffer, "adapter.version", run->adapter_version);
  property(buffer, "adapter.sha256", run->adapter_digest);
  property(buffer, "lab", run->lab);
  property(buffer, "seed", seed);
  property(buffer, "command", run->command);
  strbuf_puts(buffer, "    </properties>\n");
}

static void failure(struct strbuf *buffer, const struct run_result *run, const struct case_result *result) {
  const struct check_result *broken = case_first_broken(result);
  strbuf_puts(buffer, "      <failure");
  attribute(buffer, "message", result->reason);
  attribute(buffer, "type", broken ? broken->check->requirement : "conformance");
  strbuf_putc(buffer, '>');
  _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
  for (size_t i = 0; i < result->check_count; i++) {
    const struct check_result *check = &result->checks[i];
    if (!check->held)
      strbuf_printf(&body, "%s, step %u\n  expected: %s\n  seen: %s\n", check->check->requirement, check->step + 1,
                    text_or_empty(check->expected), text_or_empty(check->seen));
  }
  if (result->cause)
    strbuf_printf(&body, "likely cause: %s\n", result->cause);
  if (result->objects) {
    strbuf_puts(&body, "native objects in force:\n");
    if (yaml_write(result->objects, &body) < 0)
      body.failed = true;
  }
  strbuf_puts(&body, "reproduce: ");
  append_reproduction(&body, run, result);
  xml(buffer, strbuf_text(&body), true);
  buffer->failed = buffer->failed || strbuf_failed(&body);
  strbuf_puts(buffer, "</failure>\n");
}

static void outcome(struct strbuf *buffer, const struct run_result *run, const struct case_result *result) {
  switch (result->outcome) {
  case OUTCOME_PASSED:
    break;
  case OUTCOME_FAILED:
    failure(buffer, run, result);
    break;
  case OUTCOME_SKIPPED:
    strbuf_puts(buffer, "      <skipped");
    attribute(buffer, "message", result->reason);
    strbuf_puts(buffer, "/>\n");
    break;
  case OUTCOME_INFORMATIVE:
    strbuf_printf(buffer, "      <system-out>informative: the mesh %s so</system-out>\n",
                  result->held ? "does" : "does not do");
    break;
  case OUTCOME_ERROR:
    strbuf_puts(buffer, "      <error type=\"not judged\"");
    attribute(buffer, "message", result->reason);
    strbuf_puts(buffer, "/>\n");
    break;
  }
}

static void test_case(struct strbuf *buffer, const struct run_result *run, const struct case_result *result) {
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
  strbuf_printf(&name, "%s [%s]", result->test->id, result->column.label);
  strbuf_puts(buffer, "    <testcase");
  attribute(buffer, "name", strbuf_text(&name));
  attribute(buffer, "classname", smi_group_name(result->test->group));
  seconds(buffer, result->duration_ns);
  buffer->failed = buffer->failed || strbuf_failed(&name);
  strbuf_puts(buffer, ">\n");
  outcome(buffer, run, result);
  strbuf_puts(buffer, "    </testcase>\n");
}

struct counts {
  unsigned tests, failures, errors, skipped;
  int64_t duration_ns;
};

static void count(struct counts *counts, const struct case_result *result) {
  counts->tests++;
  counts->failures += result->outcome == OUTCOME_FAILED;
  counts->errors += result->outcome == OUTCOME_ERROR;
  counts->skipped += result->outcome == OUTCOME_SKIPPED;
  counts->duration_ns += result->duration_ns;
}

static void count_attributes(struct strbuf *buffer, const struct counts *counts, int64_t duration_ns) {
  strbuf_printf(buffer, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\"", counts->tests, counts->failures,
                counts->errors, counts->skipped);
  seconds(buffer, duration_ns);
}

static void suite(struct strbuf *buffer, const struct run_result *run, enum smi_group group) {
  struct counts counts = {0};
  for (size_t i = 0; i < run->case_count; i++)
    if (run->cases[i].test->group == group)
      count(&counts, &run->cases[i]);
  if (counts.tests == 0)
    return;
  char started[TIME_TEXT_MAX];
  strbuf_puts(buffer, "  <testsuite");
  attribute(buffer, "name", smi_group_name(group));
  count_attributes(buffer, &counts, counts.duration_ns);
  attribute(buffer, "timestamp", time_text(run->started_ns, started));
  strbuf_puts(buffer, ">\n");
  properties(buffer, run);
  for (size_t i = 0; i < run->case_count; i++)
    if (run->cases[i].test->group == group)
      test_case(buffer, run, &run->cases[i]);
  strbuf_puts(buffer, "  </testsuite>\n");
}

int report_junit(const struct run_result *run, FILE *out) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  struct counts counts = {0};
  for (size_t i = 0; i < run->case_count; i++)
    count(&counts, &run->cases[i]);
  strbuf_puts(&buffer, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
  attribute(&buffer, "name", run->suite);
  count_attributes(&buffer, &counts, run->duration_ns);
  strbuf_puts(&buffer, ">\n");
  for (enum smi_group group = SMI_ACCESS; group <= SMI_METRICS; group++)
    suite(&buffer, run, group);
  strbuf_puts(&buffer, "</testsuites>\n");
  return emit(&buffer, out);
}
