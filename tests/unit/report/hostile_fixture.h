/* The run of run_fixture.h with every text of it made to break out of whatever it is written into. */
#ifndef TRAMMEL_TESTS_HOSTILE_FIXTURE_H
#define TRAMMEL_TESTS_HOSTILE_FIXTURE_H

#include "run_fixture.h"

/* Ends attributes, elements, comments, sections and style sheets; starts a script, a directive and a new line; has
 * control characters, a bidirectional override and a noncharacter. */
#define HOSTILE_VALID                                                                                                  \
  "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&lt;&#x3c;]]>--></style></title></pre>`<b>`\n"             \
  "not ok 99 # TODO\nBail out! {{x}} ${x}\n...\n---\n\t\x1b[31m\x01\x7f\xe2\x80\xae\xef\xb7\x90 "
/* The same with bytes that are no UTF-8: stray, cut off, a surrogate. */
#define HOSTILE HOSTILE_VALID "\xff\xc3(\xed\xa0\x80"

struct hostile_fixture {
  struct run_fixture base; /* its run is the hostile one */
  struct test_case tests[FIXTURE_CASES];
  struct check checks[3];
  const char *requirements[1];
  char *text; /* HOSTILE and a very long word */
  json_t *value;
};
void hostile_fixture_init(struct hostile_fixture *fixture);
void hostile_fixture_finish(struct hostile_fixture *fixture);

#endif
