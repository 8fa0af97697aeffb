/* What differs between two texts, line by line. */
#ifndef TRAMMEL_HOST_KIT_LINE_DIFF_H
#define TRAMMEL_HOST_KIT_LINE_DIFF_H

#include "sdk/base/strbuf.h"

/* Lines on each side of a stretch that differs for which the shortest difference is looked for; a longer stretch is
 * shown as removed and added whole. */
#define LINE_DIFF_MAX 2000

/* Appends the difference as `diff -u` shows it, with three lines around each change: '-' is only in `before`, '+' only
 * in `after`. Nothing when they are the same. A failed `out` says that memory ran out. */
void line_diff(struct strbuf *out, const char *before, const char *after);

#endif
