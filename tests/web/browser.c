#include "browser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/command.h"

#define BROWSER "/usr/bin/chromium"
#define LIMIT_S 60

bool browser_is_there(void) {
  return access(BROWSER, X_OK) == 0;
}

static char *path_in(const char *directory, const char *name) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
  return path;
}

static void write_file(const char *directory, const char *name, const char *text) {
  _cleanup_free_ char *path = path_in(directory, name);
  FILE *file = fopen(path, "we");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
  assert_int_equal(fclose(file), 0);
}

static char *dump(const char *directory, const char *name, bool dark) {
  _cleanup_free_ char *url = NULL;
  _cleanup_free_ char *profile = NULL;
  assert_true(asprintf(&url, "file://%s/%s", directory, name) > 0);
  assert_true(asprintf(&profile, "--user-data-dir=%s/profile-%s-%d", directory, name, dark) > 0);
  /* No sandbox: tests run in containers and as root, where it has none, and the page is the test's own. */
  const char *argv[] = {BROWSER,
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--disable-dev-shm-usage",
                        "--hide-scrollbars",
                        "--virtual-time-budget=10000",
                        profile,
                        "--dump-dom",
                        url,
                        dark ? "--force-dark-mode" : NULL,
                        NULL};
  struct command_result result;
  command_run(argv, NULL, LIMIT_S, &result);
  if (result.exit_code != 0)
    fail_msg("%s: exit code %d: %s", BROWSER, result.exit_code, strbuf_text(&result.errors));
  char *dom = strbuf_steal(&result.out);
  command_result_finish(&result);
  assert_non_null(dom);
  return dom;
}

char *browser_dom(const char *directory, const char *page, bool dark) {
  write_file(directory, "page.html", page);
  return dump(directory, "page.html", dark);
}

/* ---- measuring
 *
 * The window of a browser without one is never narrower than 500 pixels; a frame can be. The frame is of another
 * origin, as every file is, so that it sends what it measured as a message. */

#define POLICY "<meta http-equiv=\"Content-Security-Policy\""

static char *copy_with(const char *page, const char *script) {
  const char *policy = strstr(page, POLICY);
  const char *end = strstr(page, "</body>");
  assert_non_null(policy);
  assert_non_null(end);
  const char *after = strchr(policy, '>') + 1;
  char *copy = NULL;
  assert_true(
      asprintf(&copy,
               "%.*s%.*s<script>addEventListener('load', () => parent.postMessage((() => {%s})(), '*'))</script>%s",
               (int)(policy - page), page, (int)(end - after), after, script, end) > 0);
  return copy;
}

#define FRAME_BEGIN                                                                                                    \
  "<!DOCTYPE html><html><body><script>addEventListener('message', event => {"                                          \
  "document.getElementById('measured').textContent = event.data})</script><p id=\"measured\"></p>"
#define MEASURED "<p id=\"measured\">"

char *browser_measure(const char *directory, const char *page, unsigned width, bool dark, const char *script) {
  _cleanup_free_ char *copy = copy_with(page, script);
  _cleanup_free_ char *frame = NULL;
  assert_true(asprintf(&frame,
                       FRAME_BEGIN "<iframe src=\"measured.html\" style=\"width:%upx;height:800px;border:0\"></iframe>"
                                   "</body></html>",
                       width) > 0);
  write_file(directory, "measured.html", copy);
  write_file(directory, "frame.html", frame);
  _cleanup_free_ char *dom = dump(directory, "frame.html", dark);
  const char *measured = strstr(dom, MEASURED);
  assert_non_null(measured);
  measured += strlen(MEASURED);
  return strndup(measured, strcspn(measured, "<"));
}
