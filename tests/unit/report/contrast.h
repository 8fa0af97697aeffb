/* The contrast of two colours by WCAG 2. */
#ifndef TRAMMEL_TESTS_CONTRAST_H
#define TRAMMEL_TESTS_CONTRAST_H

#define CONTRAST_MIN 4.5 /* of text, level AA */

/* 1 to 21, for two colours written as "#rrggbb". */
double contrast(const char *a, const char *b);

#endif
