/* A browser without a window, that loads a page of the test's own and tells what became of it. */
#ifndef TRAMMEL_TESTS_WEB_BROWSER_H
#define TRAMMEL_TESTS_WEB_BROWSER_H

#include <stdbool.h>

/* The package that has it. */
#define BROWSER_PACKAGE "chromium"
bool browser_is_there(void);

/* The document after it was loaded and its scripts came to rest, as a heap string. `directory` is the test's own; what
 * the browser keeps goes there, too. Fails the test when the browser does not end in time. */
char *browser_dom(const char *directory, const char *page, bool dark);

/* What the page measures of itself in a window of `width` pixels: its script is the body of a function that returns a
 * text. The page's own policy, which forbids scripts, is taken out of the copy that is measured. */
char *browser_measure(const char *directory, const char *page, unsigned width, bool dark, const char *script);

#endif
