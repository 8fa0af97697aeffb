#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/conformance/suite.h"
#include "sdk/base/document.h"
#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

/* The page's text with every run of white space as one space. */
static char *page_text(void) {
  const char *source = getenv("TRAMMEL_SOURCE_DIR");
  char path[4096];
  char *text = NULL;
  size_t length = 0;
  assert_non_null(source);
  (void)snprintf(path, sizeof path, "%s/docs/smi.md", source);
  assert_int_equal(file_read(path, 1 << 20, &text, &length, NULL), 0);
  char *end = text;
  for (const char *c = text; *c; c++)
    if (!strchr(" \n", *c))
      *end++ = *c;
    else if (end > text && end[-1] != ' ')
      *end++ = ' ';
  *end = '\0';
  return text;
}

/* Reports show these texts; the page is where people look them up. */
static void each_is_as_the_page_says(void **state) {
  (void)state;
  _cleanup_free_ char *page = page_text();
  const char *at = strstr(page, "## Interpretations");
  if (!at) {
    fail_msg("docs/smi.md has no interpretations");
    return;
  }
  for (int number = 1; number <= interpretation_last(); number++) {
    const struct interpretation *taken = interpretation_find(number);
    assert_int_equal(taken->number, number);
    _cleanup_strbuf_ struct strbuf wanted = STRBUF_INIT;
    strbuf_printf(&wanted, " %d. **%s.** %s", number, taken->title, taken->text);
    const char *found = strstr(at, strbuf_text(&wanted));
    if (!found) {
      fail_msg("docs/smi.md says something else than%s", strbuf_text(&wanted));
      return;
    }
    at = found;
  }
  char next[32];
  (void)snprintf(next, sizeof next, " %d. **", interpretation_last() + 1);
  assert_null(strstr(at, next));
}

static void there_is_none_beyond(void **state) {
  (void)state;
  assert_null(interpretation_find(0));
  assert_null(interpretation_find(-1));
  assert_null(interpretation_find(interpretation_last() + 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_is_as_the_page_says),
      cmocka_unit_test(there_is_none_beyond),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
