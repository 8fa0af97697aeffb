#include "load_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sdk/base/clock.h"

#define BEGUN_S INT64_C(1714564800) /* 2024-05-01T12:00:00Z */

static void record(struct tally *tally, bool closed, double factor) {
  for (int i = 0; i < LOAD_FIXTURE_ANSWERED; i++) {
    int64_t at_ns = i * (NS_PER_SECOND / LOAD_FIXTURE_RATE);
    int64_t took_ns = (int64_t)(factor * (double)(NS_PER_MS + i % LOAD_FIXTURE_RATE * (NS_PER_MS / LOAD_FIXTURE_RATE)));
    if (!closed)
      histogram_record(tally->response, took_ns);
    histogram_record(tally->service, took_ns);
    if (!closed)
      histogram_record(tally->lag, 1000);
    histogram_record(tally->wait, 1000);
    histogram_record(tally->first_byte, took_ns);
    timeline_record(tally->timeline, at_ns, took_ns);
  }
  timeline_end(tally->timeline);
  for (int i = 0; i < 10; i++)
    histogram_record(tally->connecting, 200000);
}

void load_fixture_init(struct load_fixture *fixture, enum schedule_kind kind, double factor) {
  bool closed = kind == SCHEDULE_CLOSED;
  *fixture = (struct load_fixture){.options = {.schedule = {.kind = kind,
                                                            .rate = LOAD_FIXTURE_RATE,
                                                            .duration_ns = LOAD_FIXTURE_SECONDS * NS_PER_SECOND},
                                               .threads = 1,
                                               .connections = 10,
                                               .timeout_ns = 10 * NS_PER_SECOND},
                                   .result = {.begun_ns = BEGUN_S * NS_PER_SECOND,
                                              .measured_ns = LOAD_FIXTURE_SECONDS * NS_PER_SECOND,
                                              .target_rate = closed ? 0 : LOAD_FIXTURE_RATE,
                                              .achieved_rate = LOAD_FIXTURE_RATE,
                                              .busy = 0.25}};
  struct tally *tally = &fixture->result.tally;
  assert_int_equal(tally_init(tally, NULL), 0);
  record(tally, closed, factor);
  tally->completed = LOAD_FIXTURE_ANSWERED;
  tally->failed = tally->errors[LOAD_ERROR_RESET] = LOAD_FIXTURE_FAILED;
  tally->censored = LOAD_FIXTURE_CENSORED;
  tally->scheduled = LOAD_FIXTURE_ANSWERED + LOAD_FIXTURE_FAILED + LOAD_FIXTURE_CENSORED;
  tally->statuses[200] = LOAD_FIXTURE_ANSWERED - 5;
  tally->statuses[503] = 5;
  tally->bytes_read = 1200000;
  tally->bytes_written = 600000;
  tally->connections = 10;
  tally->processor_ns = 3 * NS_PER_SECOND;
  fixture->report = (struct load_report){.version = "0.0.0",
                                         .url = LOAD_FIXTURE_URL,
                                         .method = "GET",
                                         .protocol = "http/1.1",
                                         .streams = 1,
                                         .options = &fixture->options,
                                         .result = &fixture->result};
}

void load_fixture_finish(struct load_fixture *fixture) {
  load_result_finish(&fixture->result);
}

char *load_rendered(int (*write)(const struct load_report *report, FILE *out), const struct load_report *report) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  assert_int_equal(write(report, out), 0);
  assert_int_equal(fclose(out), 0);
  return text;
}

char *load_rendered_all(int (*write)(const struct load_report *reports, size_t count, FILE *out),
                        const struct load_report *reports, size_t count) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  assert_int_equal(write(reports, count, out), 0);
  assert_int_equal(fclose(out), 0);
  return text;
}
