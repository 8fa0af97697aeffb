#include "hostile_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/strbuf.h"

#define LONG_WORD 3000

static char *hostile_text(void) {
  struct strbuf text = STRBUF_INIT;
  strbuf_puts(&text, HOSTILE);
  for (int i = 0; i < LONG_WORD; i++)
    strbuf_putc(&text, 'W');
  char *result = strbuf_steal(&text);
  assert_non_null(result);
  return result;
}

static void spoil_checks(struct hostile_fixture *fixture) {
  for (size_t i = 0; i < ARRAY_COUNT(fixture->checks); i++) {
    struct check_result *result = &fixture->base.checks[i];
    fixture->checks[i] = *result->check;
    fixture->checks[i].requirement = fixture->text;
    result->check = &fixture->checks[i];
    result->expected = fixture->text;
    result->seen = fixture->text;
    json_decref(result->evidence);
    result->evidence = json_incref(fixture->value);
  }
}

static void spoil_cases(struct hostile_fixture *fixture) {
  for (size_t i = 0; i < FIXTURE_CASES; i++) {
    struct case_result *result = &fixture->base.cases[i];
    struct test_case *test = &fixture->tests[i];
    *test = *result->test;
    test->id = fixture->text;
    test->title = fixture->text;
    test->why = fixture->text;
    test->requirements = fixture->requirements;
    test->requirement_count = 1;
    result->test = test;
    result->reason = fixture->text;
    result->cause = fixture->text;
    memcpy(result->column.label, HOSTILE, sizeof result->column.label - 1); /* cut in the middle */
    json_decref(result->objects);
    result->objects = json_incref(fixture->value);
    result->resources = fixture->value; /* borrowed: run_fixture_finish() does not release them */
    result->coverage = fixture->value;
  }
}

static void spoil_run(struct hostile_fixture *fixture) {
  struct run_result *run = &fixture->base.run;
  const char **const texts[] = {
      &run->id,        &run->trammel_version, &run->suite,        &run->adapter_id, &run->adapter_version,
      &run->mesh_name, &run->adapter_digest,  &run->adapter_path, &run->mesh_type,  &run->mesh_version,
      &run->lab,       &run->command,         &run->reproduce,    &run->stop_reason};
  for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
    *texts[i] = fixture->text;
}

void hostile_fixture_init(struct hostile_fixture *fixture) {
  *fixture = (struct hostile_fixture){.text = hostile_text()};
  run_fixture_init(&fixture->base);
  fixture->requirements[0] = fixture->text;
  fixture->value = json_pack("[{s:s, s:[s, s]}]", HOSTILE_VALID, HOSTILE_VALID, "list", HOSTILE_VALID, "...\n---");
  assert_non_null(fixture->value);
  spoil_checks(fixture);
  spoil_cases(fixture);
  spoil_run(fixture);
}

void hostile_fixture_finish(struct hostile_fixture *fixture) {
  run_fixture_finish(&fixture->base);
  json_decref(fixture->value);
  free(fixture->text);
}
