/* A load result made by hand: 12 seconds of which all figures are known, failures, and a URL that is hard to print. */
#ifndef TRAMMEL_TESTS_LOAD_FIXTURE_H
#define TRAMMEL_TESTS_LOAD_FIXTURE_H

#include "host/report/load_report.h"

enum { LOAD_FIXTURE_SECONDS = 12, LOAD_FIXTURE_RATE = 1000, LOAD_FIXTURE_FAILED = 7, LOAD_FIXTURE_CENSORED = 2 };
#define LOAD_FIXTURE_ANSWERED (LOAD_FIXTURE_SECONDS * LOAD_FIXTURE_RATE)
/* What breaks out of quotes, tables, labels, markup and terminals. */
#define LOAD_FIXTURE_URL "http://shop.test/\"q\",\\x<b>&'\n\x1b[31m\xff"

struct load_fixture {
  struct load_options options;
  struct load_result result;
  struct load_report report;
};

/* Answers took 1 ms to 2 ms, evenly, times `factor`; `kind` is SCHEDULE_CLOSED or SCHEDULE_CONSTANT. */
void load_fixture_init(struct load_fixture *fixture, enum schedule_kind kind, double factor);
void load_fixture_finish(struct load_fixture *fixture);

/* What a format printed, as a heap string; `count` reports, or one for formats that take one. */
char *load_rendered(int (*write)(const struct load_report *report, FILE *out), const struct load_report *report);
char *load_rendered_all(int (*write)(const struct load_report *reports, size_t count, FILE *out),
                        const struct load_report *reports, size_t count);

#endif
