/* A small case to break, and the topology it uses. */
#ifndef TRAMMEL_TESTS_UNIT_CONFORMANCE_CASE_FIXTURE_H
#define TRAMMEL_TESTS_UNIT_CONFORMANCE_CASE_FIXTURE_H

#include "host/conformance/case_read.h"

struct case_fixture {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct test_case test;
  int result;
};

/* One case that is valid, line by line. */
extern const char case_text[];

/* `case_text` with the first `from` replaced by `to`; a heap string. Fails the test when there is none. */
char *case_text_with(const char *from, const char *to);

/* Reads a case with the fixture's topology. */
struct case_fixture case_fixture_read(const char *text);
void case_fixture_finish(struct case_fixture *fixture);
#define _cleanup_fixture_ _cleanup_(case_fixture_finish)

#endif
